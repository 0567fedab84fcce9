#include <algorithm>

#include "proxy/gather.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string inserted = "C(INSERT 0 1) Z(I)";

class mirrors : public loopback {
protected:
    /// What is mirrored goes to the reader, which stands for any other server.
    void start_with(const std::string& rules, const std::string& variables = {}) {
        start({.variables = variables,
               .user = "",
               .more_users = "",
               .sections = "query_rules: [" + rules + "]\n"});
    }
    proxy::mirror_counters counters() {
        return proxy::gather_counters(app().shared()).front().mirror;
    }
    template <class Done>
    void wait_until(Done done) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (!done(counters()))
            if (std::chrono::steady_clock::now() > end) throw std::runtime_error("not in time");
    }
    fake_server& copy() { return readers.front(); }
};

TEST_F(mirrors, run_what_clients_run_in_both_protocols) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (1)"), inserted);
    const auto all_done = [](const auto& n) { return n.running == 0 && n.queued == 0; };
    copy().wait_for("Q INSERT INTO t VALUES (1)");
    wait_until(all_done);
    EXPECT_EQ(c.send(run("INSERT INTO t VALUES (2)") + sync()).until_ready(), "1 2 " + inserted);
    copy().wait_for("P |INSERT INTO t VALUES (2)");
    copy().wait_for("E ");
    wait_until(all_done);
    EXPECT_EQ(c.send(parse("s", "INSERT INTO t VALUES (3)") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(copy().count("P |INSERT INTO t VALUES (3)"), 0) << "only what is run is mirrored";
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 " + inserted);
    copy().wait_for("P |INSERT INTO t VALUES (3)");
    copy().wait_for("E ", 2);
    EXPECT_EQ(writer.count("Q INSERT INTO t VALUES (1)"), 1);
    wait_until(all_done);
    EXPECT_EQ(counters().sent, 3u);
    EXPECT_EQ(counters().failed, 0u);
    EXPECT_EQ(copy().logins(), 1) << "the connection goes back to the pool";
}

TEST_F(mirrors, are_not_noticed_by_clients) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}");
    copy().on("INSERT INTO fails VALUES (1)",
              [](backend& b) { b.error("23505", "duplicate key"); });
    copy().on("INSERT INTO dies VALUES (1)", [](backend& b) { b.close(); });
    event& go_on = make_event();
    copy().on("INSERT INTO hangs VALUES (1)", [&](backend& b) {
        go_on.wait();
        b.complete("INSERT 0 1");
    });
    client c = connect();
    for (const char* sql : {"INSERT INTO fails VALUES (1)", "INSERT INTO dies VALUES (1)",
                            "INSERT INTO hangs VALUES (1)", "INSERT INTO t VALUES (1)"})
        EXPECT_EQ(c.ask(sql), inserted) << sql;
    copy().wait_for("Q INSERT INTO t VALUES (1)");
    go_on.set();
    wait_until([](const auto& n) { return n.running == 0; });
    EXPECT_EQ(counters().sent, 4u);
    EXPECT_EQ(counters().failed, 2u);
}

TEST_F(mirrors, do_without_a_server_that_is_not_there) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}");
    copy().refuse_logins("57P03", "the database system is starting up");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (1)"), inserted);
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (2)"), inserted);
    wait_until([](const auto& n) { return n.failed == 2; });
    copy().refuse_logins("", "");
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (3)"), inserted);
    copy().wait_for("Q INSERT INTO t VALUES (3)");
}

TEST_F(mirrors, drop_what_finds_no_room) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}",
               "mirror_max_concurrency: 1\nmirror_max_queue_length: 2\n");
    event& go_on = make_event();
    copy().on("INSERT INTO hangs VALUES (1)", [&](backend& b) {
        go_on.wait();
        b.complete("INSERT 0 1");
    });
    client c = connect();
    EXPECT_EQ(c.ask("INSERT INTO hangs VALUES (1)"), inserted);
    copy().wait_for("Q INSERT INTO hangs VALUES (1)");
    for (int i = 1; i <= 5; ++i)
        EXPECT_EQ(c.ask("INSERT INTO t VALUES (" + std::to_string(i) + ")"), inserted);
    EXPECT_EQ(counters().running, 1u);
    EXPECT_EQ(counters().queued, 2u);
    EXPECT_EQ(counters().dropped, 3u);
    go_on.set();
    copy().wait_for("Q INSERT INTO t VALUES (2)");
    EXPECT_EQ(copy().count("Q INSERT INTO t VALUES (3)"), 0);
}

