#include "monitor/wal_sampler.hpp"

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <thread>

#include "conf/settings.hpp"
#include "monitor/monitor.hpp"
#include "tests/unit/monitor/fake_server.hpp"

namespace howdah::monitor {
namespace {

using namespace test;
using std::chrono::milliseconds;
using clock = std::chrono::steady_clock;

/// A monitor over a primary and a standby, and the sampler that reads from them.
class WalSamples : public testing::Test {
protected:
    WalSamples() {
        spdlog::set_level(spdlog::level::off);
        standby.standby = true;
        primary.lsn = 5000;
        standby.lsn = 4000;
        settings->replication_hostgroups = {{10, 20, ""}};
        for (const auto* one : {&primary, &standby}) {
            auto& row = settings->servers.emplace_back();
            row.hostgroup_id = one == &primary ? 10 : 20;
            row.hostname = one->at().host;
            row.port = one->at().port;
        }
        settings->vars.server_sslmode = conf::server_sslmode::disable;
        settings->vars.monitor_ping_interval = milliseconds(20);
        settings->vars.monitor_read_only_interval = milliseconds(20);
        watch.start();
    }
    ~WalSamples() override { spdlog::set_level(spdlog::level::info); }

    template <class Condition>
    void run_until(Condition done) {
        while (!done())
            ASSERT_NE(io.run_one(), 0U) << "nothing left to wait for";
    }
    const wal_sample* of(const fake_server& server) const {
        if (!latest) return nullptr;
        const auto found = latest->find(server.at());
        return found == latest->end() ? nullptr : &found->second;
    }

