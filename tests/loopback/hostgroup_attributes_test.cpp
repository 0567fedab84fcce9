#include <algorithm>
#include <chrono>

#include "proxy/gather.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;
const std::string inserted = "C(INSERT 0 1) Z(I)";

class hostgroup_attributes : public loopback {
protected:
    /// `entries` are rows of the section; by default one for the writer's hostgroup.
    void start_with(const std::string& entries, int max_connections = 80,
                    const std::string& variables = {}, int threads = 1) {
        start({.variables = variables,
               .user = "",
               .more_users = "",
               .sections = "hostgroup_attributes: [" + entries + "]\n",
               .threads = threads,
               .max_connections = max_connections});
    }
    /// The reasons for which clients keep their servers.
    std::vector<std::uint16_t> pins() {
        std::vector<std::uint16_t> out;
        for (const proxy::client_report& r : proxy::gather_clients(app().shared()))
            out.push_back(r.pins);
        std::ranges::sort(out);
        return out;
    }
    void wait_for_idle(std::size_t n) {
        const auto end = std::chrono::steady_clock::now() + patience;
        while (proxy::gather_idle(app().shared()).size() != n)
            if (std::chrono::steady_clock::now() > end) throw std::runtime_error("not in time");
    }
};

constexpr auto by_hostgroup = static_cast<std::uint16_t>(proxy::sql::pin_reason::hostgroup);

TEST_F(hostgroup_attributes, parameters_of_init_connect_are_the_sessions_own_defaults) {
    start_with("{hostgroup_id: 10, init_connect: \"SET app.tag TO 'x'; SET work_mem TO '1MB'\"}");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.startup().at("app.tag"), "x");
    EXPECT_EQ(writer.startup().at("work_mem"), "1MB");
    EXPECT_EQ(writer.seen_messages(), strings{"Q INSERT 1"}) << "there is nothing else to run";
}

TEST_F(hostgroup_attributes, init_connect_is_run_once_for_each_new_connection_and_before_all_else) {
    start_with("{hostgroup_id: 10, init_connect: 'SELECT begin_session()'}");
    client a = connect();
    client b = connect();
    EXPECT_EQ(a.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(b.ask("INSERT 1"), inserted);
    EXPECT_EQ(b.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.seen(),
              (strings{"1:Q SELECT begin_session()", "1:Q BEGIN", "2:Q SELECT begin_session()",
                       "2:Q INSERT 1", "2:Q INSERT 2"}));
}

TEST_F(hostgroup_attributes, other_hostgroups_do_not_run_it) {
    add_reader("reader");
    start_with("{hostgroup_id: 20, init_connect: 'SELECT begin_session()'}");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(c.ask("SELECT 1"), "T D(reader) C(SELECT 1) Z(I)");
    EXPECT_EQ(writer.seen_messages(), strings{"Q INSERT 1"});
    EXPECT_EQ(readers.front().seen_messages(), (strings{"Q SELECT begin_session()", "Q SELECT 1"}));
}

TEST_F(hostgroup_attributes, a_failing_init_connect_is_the_clients_error_and_names_the_cause) {
    writer.on("SELECT begin_session()",
              [](backend& b) { b.error("42883", "function begin_session() does not exist"); });
    start_with("{hostgroup_id: 10, init_connect: 'SELECT begin_session()'}");
    client c(port());
    EXPECT_EQ(c.log_in("alice"), "E(42883) closed");
    EXPECT_NE(c.error_text().find("init_connect failed: "), std::string::npos) << c.error_text();
    EXPECT_NE(c.error_text().find("begin_session() does not exist"), std::string::npos);
    wait_for_permits(0);
}

TEST_F(hostgroup_attributes, an_init_connect_that_copies_is_given_up) {
    writer.on("SELECT begin_session()", [](backend& b) { b.copy_in(); });
    start_with("{hostgroup_id: 10, init_connect: 'SELECT begin_session()'}");
    client c(port());
    EXPECT_EQ(c.log_in("alice"), "E(0A000) closed");
    EXPECT_NE(c.error_text().find("init_connect must not COPY"), std::string::npos);
    wait_for_permits(0);
}

TEST_F(hostgroup_attributes, it_is_run_again_after_what_a_session_left_behind_was_discarded) {
    start_with("{hostgroup_id: 10, init_connect: 'SELECT begin_session()'}");
    {
        client leaving = connect();
        (void)leaving.ask("LOAD 'x'");
    }
    writer.wait_for("Q SELECT begin_session()", 2);
    client next = connect();
    EXPECT_EQ(next.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.seen_messages(),
              (strings{"Q SELECT begin_session()", "Q LOAD 'x'", "Q DISCARD ALL",
                       "Q SELECT begin_session()", "Q INSERT 1"}));
    EXPECT_EQ(writer.logins(), 1);
}

TEST_F(hostgroup_attributes, a_connection_whose_client_discarded_it_is_not_given_to_the_next) {
    start_with("{hostgroup_id: 10, init_connect: 'SELECT begin_session()'}");
    client c = connect();
    EXPECT_EQ(c.ask("DISCARD ALL"), "C(DISCARD ALL) Z(I)");
    writer.wait_for_closed(1);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.seen(), (strings{"1:Q SELECT begin_session()", "1:Q DISCARD ALL",
                                      "2:Q SELECT begin_session()", "2:Q INSERT 1"}));
}

