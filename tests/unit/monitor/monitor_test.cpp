#include "monitor/monitor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <thread>

#include "conf/settings.hpp"
#include "tests/unit/monitor/fake_server.hpp"

namespace howdah::monitor {
namespace {

using namespace test;
using manner = fake_server::manner;
using std::chrono::milliseconds;

/// A primary and a standby that follow a script, and the monitor that watches them.
class MonitorLoop : public testing::Test {
protected:
    MonitorLoop() {
        spdlog::set_level(spdlog::level::off);
        second.standby = true;
    }
    ~MonitorLoop() override { spdlog::set_level(spdlog::level::info); }

    std::shared_ptr<conf::settings> make_settings() {
        auto out = std::make_shared<conf::settings>();
        out->replication_hostgroups = {{10, 20, ""}};
        out->servers.resize(2);
        for (std::size_t i = 0; i < 2; ++i) {
            const auto at = i == 0 ? first.at() : second.at();
            out->servers[i].hostgroup_id = i == 0 ? 10 : 20;
            out->servers[i].hostname = at.host;
            out->servers[i].port = at.port;
        }
        out->vars.server_sslmode = conf::server_sslmode::disable;
        out->vars.monitor_ping_interval = milliseconds(5);
        out->vars.monitor_read_only_interval = milliseconds(5);
        out->vars.monitor_ping_timeout = milliseconds(200);
        out->vars.monitor_connect_timeout = milliseconds(200);
        out->vars.monitor_read_only_timeout = milliseconds(30);
        return out;
    }

    void start(resolver_cache::lookup ask = {}) {
        watch.emplace(io, settings,
                      callbacks{[this](std::shared_ptr<const hostgroups> fresh) {
                                    snapshots.push_back(std::move(fresh));
                                },
                                [this](const endpoint& at) { closed.push_back(at); }},
                      std::move(ask));
        watch->start();
    }

    template <class Condition>
    void run_until(Condition done) {
        while (!done())
            ASSERT_NE(io.run_one(), 0U) << "nothing left to wait for";
    }

    /// "10 first ONLINE, 20 second ONLINE"
    std::string places() const {
        std::string out;
        for (const auto& one : watch->current()->members)
            out += (out.empty() ? "" : ", ") + std::to_string(one.hostgroup) +
                   (one.at == first.at() ? " first " : " second ") +
                   std::string(to_string(one.state));
        // The ports, and so the order inside a hostgroup, are chance.
        if (const auto comma = out.find(", 20 first"); comma != out.npos)
            return out.substr(comma + 2) + ", " + out.substr(0, comma);
        return out;
    }
    void run_until_places(const std::string& wanted) {
        run_until([&] { return places() == wanted; });
    }
    std::ptrdiff_t good_pings() const {
        return std::ranges::count_if(watch->log(check::ping), [this](const check_row& row) {
            return row.at == first.at() && row.error.empty();
        });
    }
    void start_settled() {
        start();
        run_until([&] { return watch->current()->settled; });
    }