    boost::asio::io_context io;
    fake_server primary{io};
    fake_server standby{io};
    std::shared_ptr<conf::settings> settings = std::make_shared<conf::settings>();
    wal_samples latest;
    wal_sampler* sampler_ = nullptr;
    monitor watch{io,
                  settings,
                  {[this](const std::shared_ptr<const hostgroups>&) {
                       if (sampler_) sampler_->servers_changed();
                   },
                   {}}};
    wal_sampler sampler{io, settings, watch, [this](wal_samples fresh) { latest = fresh; }};
    struct tell {
        explicit tell(WalSamples& test) { test.sampler_ = &test.sampler; }
    } told{*this};
};

TEST_F(WalSamples, of_the_primary_and_of_the_standby_say_where_they_are) {
    const auto before = clock::now();
    sampler.servers_changed();
    run_until([&] { return of(primary) && of(standby); });
    EXPECT_FALSE(of(primary)->standby);
    EXPECT_EQ(of(primary)->at, (wal_position{1, 5000}));
    EXPECT_TRUE(of(standby)->standby);
    EXPECT_EQ(of(standby)->at, (wal_position{1, 4000}));
    EXPECT_GE(of(primary)->asked, before);
    EXPECT_LE(of(primary)->asked, clock::now());
}

TEST_F(WalSamples, taken_after_a_wish_come_soon_for_whoever_asks_from_any_thread) {
    sampler.servers_changed();
    run_until([&] { return of(primary) && of(standby); });
    for (const auto how :
         {wal_sampler::urgency::now, wal_sampler::urgency::soon, wal_sampler::urgency::now}) {
        primary.lsn += 100;
        const auto wished = clock::now();
        std::thread([&] { sampler.hurry(how); }).join();
        run_until([&] { return of(primary)->asked >= wished && of(standby)->asked >= wished; });
        EXPECT_EQ(of(primary)->at.lsn, primary.lsn);
    }
}

TEST_F(WalSamples, of_a_server_that_is_gone_are_forgotten_and_come_back_with_it) {
    sampler.servers_changed();
    run_until([&] { return of(primary) && of(standby); });
    standby.kill();
    run_until([&] { return of(standby) == nullptr; });
    EXPECT_NE(of(primary), nullptr);
    primary.timeline = standby.timeline = 2;
    standby.revive();
    run_until([&] { return of(standby) != nullptr; });
    EXPECT_EQ(of(standby)->at.timeline, 2U);
}

TEST_F(WalSamples,
       show_how_far_a_standby_is_behind_and_take_a_late_one_out_until_it_has_caught_up) {
    settings->servers[1].max_replication_lag = 1;
    settings->vars.monitor_replication_lag_interval = milliseconds(10);
    settings->vars.monitor_all_readers_lagging = conf::lagging_reads::error;
    const auto state = [&] { return watch.current()->find(20, standby.at())->state; };
    standby.lsn = primary.lsn;
    sampler.servers_changed();
    run_until([&] { return watch.observations().at(standby.at()).replay_lag_ms == 0; });
    primary.lsn += 3000;
    run_until([&] { return state() == status::shunned_replication_lag; });
    const auto late = watch.observations().at(standby.at());
    EXPECT_EQ(late.replay_lag_bytes, 3000U);
    EXPECT_GT(late.replay_lag_ms, 1000);
    EXPECT_TRUE(watch.current()->refuses(20));
    standby.lsn = primary.lsn;
    run_until([&] { return state() == status::online; });
    EXPECT_LT(watch.current()->find(20, standby.at())->share, 100U) << "it starts slowly";
    const auto rows = watch.log(check::replication_lag);
    ASSERT_FALSE(rows.empty());
    for (const auto& row : rows) {
        EXPECT_EQ(row.at, standby.at());
        EXPECT_EQ(row.error, "");
        EXPECT_GT(row.success_time_us, 0);
    }
    EXPECT_EQ(rows.back().value, 0);
    EXPECT_TRUE(std::ranges::any_of(rows, [](const auto& row) { return row.value == 1; }));
}

TEST_F(WalSamples, let_a_standby_with_a_limit_in_only_after_it_was_measured) {
    settings->servers[1].max_replication_lag = 1;
    const auto state = [&] { return watch.current()->find(20, standby.at())->state; };
    standby.lsn = primary.lsn;
    sampler.servers_changed();
    run_until([&] { return of(standby) && watch.current()->settled; });
    EXPECT_EQ(state(), status::online);
    standby.kill();
    run_until([&] { return state() == status::shunned; });
    const auto measured = watch.log(check::replication_lag).size();
    standby.revive();
    run_until([&] { return state() != status::shunned; });
    EXPECT_EQ(state(), status::shunned_replication_lag);
    EXPECT_EQ(watch.observations().at(standby.at()).lag, lag_state::unmeasured);
    run_until([&] { return state() == status::online; });
    EXPECT_GT(watch.log(check::replication_lag).size(), measured);
}

TEST_F(WalSamples, that_are_refused_from_the_start_are_logged_too) {
    settings->vars.monitor_replication_lag_interval = milliseconds(10);
    primary.sample_allowed = standby.sample_allowed = false;
    run_until([&] { return watch.current()->settled; });
    sampler.servers_changed();
    run_until([&] { return !watch.log(check::replication_lag).empty(); });
    for (const auto& row : watch.log(check::replication_lag)) {
        EXPECT_EQ(row.at, standby.at()) << "a primary has no lag to be measured";
        EXPECT_NE(row.error, "");
    }
}

TEST_F(WalSamples, that_are_refused_are_logged_and_take_no_server_out) {
    settings->servers[1].max_replication_lag = 1;
    settings->vars.monitor_replication_lag_interval = milliseconds(10);
    standby.lsn = primary.lsn;
    sampler.servers_changed();
    run_until([&] { return !watch.log(check::replication_lag).empty(); });
    standby.sample_allowed = false;
    run_until([&] { return !watch.log(check::replication_lag).back().error.empty(); });
    const auto row = watch.log(check::replication_lag).back();
    EXPECT_EQ(row.success_time_us, 0);
    EXPECT_EQ(row.value, std::nullopt);
    EXPECT_EQ(watch.current()->find(20, standby.at())->state, status::online);
}

TEST_F(WalSamples, do_not_come_after_a_stop) {
    sampler.servers_changed();
    run_until([&] { return of(primary) != nullptr; });
    sampler.stop();
    latest = nullptr;
    sampler.hurry(wal_sampler::urgency::now);
    const auto queries = primary.queries.size();
    run_until([&] { return primary.queries.size() > queries + 4; });
    EXPECT_EQ(latest, nullptr);
}

TEST(WalSampler, a_position_behind_nothing_but_a_page_header_is_the_end_of_the_page_before) {
    EXPECT_EQ(end_of_wal(0x4000028), 0x4000000U) << "after a segment switch";
    EXPECT_EQ(end_of_wal(0x4002018), 0x4002000U) << "after a full page";
    EXPECT_EQ(end_of_wal(0x4000000), 0x4000000U);
    EXPECT_EQ(end_of_wal(0x4000048), 0x4000048U);
    EXPECT_EQ(end_of_wal(0x4001ff8), 0x4001ff8U);
}

TEST(WalPosition, is_written_as_timeline_and_lsn_and_read_again) {
    EXPECT_EQ(to_string(wal_position{1, 0x16B3748}), "1:0/16B3748");
    EXPECT_EQ(to_string(wal_position{}), "0:0/0");
    for (const wal_position& at : {wal_position{1, 0x16B3748}, wal_position{4294967295U, ~0ULL},
                                   wal_position{}, wal_position{7, 0xA00000001}})
        EXPECT_EQ(parse_wal_position(to_string(at)), at);
    EXPECT_EQ(parse_wal_position("1:a/b"), (wal_position{1, 0xA0000000B}));
    for (const char* bad : {"", "1", "0/16B3748", "1:16B3748", ":0/1", "1:/1", "1:0/", "1:0/1x",
                            "-1:0/1", "1:0/100000000", "4294967296:0/1", "1/0:1", " 1:0/1"})
        EXPECT_FALSE(parse_wal_position(bad)) << bad;
}

}  // namespace
}  // namespace howdah::monitor
