#include "proxy/router.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace howdah::proxy {
namespace {

constexpr int writer = 10;
constexpr int reader = 20;
constexpr int special = 30;
constexpr int single = 40;

class Router : public ::testing::Test {
protected:
    Router() {
        groups_.pairs = {{writer, reader}};
        groups_.known = {writer, reader, special, single};
        for (const auto& [hostgroup, host] :
             {std::pair{writer, "a"}, std::pair{reader, "b"}, std::pair{single, "c"}}) {
            monitor::member m;
            m.hostgroup = hostgroup;
            m.at = {host, 5432};
            groups_.members.push_back(m);
        }
    }

    route_context context(std::string_view query = {}) const {
        return {.hostgroups = groups_,
                .functions = *functions_,
                .default_hostgroup = default_hostgroup_,
                .split = split_,
                .read_only_mode = read_only_mode_,
                .safe_lexing = safe_lexing_,
                .verdict = verdict_ ? &*verdict_ : nullptr,
                .query = query};
    }
    route go(std::string_view query) const {
        return route_statement(sql::classify(query), context(query));
    }
    void expect(std::string_view query, int hostgroup, route_reason reason, bool repeatable) const {
        const route r = go(query);
        EXPECT_EQ(r.hostgroup, hostgroup) << query;
        EXPECT_EQ(r.reason, reason) << query << ": " << static_cast<int>(r.reason);
        EXPECT_EQ(r.repeatable, repeatable) << query;
    }
    void reader_status(monitor::status s) { groups_.members[1].state = s; }

