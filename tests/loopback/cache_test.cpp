#include <map>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "proxy/gather.hpp"
#include "proxy/statistics/collect.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string answer = "T D(writer) C(SELECT 1) Z(I)";
const std::string bound_answer = "2 D(writer) C(SELECT 1) Z(I)";
const std::string whole_answer = "1 " + bound_answer;

/// Bind of the unnamed portal with one text parameter.
std::string bind_value(std::string_view statement, std::string_view value) {
    std::string tail("\0\0\0\1\0\0\0", 7);
    tail += static_cast<char>(value.size());
    tail += value;
    tail.append(2, '\0');
    std::string out;
    protocol::append_bind_prefix(out, {}, statement, tail.size());
    return out + tail;
}

class the_query_cache : public loopback {
protected:
    void start_with(
        const std::string& rules = "{rule_id: 1, match_digest: '^select', cache_ttl: 60000}",
        const std::string& variables = {}, const std::string& user = {}) {
        start({.variables = variables,
               .user = user,
               .more_users = "  - {username: bob, password: x, default_hostgroup: 10}\n",
               .sections = "query_rules: [" + rules + "]\n"});
    }
    proxy::query_cache_counters counters() {
        return proxy::gather_counters(app().shared()).front().cache;
    }
    /// How often the server has run it, in either protocol.
    int runs(const std::string& sql) const {
        return writer.count("Q " + sql) + writer.count("P |" + sql);
    }
};

TEST_F(the_query_cache, answers_a_second_client_without_a_server) {
    start_with();
    client c = connect();
    client d = connect();
    EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_EQ(d.ask("SELECT 1"), answer);
    EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_EQ(runs("SELECT 1"), 1);
    EXPECT_EQ(d.ask("SELECT 2"), answer);
    EXPECT_EQ(d.ask("SELECT  1"), answer) << "the text counts, not its digest";
    EXPECT_EQ(runs("SELECT 2"), 1);
    EXPECT_EQ(runs("SELECT  1"), 1);
    EXPECT_EQ(counters().hits, 2u);
    EXPECT_EQ(counters().sets, 3u);
    EXPECT_EQ(counters().entries, 3u);
}

TEST_F(the_query_cache, answers_in_the_extended_protocol) {
    start_with();
    client c = connect();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(c.send(run("SELECT 1") + sync()).until_ready(), whole_answer);
    EXPECT_EQ(runs("SELECT 1"), 1);
    EXPECT_EQ(c.ask("SELECT 1"), answer) << "a simple query has another answer";
    EXPECT_EQ(c.send(bind("", "") + execute("") + sync()).until_ready(), "E(26000) Z(I)")
        << "the query has dropped the unnamed statement";
    const std::string described =
        parse("", "SELECT 1") + bind("", "") + describe('P', "") + execute("") + sync();
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(c.send(described).until_ready(), "1 2 T D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(runs("SELECT 1"), 3);
}

TEST_F(the_query_cache, answers_for_prepared_statements) {
    start_with();
    client c = connect();
    client d = connect();
    for (client* each : {&c, &d})
        EXPECT_EQ(each->send(parse("s", "SELECT $1") + sync()).until_ready(), "1 Z(I)");
    const auto executed = [](const std::string& value) {
        return bind_value("s", value) + execute("") + sync();
    };
    EXPECT_EQ(c.send(executed("a")).until_ready(), bound_answer);
    EXPECT_EQ(d.send(executed("a")).until_ready(), bound_answer);
    EXPECT_EQ(c.send(executed("a")).until_ready(), bound_answer);
    EXPECT_EQ(writer.count("E "), 1);
    EXPECT_EQ(c.send(executed("b")).until_ready(), bound_answer) << "another parameter";
    EXPECT_EQ(writer.count("E "), 2);
    EXPECT_EQ(counters().hits, 2u);
}

TEST_F(the_query_cache, leaves_the_unnamed_statement_as_a_server_would) {
    start_with();
    client c = connect();
    client d = connect();
    (void)d.send(run("SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(run("SELECT 1") + sync()).until_ready(), whole_answer);
    EXPECT_EQ(runs("SELECT 1"), 1) << "that was from the cache";
    EXPECT_EQ(c.send(bind("", "") + execute("") + sync()).until_ready(), bound_answer)
        << "it can be bound again";
    EXPECT_EQ(c.send(parse("", "INSERT 1") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
}

TEST_F(the_query_cache, keeps_users_roles_and_settings_apart) {
    start_with();
    client c = connect();
    client bob = connect({}, "bob");
    (void)c.ask("SELECT 1");
    (void)bob.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), 2);
    int expected = 2;
    for (const char* change : {"SET ROLE auditor", "SET search_path TO other",
                               "SET TimeZone = 'UTC'", "SET app.tenant = '7'"}) {
        client d = connect();
        EXPECT_EQ(d.ask(change), "C(SET) Z(I)");
        EXPECT_EQ(d.ask("SELECT 1"), answer);
        EXPECT_EQ(runs("SELECT 1"), ++expected) << change;
        EXPECT_EQ(d.ask("SELECT 1"), answer);
        EXPECT_EQ(runs("SELECT 1"), expected) << "with the same settings it is the same";
    }
    client e = connect({{"application_name", "other"}});
    (void)e.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), ++expected);
    EXPECT_EQ(c.ask("SET ROLE auditor"), "C(SET) Z(I)");
    (void)c.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), expected) << "kept for that role above";
    EXPECT_EQ(c.ask("RESET ROLE"), "C(RESET) Z(I)");
    (void)c.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), expected);
}