    boost::asio::io_context io;
    fake_server first{io};
    fake_server second{io};
    std::shared_ptr<conf::settings> settings = make_settings();
    std::vector<std::shared_ptr<const hostgroups>> snapshots;
    std::vector<endpoint> closed;
    std::optional<monitor> watch;
};

constexpr const char* healthy = "10 first ONLINE, 20 second ONLINE";
constexpr const char* primary_gone = "20 first SHUNNED, 20 second ONLINE";

TEST_F(MonitorLoop, publishes_the_configured_state_at_once_and_settles_after_the_first_checks) {
    start();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_EQ(places(), healthy);
    EXPECT_FALSE(snapshots[0]->settled);
    run_until([&] { return watch->current()->settled; });
    EXPECT_EQ(places(), healthy);
    EXPECT_EQ(watch->current(), snapshots.back());
    EXPECT_GT(snapshots.back()->version, snapshots.front()->version);
    const auto known = watch->observations();
    EXPECT_EQ(known.at(first.at()).as, role::primary);
    EXPECT_EQ(known.at(second.at()).as, role::standby);
    EXPECT_EQ(known.at(second.at()).system_identifier, 777U);
    EXPECT_TRUE(closed.empty());
}

TEST_F(MonitorLoop, a_killed_primary_is_shunned_and_its_connections_closed_after_publishing) {
    start_settled();
    first.kill();
    run_until([&] { return !closed.empty(); });
    EXPECT_EQ(places(), primary_gone);
    EXPECT_EQ(snapshots.back(), watch->current());
    EXPECT_THAT(closed, testing::ElementsAre(first.at()));
}

TEST_F(MonitorLoop, a_primary_that_comes_back_is_let_in_again) {
    start_settled();
    first.kill();
    run_until_places(primary_gone);
    first.revive();
    run_until_places(healthy);
    EXPECT_EQ(closed.size(), 1U);
}

TEST_F(MonitorLoop, a_primary_that_comes_back_as_a_standby_is_never_a_writer_in_between) {
    start_settled();
    first.kill();
    run_until_places(primary_gone);
    first.standby = true;
    first.revive();
    const auto from = snapshots.size();
    run_until_places("20 first ONLINE, 20 second ONLINE");
    for (auto i = from; i < snapshots.size(); ++i)
        EXPECT_TRUE(snapshots[i]->in(10).empty());
}

TEST_F(MonitorLoop, an_old_primary_that_comes_back_after_a_promotion_is_kept_out) {
    start_settled();
    first.kill();
    run_until_places(primary_gone);
    second.standby = false;
    second.timeline = 2;
    run_until_places("20 first SHUNNED, 10 second ONLINE");
    closed.clear();
    first.revive();
    run_until([&] { return !closed.empty(); });
    EXPECT_THAT(closed, testing::ElementsAre(first.at()));
    EXPECT_EQ(watch->observations().at(first.at()).health, health::up);
    EXPECT_EQ(places(), "20 first SHUNNED, 10 second ONLINE");
}

TEST_F(MonitorLoop, roles_that_change_places_change_the_hostgroups) {
    start_settled();
    first.standby = true;
    second.standby = false;
    run_until_places("20 first ONLINE, 10 second ONLINE");
    for (const auto& one : snapshots)
        EXPECT_LE(one->in(10).size(), 1U);
}

TEST_F(MonitorLoop, a_server_that_starts_up_is_shunned_without_closing_connections) {
    start_settled();
    first.behaviour = manner::refuse_login;
    first.end_sessions();
    run_until_places(primary_gone);
    EXPECT_TRUE(closed.empty());
    first.behaviour = manner::serve;
    run_until_places(healthy);
}

TEST_F(MonitorLoop, a_server_that_refuses_the_monitors_password_stays_as_configured) {
    first.behaviour = manner::refuse_login;
    first.refusal_sqlstate = "28P01";
    start_settled();
    const auto tries = first.logins;
    run_until([&] { return first.logins > tries + 5; });
    EXPECT_EQ(places(), healthy);
    EXPECT_TRUE(closed.empty());
}

TEST_F(MonitorLoop, a_terminated_monitor_session_shuns_nobody) {
    settings->vars.monitor_ping_max_failures = 1;
    start_settled();
    for (int i = 0; i < 3; ++i) {
        const auto logins = first.logins;
        first.end_sessions();
        const auto pings = good_pings();
        run_until([&] { return first.logins >= logins + 2 && good_pings() >= pings + 2; });
    }
    EXPECT_EQ(places(), healthy);
}

TEST_F(MonitorLoop, a_server_that_drops_every_query_is_dead) {
    start_settled();
    first.behaviour = manner::drop_at_query;
    run_until_places(primary_gone);
    EXPECT_EQ(closed.size(), 1U);
}

TEST_F(MonitorLoop, a_silent_server_is_dead_after_its_timeouts) {
    start_settled();
    first.behaviour = manner::hang_at_query;
    run_until_places(primary_gone);
    const auto pings = watch->log(check::ping);
    EXPECT_TRUE(std::ranges::any_of(
        pings, [](const check_row& row) { return row.error.find("timed out") != row.error.npos; }));
}

TEST_F(MonitorLoop, a_primary_that_answers_pings_and_no_read_only_check_is_taken_for_read_only) {
    start_settled();
    first.behaviour = manner::hang_at_role_check;
    run_until_places("20 first ONLINE, 20 second ONLINE");
    EXPECT_TRUE(closed.empty());
    first.behaviour = manner::serve;
    run_until_places(healthy);
}

TEST_F(MonitorLoop, without_the_privilege_for_the_full_check_the_role_is_still_read) {
    first.full_check_allowed = false;
    second.full_check_allowed = false;
    start_settled();
    EXPECT_EQ(places(), healthy);
    EXPECT_EQ(watch->observations().at(second.at()).as, role::standby);
    EXPECT_EQ(watch->observations().at(second.at()).timeline, 0U);
}

TEST_F(MonitorLoop, a_report_of_the_data_plane_opens_a_fresh_connection_at_once) {
    settings->vars.monitor_ping_interval = milliseconds(3600000);
    settings->vars.monitor_read_only_interval = milliseconds(3600000);
    start_settled();
    const auto logins = first.logins;
    std::thread reporter([this] { watch->report_failure(first.at()); });
    reporter.join();
    run_until([&] { return first.logins == logins + 1; });
    watch->report_failure({"nobody", 1});
    io.poll();
}

TEST_F(MonitorLoop, keeps_a_log_of_every_kind_of_check) {
    start_settled();
    for (const auto kind : {check::connect, check::ping, check::read_only}) {
        const auto rows = watch->log(kind);
        ASSERT_GE(rows.size(), 2U);
        for (const auto& row : rows) {
            EXPECT_EQ(row.error, "");
            EXPECT_GT(row.success_time_us, 0);
            EXPECT_GT(row.time_start_us, 0);
        }
    }
    for (const auto& row : watch->log(check::read_only))
        EXPECT_EQ(row.value, row.at == first.at() ? 0 : 1);
    const auto counts = watch->counts();
    EXPECT_GE(counts.succeeded[static_cast<std::size_t>(check::ping)], 2U);
    EXPECT_EQ(counts.failed[static_cast<std::size_t>(check::ping)], 0U);
}

TEST_F(MonitorLoop, a_standby_promoted_beside_its_primary_writes_and_the_primary_is_kept_out) {
    start_settled();
    second.standby = false;
    second.timeline = 2;
    run_until_places("20 first SHUNNED, 10 second ONLINE");
    EXPECT_THAT(closed, testing::ElementsAre(first.at()));
    EXPECT_THAT(watch->current()->find(20, first.at())->reason,
                testing::HasSubstr("has already written on timeline 2"));
    EXPECT_EQ(watch->current()->split, std::vector{10});
    for (const auto& one : snapshots)
        EXPECT_LE(one->in(10).size(), 1U);
    first.standby = true;
    first.timeline = 2;
    run_until_places("20 first ONLINE, 10 second ONLINE");
    EXPECT_TRUE(watch->current()->split.empty());
}

TEST_F(MonitorLoop, a_server_of_another_cluster_is_refused) {
    second.system_identifier = 888;
    start_settled();
    EXPECT_EQ(places(), "10 first ONLINE, 20 second SHUNNED");
    EXPECT_THAT(watch->current()->find(20, second.at())->reason,
                testing::HasSubstr("another cluster"));
}

TEST_F(MonitorLoop, a_server_that_comes_back_gets_its_weight_step_by_step) {
    settings->vars.monitor_slow_start = milliseconds(100);
    start_settled();
    second.kill();
    run_until_places("10 first ONLINE, 20 second SHUNNED");
    EXPECT_THAT(watch->current()->find(20, second.at())->reason,
                testing::HasSubstr("it does not answer"));
    second.revive();
    run_until_places(healthy);
    std::vector<std::uint32_t> shares{watch->current()->find(20, second.at())->share};
    EXPECT_LT(shares[0], 100U);
    run_until([&] {
        const auto share = watch->current()->find(20, second.at())->share;
        if (share != shares.back()) shares.push_back(share);
        return share == 100;
    });
    EXPECT_TRUE(std::ranges::is_sorted(shares));
    EXPECT_EQ(watch->current()->find(10, first.at())->share, 100U);
}

TEST_F(MonitorLoop, a_name_that_leads_elsewhere_is_followed) {
    fake_server moved(io, second, "127.0.0.2");
    moved.standby = true;
    settings->servers[1].hostname = "replica.example";
    settings->vars.monitor_local_dns_cache_ttl = milliseconds(0);
    std::string address = "127.0.0.1";
    start([&](const std::string& host, const resolver_cache::handler& done) {
        EXPECT_EQ(host, "replica.example");
        boost::asio::post(io, [&, done] { done({address}, ""); });
    });
    const endpoint named{"replica.example", second.at().port};
    const auto shown = [&] { return watch->current()->find(20, named)->address; };
    run_until([&] { return watch->current()->settled && shown() == "127.0.0.1"; });
    EXPECT_EQ(moved.logins, 0);
    address = "127.0.0.2";
    // The old server is still there and answers: only the name says that it is the wrong one.
    watch->report_failure(named);
    run_until([&] { return shown() == "127.0.0.2"; });
    const auto logins = second.logins;
    const auto queries = moved.queries.size();
    run_until([&] { return moved.queries.size() > queries + 10; });
    EXPECT_EQ(second.logins, logins);
    for (const auto& one : snapshots)
        EXPECT_TRUE(one->any_online(20)) << "it was never out";
}

TEST_F(MonitorLoop, of_several_addresses_of_a_name_the_one_that_answers_is_used) {
    settings->servers[1].hostname = "replica.example";
    start([&](const std::string&, const resolver_cache::handler& done) {
        boost::asio::post(io, [done] { done({"127.0.0.9", "127.0.0.1"}, ""); });
    });
    const endpoint named{"replica.example", second.at().port};
    run_until([&] { return watch->current()->settled; });
    EXPECT_EQ(watch->current()->find(20, named)->address, "127.0.0.1");
    EXPECT_EQ(watch->current()->find(20, named)->state, status::online);
}

TEST_F(MonitorLoop, a_ruling_is_published_at_once) {
    start_settled();
    const auto before = snapshots.size();
    watch->rule({.writers = {{10, second.at()}}, .fenced = {first.at()}});
    ASSERT_EQ(snapshots.size(), before + 1);
    EXPECT_EQ(places(), "20 first SHUNNED, 10 second ONLINE");
    EXPECT_THAT(closed, testing::ElementsAre(first.at()));
}

TEST_F(MonitorLoop, a_reload_adds_and_drops_servers_and_keeps_what_is_known) {
    start_settled();
    auto fewer = std::make_shared<conf::settings>(*settings);
    fewer->servers.pop_back();
    watch->reload(fewer);
    EXPECT_EQ(places(), "10 first ONLINE");
    EXPECT_FALSE(watch->observations().contains(second.at()));
    EXPECT_EQ(watch->observations().at(first.at()).as, role::primary);
    watch->reload(settings);
    EXPECT_EQ(places(), healthy);
    run_until([&] { return watch->current()->settled; });
}

TEST_F(MonitorLoop, switched_off_it_shows_the_configured_state_and_connects_to_nobody) {
    start_settled();
    first.kill();
    run_until_places(primary_gone);
    auto off = std::make_shared<conf::settings>(*settings);
    off->vars.monitor_enabled = false;
    watch->reload(off);
    EXPECT_EQ(places(), healthy);
    const auto logins = second.logins;
    io.poll();
    EXPECT_EQ(second.logins, logins);
}

TEST_F(MonitorLoop, stopped_it_calls_nobody_and_leaves_the_loop_empty) {
    start_settled();
    watch->stop();
    watch->stop();
    const auto published = snapshots.size();
    watch->report_failure(first.at());
    first.kill();
    second.kill();
    io.run();
    EXPECT_EQ(snapshots.size(), published);
    EXPECT_TRUE(closed.empty());
}

TEST_F(MonitorLoop, can_be_stopped_after_any_number_of_steps) {
    for (int steps = 0; steps < 60; ++steps) {
        snapshots.clear();
        start();
        for (int step = 0; step < steps; ++step)
            io.run_one();
        watch->stop();
        const auto published = snapshots.size();
        watch.reset();
        io.poll();
        EXPECT_EQ(snapshots.size(), published);
    }
}

TEST_F(MonitorLoop, can_be_stopped_from_inside_a_callback) {
    watch.emplace(io, settings,
                  callbacks{[this](const std::shared_ptr<const hostgroups>& fresh) {
                                if (fresh->settled) watch->stop();
                                snapshots.push_back(fresh);
                            },
                            {}});
    watch->start();
    run_until([&] { return snapshots.back()->settled; });
    const auto published = snapshots.size();
    first.kill();
    second.kill();
    io.run();
    EXPECT_EQ(snapshots.size(), published);
}

}  // namespace
}  // namespace howdah::monitor
