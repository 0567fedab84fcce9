#include <algorithm>
#include <future>
#include <map>

#include "proxy/sql/digest.hpp"
#include "proxy/statistics/collect.hpp"
#include "proxy/worker.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

class digests : public loopback {
protected:
    proxy::digest_report report(bool reset = false) {
        return proxy::collect_digests(app().shared(), reset);
    }
    /// "hostgroup user text: count/errors affected/sent", sorted.
    std::vector<std::string> in_words(bool reset = false) {
        std::vector<std::string> lines;
        for (const proxy::digest_row& row : report(reset).rows) {
            const proxy::digest_counts& c = row.counts;
            lines.push_back(std::to_string(row.key.hostgroup) + " " + row.key.login->user + " " +
                            row.digest->text + ": " + std::to_string(c.count) + "/" +
                            std::to_string(c.errors) + " " + std::to_string(c.rows_affected) + "/" +
                            std::to_string(c.rows_sent));
        }
        std::sort(lines.begin(), lines.end());
        return lines;
    }
};

using lines = std::vector<std::string>;

TEST_F(digests, count_statements_of_both_protocols_where_they_were_run) {
    add_reader("r1");
    start({.variables = "",
           .user = "",
           .more_users = "  - {username: bob, password: x, default_hostgroup: 10}\n"});
    client c = connect();
    client bob = connect({}, "bob");
    (void)c.ask("SELECT 1");
    (void)c.ask("SELECT 'two'");
    (void)bob.ask("SELECT 3");
    (void)c.send(run("INSERT INTO t VALUES (1)") + sync()).until_ready();
    (void)c.send(parse("s", "INSERT INTO t VALUES (2)") + sync()).until_ready();
    for (int i = 0; i < 3; ++i)
        (void)c.send(bind("", "s") + execute("") + sync()).until_ready();
    (void)c.send(bind("p", "s") + execute("p") + sync()).until_ready();
    EXPECT_EQ(in_words(), (lines{"10 alice insert into t values (?): 5/0 5/0",
                                 "20 alice select ?: 2/0 0/2", "20 bob select ?: 1/0 0/1"}));
}

TEST_F(digests, count_what_failed_and_not_what_was_skipped) {
    start();
    client c = connect();
    (void)c.ask("FAIL");
    (void)c.send(run("INSERT 1") + run("FAIL") + run("INSERT 2") + sync()).until_ready();
    (void)c.send(run("SYNTAX") + sync()).until_ready();
    EXPECT_EQ(in_words(), (lines{"10 alice fail: 2/2 0/0", "10 alice insert ?: 1/0 1/0"}));
}

TEST_F(digests, know_how_long_statements_took_and_when_they_were_seen) {
    start();
    const std::int64_t before = std::time(nullptr);
    client c = connect();
    for (int i = 0; i < 4; ++i)
        (void)c.ask("INSERT 1");
    (void)c.send(query("INSERT 1") + query("INSERT 1")).until_ready(2);
    const auto rows = report().rows;
    ASSERT_EQ(rows.size(), 1U);
    const proxy::digest_counts& n = rows.front().counts;
    EXPECT_EQ(n.count, 6U);
    EXPECT_GT(n.max_time, 0U);
    EXPECT_LE(n.min_time, n.max_time);
    EXPECT_GE(n.sum_time, n.max_time);
    EXPECT_LE(n.sum_time, 6 * n.max_time);
    EXPECT_GE(n.times.percentile(1.0), n.max_time);
    EXPECT_GE(n.first_seen, before);
    EXPECT_GE(n.last_seen, n.first_seen);
    EXPECT_EQ(rows.front().key.digest, proxy::sql::compute_digest("INSERT 1").hash);
}

TEST_F(digests, of_a_statement_whose_server_is_lost_count_an_error) {
    start();
    writer.on("INSERT lost", [](backend& b) { b.close(); });
    client c = connect();
    EXPECT_EQ(c.ask("INSERT lost"), "E(08006) Z(I)");
    EXPECT_EQ(in_words(), lines{"10 alice insert lost: 1/1 0/0"});
}

