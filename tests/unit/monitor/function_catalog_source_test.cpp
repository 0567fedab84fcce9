#include "monitor/function_catalog_source.hpp"

#include <gmock/gmock.h>
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

/// A monitor over a primary and a standby, and the catalog source that reads from them.
class FunctionCatalog : public testing::Test {
protected:
    FunctionCatalog() {
        spdlog::set_level(spdlog::level::off);
        standby.standby = true;
        settings->replication_hostgroups = {{10, 20, ""}};
        for (const auto* one : {&primary, &standby}) {
            auto& row = settings->servers.emplace_back();
            row.hostgroup_id = one == &primary ? 10 : 20;
            row.hostname = one->at().host;
            row.port = one->at().port;
        }
        settings->vars.server_sslmode = conf::server_sslmode::disable;
        settings->vars.catalog_refresh_interval = milliseconds(5);
        for (auto* one : {&primary, &standby}) {
            one->fingerprint = "one";
            one->functions = {{"public", "g", "v"}, {"pg_catalog", "now", "s"}};
        }
        watch.start();
    }
    ~FunctionCatalog() override { spdlog::set_level(spdlog::level::info); }

    template <class Condition>
    void run_until(Condition done) {
        while (!done())
            ASSERT_NE(io.run_one(), 0U) << "nothing left to wait for";
    }

    static std::ptrdiff_t catalog_queries(const fake_server& server) {
        return std::ranges::count_if(server.queries, [](const std::string& query) {
            return query.find("pg_proc") != query.npos;
        });
    }

    boost::asio::io_context io;
    fake_server primary{io};
    fake_server standby{io};
    std::shared_ptr<conf::settings> settings = std::make_shared<conf::settings>();
    monitor watch{io, settings, {}};
    std::vector<std::pair<std::string, function_rows>> published;
    function_catalog_source source{io, settings, watch,
                                   [this](const std::string& database, function_rows rows) {
                                       published.emplace_back(database, std::move(rows));
                                   }};
};

TEST_F(FunctionCatalog, publishes_sorted_rows_of_a_requested_database_from_a_reader) {
    source.request("appdb");
    run_until([&] { return !published.empty(); });
    EXPECT_EQ(published[0].first, "appdb");
    EXPECT_THAT(*published[0].second, testing::ElementsAre(function_row{"pg_catalog", "now", 's'},
                                                           function_row{"public", "g", 'v'}));
    EXPECT_EQ(catalog_queries(standby), 2);
    EXPECT_EQ(catalog_queries(primary), 0);
}

TEST_F(FunctionCatalog, can_be_asked_from_another_thread_and_again_without_effect) {
    std::thread asker([this] {
        source.request("appdb");
        source.request("appdb");
    });
    asker.join();
    run_until([&] { return !published.empty(); });
    source.request("appdb");
    run_until([&] { return catalog_queries(standby) > 6; });
    EXPECT_EQ(published.size(), 1U);
}

TEST_F(FunctionCatalog, publishes_again_only_when_something_changed) {
    source.request("appdb");
    run_until([&] { return catalog_queries(standby) > 4; });
    ASSERT_EQ(published.size(), 1U);
    standby.fingerprint = "two";
    standby.functions = {{"public", "g", "i"}};
    run_until([&] { return published.size() == 2; });
    EXPECT_THAT(*published[1].second, testing::ElementsAre(function_row{"public", "g", 'i'}));
}

TEST_F(FunctionCatalog, keeps_databases_apart) {
    source.request("one");
    source.request("two");
    run_until([&] { return published.size() == 2; });
    EXPECT_NE(published[0].first, published[1].first);
}

TEST_F(FunctionCatalog, reads_from_the_primary_where_no_reader_is_online) {
    settings->servers[1].status = conf::server_status::offline_hard;
    watch.reload(std::make_shared<conf::settings>(*settings));
    source.request("appdb");
    run_until([&] { return !published.empty(); });
    EXPECT_EQ(catalog_queries(primary), 2);
}

TEST_F(FunctionCatalog, waits_for_a_server_and_then_reads) {
    standby.kill();
    primary.kill();
    source.request("appdb");
    run_until([&] {
        return watch.current()->settled && !watch.current()->any_online(10) &&
               !watch.current()->any_online(20);
    });
    EXPECT_TRUE(published.empty());
    standby.revive();
    run_until([&] { return !published.empty(); });
}

TEST_F(FunctionCatalog, stopped_it_publishes_nothing) {
    source.request("appdb");
    run_until([&] { return catalog_queries(standby) == 1; });
    source.stop();
    source.request("appdb");
    watch.stop();
    primary.kill();
    standby.kill();
    io.run();
    EXPECT_TRUE(published.empty());
}

}  // namespace
}  // namespace howdah::monitor