    monitor::hostgroups groups_;
    std::shared_ptr<const sql::function_catalog> functions_ = sql::function_catalog::built_in();
    std::optional<rule_verdict> verdict_;
    int default_hostgroup_ = writer;
    bool split_ = true;
    bool read_only_mode_ = false;
    bool safe_lexing_ = true;
};

TEST_F(Router, sends_provable_reads_to_a_reader_and_may_repeat_them) {
    for (const char* query : {"SELECT 1", "SELECT * FROM t WHERE a = 'x'", "VALUES (1)",
                              "SELECT count(*), now() FROM t", "TABLE t", "SELECT 1; SELECT 2",
                              "WITH x AS (SELECT 1) SELECT * FROM x", "EXPLAIN SELECT 1"})
        expect(query, reader, route_reason::read, true);
}

TEST_F(Router, sends_everything_that_writes_or_locks_to_the_writer) {
    for (const char* query :
         {"INSERT INTO t VALUES (1)", "UPDATE t SET a = 1", "DELETE FROM t",
          "CREATE TABLE t (i int)", "SELECT * FROM t FOR UPDATE",
          "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", "BEGIN",
          "SELECT 1; INSERT INTO t VALUES (1)", "SET a.b = 1", "SHOW transaction_read_only",
          "TRUNCATE t", "COPY t FROM STDIN", "NOTIFY x", "LISTEN x", "CALL p()"})
        expect(query, writer, route_reason::write, false);
}

TEST_F(Router, sends_what_the_grammar_does_not_know_to_the_writer) {
    expect("SELEC 1", writer, route_reason::unparsed, false);
    const route r = route_statement(sql::traits{}, context());
    EXPECT_EQ(r.hostgroup, writer);
    EXPECT_FALSE(r.repeatable);
}

TEST_F(Router, sends_calls_of_volatile_or_unknown_functions_to_the_writer) {
    expect("SELECT nextval('s')", writer, route_reason::functions, false);
    expect("SELECT my_function(1)", writer, route_reason::functions, false);
    expect("SELECT pg_advisory_xact_lock(1)", writer, route_reason::functions, false);
    expect("SELECT 1 FROM t WHERE my_function(a)", writer, route_reason::functions, false);
}

TEST_F(Router, believes_the_catalogue_of_the_database) {
    const sql::function_row rows[] = {
        {"public", "looks", sql::volatility::stable},
        {"public", "adds", sql::volatility::immutable},
        {"public", "writes", sql::volatility::volatile_},
        {"a", "twice", sql::volatility::stable},
        {"b", "twice", sql::volatility::volatile_},
        {"pg_catalog", "nextval", sql::volatility::stable},
    };
    functions_ = std::make_shared<const sql::function_catalog>(rows);
    expect("SELECT looks(adds(1))", reader, route_reason::read, true);
    expect("SELECT public.looks(1)", reader, route_reason::read, true);
    expect("SELECT a.twice(1)", reader, route_reason::read, true);
    expect("SELECT writes(1)", writer, route_reason::functions, false);
    expect("SELECT looks(writes(1))", writer, route_reason::functions, false);
    expect("SELECT twice(1)", writer, route_reason::functions, false);
    expect("SELECT pg_try_advisory_lock(1)", writer, route_reason::functions, false);
    functions_ = std::make_shared<const sql::function_catalog>();
    expect("SELECT looks(1)", writer, route_reason::functions, false);
    expect("SELECT 1", reader, route_reason::read, true);
}

TEST_F(Router, reads_go_to_the_writer_while_no_reader_is_online) {
    for (const auto s : {monitor::status::shunned, monitor::status::offline_soft,
                         monitor::status::offline_hard, monitor::status::shunned_replication_lag}) {
        reader_status(s);
        expect("SELECT 1", writer, route_reason::read, true);
    }
    groups_.members.erase(groups_.members.begin() + 1);
    expect("SELECT 1", writer, route_reason::read, true);
    EXPECT_EQ(reader_or_writer(groups_, single), single) << "no pair, no reader";
}

TEST_F(Router, reads_of_late_readers_stay_with_them_where_the_policy_is_to_be_stale_or_to_fail) {
    reader_status(monitor::status::shunned_replication_lag);
    groups_.members[1].stale_allowed = true;
    expect("SELECT 1", reader, route_reason::read, true);
    groups_.members[1].stale_allowed = false;
    groups_.refusing = {reader};
    expect("SELECT 1", reader, route_reason::read, true);
    EXPECT_TRUE(groups_.refuses(reader));
    expect("INSERT INTO t VALUES (1)", writer, route_reason::write, false);
}

TEST_F(Router, without_split_everything_goes_to_the_default_hostgroup) {
    split_ = false;
    expect("SELECT 1", writer, route_reason::no_split, true);
    expect("INSERT INTO t VALUES (1)", writer, route_reason::no_split, false);
}

TEST_F(Router, splits_only_where_the_default_hostgroup_is_the_writer_of_a_pair) {
    default_hostgroup_ = single;
    expect("SELECT 1", single, route_reason::no_split, true);
    default_hostgroup_ = reader;
    expect("SELECT 1", reader, route_reason::no_split, true);
    expect("INSERT INTO t VALUES (1)", reader, route_reason::no_split, false);
}

TEST_F(Router, unsafe_lexing_keeps_everything_on_the_writer) {
    safe_lexing_ = false;
    expect("SELECT 1", writer, route_reason::unparsed, false);
    expect("BEGIN READ ONLY", writer, route_reason::unparsed, false);
}

TEST_F(Router, a_hint_names_any_known_hostgroup) {
    expect("/* hostgroup=30 */ SELECT 1", special, route_reason::hint, true);
    expect("/* hostgroup=30 */ INSERT INTO t VALUES (1)", special, route_reason::hint, false);
    expect("/* hostgroup=10 */ SELECT 1", writer, route_reason::hint, true);
    expect("/* hostgroup=20 */ SELECT my_function()", reader, route_reason::hint, false);
    split_ = false;
    expect("/* hostgroup=20 */ SELECT 1", reader, route_reason::hint, true);
}

TEST_F(Router, a_hint_for_an_unknown_hostgroup_is_a_comment) {
    expect("/* hostgroup=99 */ SELECT 1", reader, route_reason::read, true);
    expect("SELECT 1 /* hostgroup=30 */", reader, route_reason::read, true);
}

TEST_F(Router, a_rule_comes_before_a_hint_and_the_class) {
    verdict_.emplace().destination_hostgroup = special;
    expect("SELECT 1", special, route_reason::rule, true);
    expect("SELECT nextval('s')", special, route_reason::rule, false);
    expect("/* hostgroup=10 */ SELECT 1", special, route_reason::rule, true);
    expect("INSERT INTO t VALUES (1)", special, route_reason::rule, false);
    split_ = false;
    expect("SELECT 1", special, route_reason::rule, true);
}

TEST_F(Router, a_rule_that_names_no_hostgroup_leaves_the_decision) {
    verdict_.emplace().applied = true;
    expect("SELECT 1", reader, route_reason::read, true);
    expect("/* hostgroup=30 */ SELECT 1", special, route_reason::hint, true);
}

TEST_F(Router, a_transaction_declared_read_only_goes_to_a_reader_but_is_not_repeated) {
    expect("BEGIN READ ONLY", reader, route_reason::read_only_mode, false);
    expect("START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", reader,
           route_reason::read_only_mode, false);
    reader_status(monitor::status::shunned);
    expect("BEGIN READ ONLY", writer, route_reason::read_only_mode, false);
}

TEST_F(Router, a_serializable_transaction_stays_on_the_writer) {
    expect("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY", writer, route_reason::write, false);
}

TEST_F(Router, a_read_only_begin_with_more_behind_it_stays_on_the_writer) {
    expect("BEGIN READ ONLY; SELECT 1", writer, route_reason::write, false);
    expect("BEGIN READ ONLY; SELECT 1; COMMIT; INSERT INTO t VALUES (1)", writer,
           route_reason::write, false);
}

TEST_F(Router, in_a_read_only_session_transactions_go_to_a_reader) {
    read_only_mode_ = true;
    expect("BEGIN", reader, route_reason::read_only_mode, false);
    expect("INSERT INTO t VALUES (1)", writer, route_reason::write, false);
}

// A standby refuses both ("cannot set transaction read-write mode during recovery", "cannot use
// serializable mode in a hot standby"), and not with 25006.
TEST_F(Router, in_a_read_only_session_a_transaction_that_no_standby_takes_stays_on_the_writer) {
    read_only_mode_ = true;
    expect("BEGIN READ WRITE", writer, route_reason::write, false);
    expect("BEGIN ISOLATION LEVEL SERIALIZABLE", writer, route_reason::write, false);
}

TEST_F(Router, a_batch_is_read_from_a_reader_only_if_all_of_it_may) {
    const auto both = [&](std::string_view a, std::string_view b) {
        return combine(go(a), go(b), context());
    };
    const route reads = both("SELECT 1", "SELECT 2");
    EXPECT_EQ(reads.hostgroup, reader);
    EXPECT_EQ(reads.reason, route_reason::read);
    EXPECT_TRUE(reads.repeatable);
    for (const auto& [a, b] :
         {std::pair{"SELECT 1", "DELETE FROM t"}, std::pair{"DELETE FROM t", "SELECT 1"}}) {
        const route mixed = both(a, b);
        EXPECT_EQ(mixed.hostgroup, writer);
        EXPECT_EQ(mixed.reason, route_reason::write);
        EXPECT_FALSE(mixed.repeatable);
    }
}

TEST_F(Router, without_a_reader_a_batch_with_a_write_is_still_a_write) {
    reader_status(monitor::status::shunned);
    for (const auto& [a, b] :
         {std::pair{"SELECT 1", "DELETE FROM t"}, std::pair{"DELETE FROM t", "SELECT 1"}}) {
        const route mixed = combine(go(a), go(b), context());
        EXPECT_EQ(mixed.hostgroup, writer);
        EXPECT_EQ(mixed.reason, route_reason::write);
        EXPECT_FALSE(mixed.repeatable);
    }
}

TEST_F(Router, a_hint_in_a_batch_wins_over_the_reader) {
    for (const auto& [a, b] : {std::pair{"SELECT 1", "/* hostgroup=30 */ SELECT 2"},
                               std::pair{"/* hostgroup=30 */ SELECT 2", "SELECT 1"}}) {
        const route mixed = combine(go(a), go(b), context());
        EXPECT_EQ(mixed.hostgroup, special);
        EXPECT_TRUE(mixed.repeatable);
    }
}

TEST_F(Router, combining_is_repeatable_only_if_both_are) {
    for (const bool first : {false, true}) {
        for (const bool second : {false, true}) {
            for (const int other : {writer, reader}) {
                const route r = combine({reader, route_reason::read, first},
                                        {other, route_reason::read, second}, context());
                EXPECT_EQ(r.repeatable, first && second);
            }
        }
    }
}

}  // namespace
}  // namespace howdah::proxy