TEST_F(digests, are_those_of_what_was_run) {
    start({.variables = "",
           .user = "",
           .more_users = "",
           .sections = "query_rules:\n"
                       "  - {rule_id: 1, match_pattern: alias, replace_pattern: 'name'}\n"
                       "  - {rule_id: 2, match_digest: '^notify', OK_msg: done}\n"
                       "  - {rule_id: 3, match_digest: '^delete', error_msg: no}\n"});
    client c = connect();
    (void)c.ask("INSERT alias");
    (void)c.send(run("INSERT alias") + sync()).until_ready();
    (void)c.ask("NOTIFY x");
    (void)c.ask("DELETE 1");
    EXPECT_EQ(in_words(), lines{"10 alice insert name: 2/0 2/0"});
}

TEST_F(digests, leave_out_what_howdah_itself_asks_servers) {
    start();
    client c = connect({{"application_name", "app"}});
    (void)c.ask("LISTEN news");
    (void)c.ask("UNLISTEN news");
    for (const std::string& line : in_words())
        EXPECT_EQ(line.find("set_config"), line.npos) << line;
    EXPECT_EQ(report().rows.size(), 2U);
}

TEST_F(digests, of_all_workers_are_added_up_and_begin_anew) {
    start({.variables = "", .user = "", .more_users = "", .threads = 3});
    std::list<client> clients;
    for (int i = 0; i < 12; ++i)
        (void)clients.emplace_back(connect()).ask("INSERT 1");
    EXPECT_EQ(in_words(), lines{"10 alice insert ?: 12/0 12/0"});
    EXPECT_EQ(in_words(true), lines{"10 alice insert ?: 12/0 12/0"});
    EXPECT_EQ(in_words(), lines{});
    (void)clients.front().ask("INSERT 1");
    EXPECT_EQ(in_words(), lines{"10 alice insert ?: 1/0 1/0"});
}

TEST_F(digests, may_tell_client_addresses_apart) {
    start({.variables = "query_digests_track_hostname: true\n", .user = "", .more_users = ""});
    client c = connect();
    (void)c.ask("INSERT 1");
    ASSERT_EQ(report().rows.size(), 1U);
    EXPECT_EQ(report().rows.front().key.client_address, "127.0.0.1");
}

TEST_F(digests, are_bounded_in_number) {
    start({.variables = "query_digests_max_entries: 2\n", .user = "", .more_users = ""});
    client c = connect();
    for (const char* sql : {"INSERT a", "INSERT b", "INSERT c", "INSERT a"})
        (void)c.ask(sql);
    EXPECT_EQ(in_words(), (lines{"10 alice insert a: 2/0 2/0", "10 alice insert b: 1/0 1/0"}));
    EXPECT_EQ(report().dropped, 1U);
}

TEST_F(digests, may_be_off) {
    start({.variables = "query_digests: false\n", .user = "", .more_users = ""});
    client c = connect();
    (void)c.ask("INSERT 1");
    (void)c.send(run("INSERT 1") + sync()).until_ready();
    EXPECT_TRUE(report().rows.empty());
}

TEST_F(digests, add_up_the_hits_of_rules_over_all_workers) {
    start({.variables = "",
           .user = "",
           .more_users = "",
           .sections = "query_rules: [{rule_id: 4, match_digest: '^insert'}, {rule_id: 5}]\n",
           .threads = 3});
    std::list<client> clients;
    for (int i = 0; i < 9; ++i)
        (void)clients.emplace_back(connect()).ask(i % 3 == 0 ? "SELECT 1" : "INSERT 1");
    EXPECT_EQ(proxy::collect_rule_hits(app().shared()),
              (std::vector<proxy::rule_hits::row>{{4, 6}, {5, 9}}));
}

}  // namespace
}  // namespace howdah::tests
