#include "proxy/session/effects.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace howdah::proxy {
namespace {

using change = sql::setting_change;

/// "a='1',-b,-*" : sets, resets, reset of all.
std::string text(const std::vector<change>& changes) {
    std::string out;
    for (const change& c : changes) {
        if (!out.empty()) out += ',';
        switch (c.what) {
            case change::kind::set:
                out += c.name + "=" + c.value;
                break;
            case change::kind::set_local:
                out += "local " + c.name;
                break;
            case change::kind::reset:
                out += "-" + c.name;
                break;
            case change::kind::reset_all:
                out += "-*";
                break;
        }
    }
    return out;
}

/// Statements and their tags as a session reports them: the tag first, then the statement.
struct client {
    transaction_effects effects;

    void run(std::string_view sql, std::string_view tag = "SET") {
        effects.completed(tag);
        const sql::traits t = sql::classify(sql);
        ASSERT_TRUE(t.parsed) << sql;
        if (has_effects(t) || t.ends_transaction) effects.ran(t);
    }
    /// A Query inside a transaction that stays open.
    void inside(std::string_view sql, std::string_view tag = "SET") {
        run(sql, tag);
        effects.still_in_transaction();
    }
    /// A Query after which no transaction is open.
    std::string outside(std::string_view sql, std::string_view tag = "SET") {
        run(sql, tag);
        return text(effects.settle());
    }
};

TEST(HasEffects, of_statements_that_change_the_session_only) {
    for (const char* sql :
         {"SET a.b = 1", "RESET search_path", "RESET ALL", "SELECT set_config('a.b', 'c', false)",
          "LISTEN x", "UNLISTEN x", "UNLISTEN *", "PREPARE p AS SELECT 1", "SAVEPOINT s",
          "ROLLBACK TO s", "CREATE TEMP TABLE t (i int)", "SELECT pg_advisory_lock(1)",
          "DISCARD ALL", "LOAD 'x'", "DECLARE c CURSOR WITH HOLD FOR SELECT 1", "BEGIN; SELECT 1"})
        EXPECT_TRUE(has_effects(sql::classify(sql))) << sql;
    for (const char* sql : {"SELECT 1", "INSERT INTO t VALUES (1)", "BEGIN", "COMMIT", "ROLLBACK",
                            "SHOW search_path", "SELECT pg_advisory_xact_lock(1)", ""})
        EXPECT_FALSE(has_effects(sql::classify(sql))) << sql;
}

TEST(TransactionEffects, a_set_outside_a_transaction_lasts_at_once) {
    client c;
    EXPECT_EQ(c.outside("SET search_path = a, b"), "search_path='a', 'b'");
    EXPECT_TRUE(c.effects.nothing_pending());
    EXPECT_EQ(text(c.effects.settle()), "");
}

TEST(TransactionEffects, sets_of_a_transaction_last_after_its_commit_in_order) {
    client c;
    c.inside("BEGIN", "BEGIN");
    c.inside("SET a.b = 1");
    c.inside("RESET search_path", "RESET");
    EXPECT_FALSE(c.effects.nothing_pending());
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "a.b='1',-search_path");
}

TEST(TransactionEffects, a_rolled_back_transaction_changes_nothing) {
    client c;
    c.inside("SET a.b = 1");
    EXPECT_EQ(c.outside("ROLLBACK", "ROLLBACK"), "");
    c.inside("SET a.b = 1");
    EXPECT_EQ(c.outside("COMMIT", "ROLLBACK"), "") << "COMMIT of a failed transaction";
    EXPECT_EQ(c.outside("SET a.c = 2"), "a.c='2'") << "the next one counts again";
}

TEST(TransactionEffects, a_failed_implicit_transaction_changes_nothing) {
    client c;
    c.run("SET a.b = 1");
    c.effects.failed_outside_transaction();
    EXPECT_EQ(text(c.effects.settle()), "");
}

TEST(TransactionEffects, rollback_to_a_savepoint_cuts_back_to_it_and_keeps_it) {
    client c;
    c.inside("SET a.b = 1");
    c.inside("SAVEPOINT s", "SAVEPOINT");
    c.inside("SET a.c = 2");
    c.inside("ROLLBACK TO s", "ROLLBACK");
    c.inside("SET a.d = 3");
    c.inside("ROLLBACK TO SAVEPOINT s", "ROLLBACK");
    c.inside("SET a.e = 4");
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "a.b='1',a.e='4'");
}