TEST_F(mirrors, run_under_the_settings_of_the_session) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}");
    client c = connect();
    EXPECT_EQ(c.ask("SET search_path TO other"), "C(SET) Z(I)");
    EXPECT_EQ(c.ask("INSERT INTO t VALUES (1)"), inserted);
    copy().wait_for("Q INSERT INTO t VALUES (1)");
    const auto seen = copy().seen_messages();
    const auto statement = std::find(seen.begin(), seen.end(), "Q INSERT INTO t VALUES (1)");
    ASSERT_NE(statement, seen.begin());
    EXPECT_NE(std::prev(statement)->find("search_path"), std::string::npos)
        << *std::prev(statement);
}

TEST_F(mirrors, run_nothing_that_is_more_than_a_statement_on_data) {
    add_reader("copy");
    start_with("{rule_id: 1, mirror_hostgroup: 20}");
    client c = connect();
    for (const char* sql :
         {"BEGIN", "INSERT INTO t VALUES (1)", "SAVEPOINT a", "COMMIT", "SET a.b = 'c'", "LISTEN x",
          "CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (2)"})
        (void)c.ask(sql);
    copy().wait_for("Q INSERT INTO t VALUES (1)");
    copy().wait_for("Q INSERT INTO t VALUES (2)");
    for (const std::string& message : copy().seen_messages())
        EXPECT_TRUE(message.starts_with("Q INSERT INTO t VALUES") ||
                    message.starts_with("Q SET \"a\"") || message.starts_with("X"))
            << message;
    EXPECT_EQ(copy().count("Q INSERT INTO t VALUES (1)"), 1)
        << "by itself, outside of the transaction";
    for (const char* sql :
         {"BEGIN", "FAIL", "INSERT INTO t VALUES (3)", "ROLLBACK", "INSERT INTO t VALUES (4)"})
        (void)c.ask(sql);
    copy().wait_for("Q INSERT INTO t VALUES (4)");
    EXPECT_EQ(copy().count("Q INSERT INTO t VALUES (3)"), 0) << "its transaction had failed";
}

TEST_F(mirrors, may_be_chosen_and_rewritten_by_rules_of_their_own) {
    add_reader("copy");
    start_with(
        "{rule_id: 1, match_digest: '^insert', mirror_flagOUT: 7},"
        "{rule_id: 2, flagIN: 7, match_pattern: secret, error_msg: 'not mirrored'},"
        "{rule_id: 3, flagIN: 7, match_pattern: 'table_a', replace_pattern: 'table_b',"
        " destination_hostgroup: 20}");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT INTO table_a DEFAULT VALUES"), inserted);
    EXPECT_EQ(c.ask("INSERT INTO secret DEFAULT VALUES"), inserted);
    EXPECT_EQ(c.send(run("INSERT INTO table_a SELECT 1") + sync()).until_ready(),
              "1 2 " + inserted);
    copy().wait_for("Q INSERT INTO table_b DEFAULT VALUES");
    copy().wait_for("P |INSERT INTO table_b SELECT 1");
    EXPECT_EQ(copy().count("Q INSERT INTO secret DEFAULT VALUES"), 0);
    EXPECT_EQ(writer.count("Q INSERT INTO table_a DEFAULT VALUES"), 1);
}

TEST_F(mirrors, leave_no_statement_behind_on_their_connection) {
    add_reader("copy");
    start_with("{rule_id: 1, match_pattern: mirrored, mirror_hostgroup: 20}");
    client c = connect();
    (void)c.send(run("INSERT INTO mirrored VALUES (1)") + sync()).until_ready();
    copy().wait_for("E ");
    wait_until([](const auto& n) { return n.running == 0; });
    // A client that reads there, and has no unnamed statement.
    client d = connect();
    EXPECT_EQ(d.send(parse("s", "SELECT 1") + bind("", "s") + execute("") + sync()).until_ready(),
              "1 2 D(copy) C(SELECT 1) Z(I)");
    EXPECT_EQ(d.send(bind("", "") + execute("") + sync()).until_ready(), "E(26000) Z(I)");
}

TEST_F(mirrors, end_with_the_process) {
    add_reader("copy");
    start_with("{rule_id: 1, match_digest: '^insert', mirror_hostgroup: 20}");
    event& go_on = make_event();
    copy().on("INSERT INTO hangs VALUES (1)", [&](backend& b) {
        go_on.wait();
        b.complete("INSERT 0 1");
    });
    {
        client c = connect();
        EXPECT_EQ(c.ask("INSERT INTO hangs VALUES (1)"), inserted);
        copy().wait_for("Q INSERT INTO hangs VALUES (1)");
    }
    stop();
}

}  // namespace
}  // namespace howdah::tests
