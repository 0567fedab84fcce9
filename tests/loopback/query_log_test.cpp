#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "conf/rule_values.hpp"
#include "protocol/wire/messages.hpp"
#include "proxy/gather.hpp"
#include "proxy/sql/digest.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using json = nlohmann::json;

class the_query_log : public loopback {
protected:
    void start_with(const std::string& rules, const std::string& variables = {}) {
        start({.variables = "eventslog_filename: " + file_ + "\n" + variables,
               .user = "",
               .more_users = "",
               .sections = "query_rules: [" + rules + "]\n"});
    }
    std::vector<json> events() {
        app().shared().log.flush();
        std::ifstream file(file_);
        std::vector<json> out;
        for (std::string line; std::getline(file, line);)
            out.push_back(json::parse(line));
        return out;
    }
    /// The statements, in their order.
    std::vector<std::string> statements() {
        std::vector<std::string> out;
        for (const json& event : events())
            out.push_back(event.at("query"));
        return out;
    }
    std::uint64_t slow_queries() {
        return proxy::gather_counters(app().shared()).front().slow_queries;
    }

    temporary_folder folder_;
    const std::string file_ = folder_.path("queries.log");
};
using texts = std::vector<std::string>;

TEST_F(the_query_log, has_what_rules_tell_it_to) {
    start_with("{rule_id: 1, match_pattern: logged, log: 1}");
    client c = connect();
    (void)c.ask("SELECT 1 AS logged");
    (void)c.ask("SELECT 2");
    (void)c.send(run("INSERT logged") + sync()).until_ready();
    (void)c.send(parse("s", "SELECT $1 AS logged") + sync()).until_ready();
    (void)c.send(bind("", "s") + execute("") + sync()).until_ready();
    const auto all = events();
    ASSERT_EQ(all.size(), 3u);
    const json& first = all[0];
    EXPECT_EQ(first.at("event"), "query");
    EXPECT_EQ(first.at("query"), "SELECT 1 AS logged");
    EXPECT_EQ(first.at("username"), "alice");
    EXPECT_EQ(first.at("hostgroup_id"), 10);
    EXPECT_EQ(first.at("server"), "127.0.0.1:" + std::to_string(writer.port()));
    EXPECT_EQ(first.at("digest"),
              conf::format_digest(proxy::sql::compute_digest("SELECT 1 AS logged").hash));
    EXPECT_EQ(first.at("rows_sent"), 1);
    EXPECT_EQ(first.at("thread_id"), c.pid());
    EXPECT_TRUE(first.at("client").get<std::string>().starts_with("127.0.0.1:"));
    EXPECT_LE(first.at("starttime_timestamp_us"), first.at("endtime_timestamp_us"));
    EXPECT_EQ(all[1].at("event"), "execute");
    EXPECT_EQ(all[1].at("rows_affected"), 1);
    EXPECT_EQ(all[2].at("query"), "SELECT $1 AS logged");
    EXPECT_FALSE(all[2].contains("parameters")) << "unless asked for";
}

TEST_F(the_query_log, has_everything_by_default_if_told_so_but_what_a_rule_excludes) {
    start_with("{rule_id: 1, match_pattern: quiet, log: 0}", "eventslog_default_log: true\n");
    client c = connect();
    for (const char* sql : {"SELECT 1", "SELECT quiet", "INSERT 2"})
        (void)c.ask(sql);
    EXPECT_EQ(statements(), (texts{"SELECT 1", "INSERT 2"}));
}

TEST_F(the_query_log, tells_errors_by_their_sqlstate) {
    start_with("{rule_id: 1, log: 1}");
    writer.on("SELECT fails", [](backend& b) { b.error("42P01", "relation does not exist"); });
    client c = connect();
    (void)c.ask("SELECT fails");
    (void)c.ask("SELECT 1");
    (void)c.send(run("SELECT fails") + sync()).until_ready();
    const auto all = events();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].at("sqlstate"), "42P01");
    EXPECT_FALSE(all[1].contains("sqlstate"));
    EXPECT_EQ(all[2].at("sqlstate"), "42P01");
}

TEST_F(the_query_log, has_slow_statements_whatever_rules_say) {
    start_with("{rule_id: 1, log: 0}", "long_query_time: 20\neventslog_rate_limit: 1000\n");
    writer.on("SELECT slow", [](backend& b) {
        std::this_thread::sleep_for(std::chrono::milliseconds(40));
        b.row("x");
        b.complete("SELECT 1");
    });
    client c = connect();
    for (int i = 0; i < 2; ++i)
        (void)c.ask("SELECT slow");
    const auto all = events();
    ASSERT_GE(all.size(), 2u);
    EXPECT_EQ(all[0].at("query"), "SELECT slow");
    EXPECT_EQ(all[0].at("slow"), true);
    EXPECT_GE(all[0].at("duration_us"), 20000);
    EXPECT_GE(slow_queries(), 2u);
}

TEST_F(the_query_log, has_a_sample_of_what_is_asked_for) {
    start_with("{rule_id: 1, log: 1}", "eventslog_rate_limit: 4\n");
    client c = connect();
    for (int i = 0; i < 10; ++i)
        (void)c.ask("SELECT " + std::to_string(i));
    EXPECT_EQ(statements(), (texts{"SELECT 0", "SELECT 4", "SELECT 8"}));
}

TEST_F(the_query_log, has_parameters_where_they_are_wanted_and_cuts_long_statements) {
    start_with("{rule_id: 1, log: 1}",
               "eventslog_parameters: true\neventslog_buffer_max_query_length: 1024\n");
    client c = connect();
    std::string tail("\0\0\0\2\0\0\0\3abc\xff\xff\xff\xff\0\0", 17);
    std::string bound;
    protocol::append_bind_prefix(bound, {}, {}, tail.size());
    (void)c.send(parse("", "SELECT $1, $2") + bound + tail + execute("") + sync()).until_ready();
    (void)c.ask("SELECT '" + std::string(2000, 'x') + "'");
    const auto all = events();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].at("parameters"), json::parse(R"(["abc", null])"));
    EXPECT_EQ(all[1].at("query").get<std::string>().size(), 1024u);
}

TEST_F(the_query_log, works_without_digests_and_knows_what_the_cache_has_answered) {
    start_with("{rule_id: 1, log: 1, cache_ttl: 60000}", "query_digests: false\n");
    client c = connect();
    (void)c.ask("SELECT 1");
    (void)c.ask("SELECT 1");
    const auto all = events();
    ASSERT_EQ(all.size(), 2u);
    EXPECT_FALSE(all[0].contains("digest"));
    EXPECT_FALSE(all[0].contains("cached"));
    EXPECT_EQ(all[1].at("cached"), true);
    EXPECT_EQ(all[1].at("hostgroup_id"), -1);
    EXPECT_EQ(all[1].at("query"), "SELECT 1");
    EXPECT_EQ(all[1].at("rows_sent"), 1);
    EXPECT_FALSE(all[1].contains("server"));
}

TEST_F(the_query_log, is_not_there_unless_it_has_a_file) {
    start({.variables = "",
           .user = "",
           .more_users = "",
           .sections = "query_rules: [{rule_id: 1, log: 1}]\n"});
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(app().shared().log.written() + app().shared().log.dropped(), 0u);
}

}  // namespace
}  // namespace howdah::tests