TEST(TransactionEffects, rollback_to_an_outer_savepoint_drops_the_inner_ones) {
    client c;
    c.inside("SAVEPOINT outer_one", "SAVEPOINT");
    c.inside("SET a.b = 1");
    c.inside("SAVEPOINT inner_one", "SAVEPOINT");
    c.inside("SET a.c = 2");
    c.inside("ROLLBACK TO outer_one", "ROLLBACK");
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "");
}

TEST(TransactionEffects, of_savepoints_with_one_name_the_latest_counts) {
    client c;
    c.inside("SET a.b = 1");
    c.inside("SAVEPOINT s", "SAVEPOINT");
    c.inside("SET a.c = 2");
    c.inside("SAVEPOINT s", "SAVEPOINT");
    c.inside("SET a.d = 3");
    c.inside("ROLLBACK TO s", "ROLLBACK");
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "a.b='1',a.c='2'");
}

TEST(TransactionEffects, a_released_savepoint_uncovers_an_older_one_of_its_name) {
    client c;
    c.inside("SAVEPOINT s", "SAVEPOINT");
    c.inside("SET a.b = 1");
    c.inside("SAVEPOINT s", "SAVEPOINT");
    const sql::traits release = sql::classify("RELEASE s");
    c.effects.ran(release);
    c.inside("ROLLBACK TO s", "ROLLBACK");
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "");
    EXPECT_TRUE(has_effects(release)) << "or no session reports it";
}

// Several statements of a pipeline run before one ReadyForQuery.
TEST(TransactionEffects, what_follows_a_rollback_in_one_pipeline_lasts) {
    client c;
    c.inside("SET a.b = 1");
    c.run("ROLLBACK", "ROLLBACK");
    c.run("SET a.c = 2");
    EXPECT_EQ(text(c.effects.settle()), "a.c='2'");
}

TEST(TransactionEffects, a_commit_behind_a_rollback_to_a_savepoint_in_one_pipeline_commits) {
    client c;
    c.inside("SET a.b = 1");
    c.inside("SAVEPOINT s", "SAVEPOINT");
    c.run("ROLLBACK TO s", "ROLLBACK");
    c.run("SET a.c = 2");
    c.run("COMMIT", "COMMIT");
    EXPECT_EQ(text(c.effects.settle()), "a.b='1',a.c='2'");
}

TEST(TransactionEffects, a_commit_and_a_rollback_in_one_pipeline_keep_what_was_committed) {
    client c;
    c.inside("SET a.b = 1");
    c.run("COMMIT", "COMMIT");
    c.run("BEGIN", "BEGIN");
    c.run("SET a.c = 2");
    c.run("ROLLBACK", "ROLLBACK");
    EXPECT_EQ(text(c.effects.settle()), "a.b='1'");
}

TEST(TransactionEffects, commit_and_chain_makes_settings_last_although_a_transaction_is_open) {
    client c;
    c.inside("SET a.b = 1");
    c.inside("COMMIT AND CHAIN", "COMMIT");
    c.inside("SET a.c = 2");
    EXPECT_EQ(c.outside("ROLLBACK", "ROLLBACK"), "a.b='1'");
}

TEST(TransactionEffects, rollback_and_chain_undoes_settings_although_a_transaction_is_open) {
    client c;
    c.inside("SET a.b = 1");
    c.inside("ROLLBACK AND CHAIN", "ROLLBACK");
    c.inside("SET a.c = 2");
    EXPECT_EQ(c.outside("COMMIT", "COMMIT"), "a.c='2'");
}

// One Query string: the session reports each of its statements as it completes.
TEST(TransactionEffects, of_a_string_of_several_statements_each_counts_in_its_place) {
    const auto lasting = [](std::string_view sql) {
        client c;
        for (const sql::statement_part& part : sql::classify(sql).parts) {
            if (part.what.ends_transaction && part.what.rollback_like)
                c.effects.completed("ROLLBACK");
            c.effects.ran(part.what);
        }
        EXPECT_EQ(c.effects.pins(), 0) << sql;
        return text(c.effects.settle());
    };
    EXPECT_EQ(lasting("ROLLBACK; SET a.b = 1"), "a.b='1'");
    EXPECT_EQ(lasting("SET a.b = 1; ROLLBACK; SELECT 1"), "");
    EXPECT_EQ(lasting("BEGIN; SET a.b = 1; COMMIT; BEGIN; SET a.b = 2; ROLLBACK"), "a.b='1'");
    EXPECT_EQ(lasting("BEGIN; SAVEPOINT s; SET a.b = 1; ROLLBACK TO s; SET a.c = 2; COMMIT"),
              "a.c='2'");
}