TEST_F(the_query_cache, is_out_of_use_inside_a_transaction) {
    start_with();
    client c = connect();
    (void)c.ask("SELECT 1");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(c.ask("SELECT 2"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(runs("SELECT 1"), 2);
    EXPECT_EQ(c.ask("SELECT 2"), answer);
    EXPECT_EQ(runs("SELECT 2"), 2) << "what a transaction has read is not kept";
}

TEST_F(the_query_cache, keeps_provable_reads_only) {
    start_with("{rule_id: 1, cache_ttl: 60000}");
    client c = connect();
    for (const char* sql : {"INSERT 1", "SELECT unknown_function()", "SELECT a FROM t FOR UPDATE",
                            "SELECT pg_backend_pid()", "SELECT nextval('s')", "SHOW work_mem"})
        for (int i = 1; i <= 2; ++i) {
            (void)c.ask(sql);
            EXPECT_EQ(runs(sql), i) << sql;
        }
    EXPECT_EQ(counters().sets, 0u);
    EXPECT_EQ(counters().gets, 0u);
}

TEST_F(the_query_cache, keeps_only_what_a_rule_tells_it_to) {
    start_with("{rule_id: 1, match_pattern: keep, cache_ttl: 60000}");
    client c = connect();
    for (int i = 0; i < 2; ++i) {
        (void)c.ask("SELECT keep");
        (void)c.ask("SELECT other");
    }
    EXPECT_EQ(runs("SELECT keep"), 1);
    EXPECT_EQ(runs("SELECT other"), 2);
}

TEST_F(the_query_cache, keeps_no_errors_and_nothing_with_a_notice) {
    start_with();
    writer.on("SELECT bad", [](backend& b) {
        b.row("x");
        b.error("22012", "division by zero");
    });
    writer.on("SELECT loud", [](backend& b) {
        std::string notice;
        protocol::append_notice(notice, protocol::severity::notice, "00000", "look here");
        b.raw(notice);
        b.row("x");
        b.complete("SELECT 1");
    });
    client c = connect();
    for (int i = 1; i <= 2; ++i) {
        (void)c.ask("SELECT bad");
        (void)c.send(run("SELECT bad") + sync()).until_ready();
        EXPECT_EQ(runs("SELECT bad"), 2 * i);
        (void)c.ask("SELECT loud");
    }
    EXPECT_EQ(counters().entries, 0u);
}

TEST_F(the_query_cache, keeps_empty_results_unless_told_otherwise) {
    start_with(
        "{rule_id: 1, match_digest: '^select', cache_ttl: 60000},"
        "{rule_id: 2, match_pattern: never, cache_empty_result: 0}");
    const auto nothing = [](backend& b) { b.complete("SELECT 0"); };
    writer.on("SELECT none", [&](backend& b) {
        b.raw(std::string("T\0\0\0\6\0\0", 7));
        nothing(b);
    });
    writer.on("SELECT never", [&](backend& b) {
        b.raw(std::string("T\0\0\0\6\0\0", 7));
        nothing(b);
    });
    client c = connect();
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(c.ask("SELECT none"), "T C(SELECT 0) Z(I)");
        EXPECT_EQ(c.ask("SELECT never"), "T C(SELECT 0) Z(I)");
        EXPECT_EQ(c.ask("SELECT never AS a"), answer);
    }
    EXPECT_EQ(runs("SELECT none"), 1);
    EXPECT_EQ(runs("SELECT never"), 2);
    EXPECT_EQ(runs("SELECT never AS a"), 1) << "it has rows";
}

TEST_F(the_query_cache, keeps_no_result_above_the_threshold) {
    start_with("{rule_id: 1, match_digest: '^select', cache_ttl: 60000}",
               "threshold_resultset_size: 100000\n");
    for (const auto& [name, size] :
         {std::pair("SELECT small", 90000), std::pair("SELECT large", 100000)})
        writer.on(name, [size = size](backend& b) {
            b.row(std::string(static_cast<std::size_t>(size), 'x'));
            b.complete("SELECT 1");
        });
    client c = connect();
    for (int i = 0; i < 3; ++i) {
        (void)c.ask("SELECT small");
        (void)c.ask("SELECT large");
    }
    EXPECT_EQ(runs("SELECT small"), 1);
    EXPECT_EQ(runs("SELECT large"), 3);
}

TEST_F(the_query_cache, forgets_a_result_when_its_time_is_over) {
    start_with("{rule_id: 1, match_digest: '^select', cache_ttl: 1}");
    client c = connect();
    while (runs("SELECT 1") < 3)
        EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_GE(counters().purged, 2u);
}

TEST_F(the_query_cache, may_have_no_room_at_all) {
    start_with("{rule_id: 1, match_digest: '^select', cache_ttl: 60000}",
               "query_cache_size_MB: 0\n");
    client c = connect();
    for (int i = 1; i <= 2; ++i) {
        EXPECT_EQ(c.ask("SELECT 1"), answer);
        EXPECT_EQ(runs("SELECT 1"), i);
    }
}

TEST_F(the_query_cache, is_passed_by_with_strong_consistency) {
    start_with();
    client c = connect();
    (void)c.ask("SELECT 1");
    EXPECT_EQ(c.ask("SET howdah.read_consistency = 'strong'"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_EQ(runs("SELECT 1"), 3);
}

TEST_F(the_query_cache, is_of_no_use_to_a_session_that_keeps_its_server) {
    start_with("{rule_id: 1, match_digest: '^select', cache_ttl: 60000}", {}, "pool_mode: session");
    client c = connect();
    (void)c.ask("SELECT 1");
    (void)c.ask("SELECT 1");
    client d = connect({}, "bob");
    EXPECT_EQ(d.ask("LISTEN x"), "C(LISTEN) Z(I)");
    (void)d.ask("SELECT 1");
    (void)d.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), 4);
    EXPECT_EQ(counters().hits, 0u);
}

TEST_F(the_query_cache, keeps_the_order_of_a_pipeline) {
    start_with();
    client c = connect();
    (void)c.ask("SELECT 1");
    (void)c.send(run("SELECT 1") + sync()).until_ready();
    EXPECT_EQ(c.send(query("SELECT 1") + query("INSERT 1") + query("SELECT 1") + query("SELECT 1"))
                  .until_ready(4),
              answer + " C(INSERT 0 1) Z(I) " + answer + " " + answer);
    EXPECT_EQ(c.send(run("INSERT 2") + sync() + run("SELECT 1") + sync() + run("INSERT 3") + sync())
                  .until_ready(3),
              "1 2 C(INSERT 0 1) Z(I) " + whole_answer + " 1 2 C(INSERT 0 1) Z(I)");
    // Several statements in one batch belong together.
    const int before = runs("SELECT 1");
    EXPECT_EQ(c.send(run("SELECT 1") + run("SELECT 1") + sync()).until_ready(),
              "1 2 D(writer) C(SELECT 1) " + whole_answer);
    EXPECT_EQ(runs("SELECT 1"), before + 2);
}

TEST_F(the_query_cache, sends_a_large_result_to_a_client_that_asks_for_it_many_times_at_once) {
    start_with();
    const std::string large(200000, 'x');
    writer.on("SELECT large", [&](backend& b) {
        b.row(large);
        b.complete("SELECT 1");
    });
    client c = connect();
    (void)c.ask("SELECT large");
    std::string many;
    for (int i = 0; i < 100; ++i)
        many += query("SELECT large");
    c.send(many);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(c.until_ready(), "T D(" + large.substr(0, 40) + ") C(SELECT 1) Z(I)");
    EXPECT_EQ(runs("SELECT large"), 1);
}

TEST_F(the_query_cache, counts_its_answers_in_rules_and_digests) {
    start_with(
        "{rule_id: 1, match_digest: '^select', cache_ttl: 60000, next_query_flagIN: 5},"
        "{rule_id: 2, flagIN: 5, match_digest: '^select', cache_ttl: 60000}");
    client c = connect();
    client d = connect();
    (void)c.ask("SELECT 1");
    (void)d.ask("SELECT 1");
    (void)d.ask("SELECT 1");
    EXPECT_EQ(runs("SELECT 1"), 1);
    const auto hits = proxy::collect_rule_hits(app().shared());
    ASSERT_EQ(hits.size(), 2u);
    EXPECT_EQ(hits[0].hits, 2u);
    EXPECT_EQ(hits[1].hits, 1u) << "the flag of the rule before is in force";
    std::map<int, std::uint64_t> by_hostgroup;
    for (const proxy::digest_row& row : proxy::collect_digests(app().shared(), false).rows)
        by_hostgroup[row.key.hostgroup] += row.counts.count;
    EXPECT_EQ(by_hostgroup[-1], 2u);
}

TEST_F(the_query_cache, is_not_confused_by_an_answer_that_is_given_up_for_another_servers) {
    add_reader("r1");
    add_reader("r2");
    start_with();
    for (fake_server& r : readers)
        r.on("SELECT 1",
             [](backend& b) { b.error("25006", "cannot execute in a read-only transaction"); });
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), answer) << "the writer's, after a reader has refused it";
    EXPECT_EQ(c.ask("SELECT 1"), answer);
    EXPECT_EQ(runs("SELECT 1"), 2) << "it is known as a write now and not kept";
    readers.front().on("SELECT a FROM t", [](backend& b) { b.close(); });
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(c.ask("SELECT a FROM t"), "T D(r2) C(SELECT 1) Z(I)")
            << "run again where its server is lost, and kept";
    EXPECT_EQ(readers.back().count("Q SELECT a FROM t"), 1);
}

}  // namespace
}  // namespace howdah::tests