TEST_F(hostgroup_attributes, without_multiplexing_clients_share_no_connection_and_it_is_seen_why) {
    start_with("{hostgroup_id: 10, multiplex: 0}");
    {
        client a = connect();
        client b = connect();
        EXPECT_EQ(a.ask("INSERT a"), inserted);
        EXPECT_EQ(b.ask("INSERT b"), inserted);
        EXPECT_EQ(a.ask("INSERT a"), inserted);
        EXPECT_EQ(a.send(run("INSERT a") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
        EXPECT_EQ(writer.seen(), (strings{"1:Q INSERT a", "2:Q INSERT b", "1:Q INSERT a",
                                          "1:P |INSERT a", "1:B |", "1:E ", "1:S"}));
        EXPECT_EQ(pins(), (std::vector<std::uint16_t>{by_hostgroup, by_hostgroup}));
    }
    // They left nothing behind: others may have their connections.
    wait_for_idle(2);
    client c = connect();
    EXPECT_EQ(c.ask("INSERT c"), inserted);
    EXPECT_EQ(writer.logins(), 2);
    EXPECT_EQ(writer.count("Q DISCARD ALL"), 0);
}

TEST_F(hostgroup_attributes, a_kept_reader_is_given_back_when_a_write_needs_the_writer) {
    fake_server& reader = add_reader("reader");
    start_with("{hostgroup_id: 20, multiplex: 0}", 1);
    client a = connect();
    client b = connect();
    EXPECT_EQ(a.ask("SELECT 1"), "T D(reader) C(SELECT 1) Z(I)");
    EXPECT_EQ(pins(), (std::vector<std::uint16_t>{0, by_hostgroup}));
    b.send(query("SELECT 2"));
    wait_for_waiters(1);
    EXPECT_EQ(a.ask("INSERT 1"), inserted);
    EXPECT_EQ(b.until_ready(), "T D(reader) C(SELECT 1) Z(I)");
    EXPECT_EQ(reader.logins(), 1);
    EXPECT_EQ(writer.count("Q INSERT 1"), 1);
}

TEST_F(hostgroup_attributes, a_kept_connection_that_is_lost_is_replaced_without_an_error) {
    start_with("{hostgroup_id: 10, multiplex: 0}");
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    writer.drop_all();
    writer.wait_for_closed(1);
    wait_for_permits(0);
    EXPECT_EQ(c.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.logins(), 2);
}

TEST_F(hostgroup_attributes, connections_above_the_rate_are_opened_later) {
    start_with("{hostgroup_id: 10, throttle_connections_per_sec: 1}", 80, {}, 2);
    const auto begin = std::chrono::steady_clock::now();
    client a = connect();
    client b = connect();
    EXPECT_EQ(a.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(b.ask("BEGIN"), "C(BEGIN) Z(T)");
    // Not how fast, but that it cannot be faster.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
    EXPECT_EQ(writer.peak(), 2);
}

TEST_F(hostgroup_attributes, who_waits_for_the_rate_takes_what_becomes_free_and_no_permit_is_lost) {
    start_with("{hostgroup_id: 10, throttle_connections_per_sec: 1}", 2);
    client a = connect();
    client b = connect();
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(a.ask("BEGIN"), "C(BEGIN) Z(T)");
        b.send(query("INSERT b"));
        EXPECT_EQ(a.ask("COMMIT"), "C(COMMIT) Z(I)");
        EXPECT_EQ(b.until_ready(), inserted);
    }
    // What was ordered and is not needed any more gives its permit back: both can be had.
    client c = connect();
    EXPECT_EQ(a.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(b.ask("BEGIN"), "C(BEGIN) Z(T)");
    c.send(query("INSERT c"));
    wait_for_waiters(1);
    wait_for_permits(2);
    EXPECT_EQ(a.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(c.until_ready(), inserted);
}

TEST_F(hostgroup_attributes, connections_that_nobody_needs_are_closed_down_to_the_share) {
    start_with("{hostgroup_id: 10, free_connections_pct: 10}", 10);
    std::vector<client> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(connect());
        EXPECT_EQ(all.back().ask("BEGIN"), "C(BEGIN) Z(T)");
    }
    wait_for_permits(4);
    for (client& c : all)
        EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    writer.wait_for_closed(3);
    wait_for_permits(1);
    EXPECT_EQ(all.front().ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.logins(), 4) << "the one that is left serves";
}

TEST_F(hostgroup_attributes, the_first_use_of_a_server_warms_it_up_to_the_share) {
    start_with("{hostgroup_id: 10, connection_warming: 1, free_connections_pct: 50}", 6);
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    wait_for_idle(3);
    client b = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(b.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.logins(), 3) << "there was one in store";
}

TEST_F(hostgroup_attributes, ignored_variables_are_not_set_on_the_connections) {
    start_with(
        "{hostgroup_id: 10, ignore_session_variables: '[\"application_name\", \"app.tag\"]'}");
    client c = connect({{"application_name", "one"}});
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.seen_messages(), strings{"Q INSERT 1"});
    // What a client sets itself it has, on the connection on which it did; the next one does not.
    client holder = connect();
    EXPECT_EQ(c.ask("SET app.tag TO 'mine'"), "C(SET) Z(I)");
    EXPECT_EQ(holder.ask("INSERT 2"), inserted);
    EXPECT_EQ(c.ask("INSERT 3"), inserted);
    EXPECT_EQ(writer.seen_messages(),
              (strings{"Q INSERT 1", "Q SET app.tag TO 'mine'", "Q RESET \"app\".\"tag\"",
                       "Q INSERT 2", "Q INSERT 3"}));
}

TEST_F(hostgroup_attributes, a_hostgroup_with_too_many_servers_online_takes_no_reads) {
    add_reader("one");
    add_reader("two");
    start_with("{hostgroup_id: 20, max_num_online_servers: 1}");
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
    for (const fake_server& r : readers)
        EXPECT_EQ(r.logins(), 0);
}

TEST_F(hostgroup_attributes, a_client_of_an_overfull_hostgroup_is_told_so) {
    start_with("{hostgroup_id: 10, max_num_online_servers: 0}", 80,
               "connect_timeout_server_max: 100\n");
    client c(port());
    EXPECT_EQ(c.log_in("alice"), "E(08001) closed");
    EXPECT_NE(c.error_text().find("more than its max_num_online_servers (0)"), std::string::npos)
        << c.error_text();
    EXPECT_EQ(writer.logins(), 0);
}

}  // namespace
}  // namespace howdah::tests