std::uint16_t mask(std::initializer_list<sql::pin_reason> reasons) {
    unsigned out = 0;
    for (const sql::pin_reason r : reasons)
        out |= static_cast<unsigned>(r);
    return static_cast<std::uint16_t>(out);
}

TEST(TransactionEffects, reasons_to_pin_add_up_and_outlive_their_transaction) {
    client c;
    (void)c.outside("LISTEN x", "LISTEN");
    (void)c.outside("SELECT pg_advisory_lock(1)", "SELECT 1");
    c.inside("PREPARE p AS SELECT 1", "PREPARE");
    (void)c.outside("ROLLBACK", "ROLLBACK");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::listen, sql::pin_reason::advisory_lock,
                                      sql::pin_reason::sql_prepare}));
    c.effects.unpin_all();
    EXPECT_EQ(c.effects.pins(), 0);
}

TEST(TransactionEffects, unlisten_of_everything_ends_the_pin_of_listen_only) {
    client c;
    (void)c.outside("LISTEN x", "LISTEN");
    (void)c.outside("CREATE TEMP TABLE t (i int)", "CREATE TABLE");
    (void)c.outside("UNLISTEN x", "UNLISTEN");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::listen, sql::pin_reason::temp_object}));
    (void)c.outside("UNLISTEN *", "UNLISTEN");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::temp_object}));
}

TEST(TransactionEffects, an_unlisten_that_is_rolled_back_leaves_the_session_listening) {
    client c;
    (void)c.outside("LISTEN x", "LISTEN");
    c.inside("BEGIN", "BEGIN");
    c.inside("UNLISTEN *", "UNLISTEN");
    (void)c.outside("ROLLBACK", "ROLLBACK");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::listen}));
}

TEST(TransactionEffects, deallocate_all_ends_the_pin_of_prepare_and_drops_the_statements) {
    client c;
    (void)c.outside("PREPARE p AS SELECT 1", "PREPARE");
    (void)c.outside("LISTEN x", "LISTEN");
    EXPECT_FALSE(c.effects.take_statements_dropped());
    (void)c.outside("DEALLOCATE ALL", "DEALLOCATE ALL");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::listen}));
    EXPECT_TRUE(c.effects.take_statements_dropped());
    EXPECT_FALSE(c.effects.take_statements_dropped());
}

TEST(TransactionEffects, deallocate_of_one_name_keeps_the_pin) {
    client c;
    (void)c.outside("PREPARE p AS SELECT 1", "PREPARE");
    (void)c.outside("DEALLOCATE p", "DEALLOCATE");
    EXPECT_EQ(c.effects.pins(), mask({sql::pin_reason::sql_prepare}));
    EXPECT_FALSE(c.effects.take_statements_dropped());
}

TEST(TransactionEffects, discard_all_resets_settings_and_identity_and_ends_every_pin) {
    client c;
    (void)c.outside("LISTEN x", "LISTEN");
    (void)c.outside("CREATE TEMP TABLE t (i int)", "CREATE TABLE");
    c.effects.completed("DISCARD ALL");
    EXPECT_EQ(c.effects.pins(), 0);
    EXPECT_TRUE(c.effects.take_statements_dropped());
    EXPECT_EQ(text(c.effects.settle()), "-*,-role,-session_authorization");
}

TEST(TransactionEffects, discard_all_leaves_no_pin_when_its_statement_is_reported_too) {
    client c;
    (void)c.outside("LISTEN x", "LISTEN");
    const std::string changes = c.outside("DISCARD ALL", "DISCARD ALL");
    EXPECT_EQ(c.effects.pins(), 0);
    EXPECT_TRUE(changes.starts_with("-*,-role,-session_authorization")) << changes;
}

TEST(TransactionEffects, forget_drops_what_a_lost_connection_would_have_kept) {
    client c;
    c.inside("SET a.b = 1");
    c.effects.completed("DEALLOCATE ALL");
    c.effects.forget();
    EXPECT_TRUE(c.effects.nothing_pending());
    EXPECT_FALSE(c.effects.take_statements_dropped());
    EXPECT_EQ(c.outside("SET a.c = 2"), "a.c='2'");
}

}  // namespace
}  // namespace howdah::proxy
