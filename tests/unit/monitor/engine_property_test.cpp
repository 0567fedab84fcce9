#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

#include "tests/unit/monitor/world.hpp"

namespace howdah::monitor {
namespace {

using namespace test;

enum class rows : std::uint8_t { writer, reader, both };

/// One server's part of a case: where it is configured, what the operator says, what is seen.
struct server_case {
    rows configured;
    conf::server_status operators;
    role as;
    health is;
    std::uint32_t timeline = 1;
};

std::vector<server_case> all_server_cases() {
    std::vector<server_case> out;
    for (const auto configured : {rows::writer, rows::reader, rows::both})
        for (const auto operators :
             {conf::server_status::online, conf::server_status::shunned,
              conf::server_status::offline_soft, conf::server_status::offline_hard})
            for (const auto as : {role::unknown, role::primary, role::standby})
                for (const auto is : {health::up, health::not_ready, health::down})
                    out.push_back({configured, operators, as, is});
    return out;
}

void put(world& subject, const std::string& host, const server_case& one) {
    if (one.configured != rows::reader) subject.add(writer_hg, host).status = one.operators;
    if (one.configured != rows::writer) subject.add(reader_hg, host).status = one.operators;
    subject[host] = in_health(seen(one.as, one.timeline), one.is);
}

world empty_world(bool writer_reads) {
    world out;
    out.settings.servers.clear();
    out.settings.vars.monitor_writer_is_also_reader = writer_reads;
    return out;
}

bool all_timelines_known(const world& subject) {
    return std::ranges::all_of(subject.observed, [](const auto& entry) {
        return entry.second.timeline != 0 && entry.second.system_identifier != 0;
    });
}

/// What must hold of every composition; empty if it does.
std::string broken_law(const world& subject) {
    const auto& groups = subject.last.groups;
    int writers = 0;
    int observed_writers = 0;
    std::set<endpoint> placed;
    for (const auto& one : groups.members) {
        placed.insert(one.at);
        const auto& what = subject.observed.at(one.at);
        const auto ruled = subject.decision.writers.contains(writer_hg);
        const auto row = std::ranges::find_if(subject.settings.servers, [&](const auto& r) {
            return r.hostname == one.at.host && r.status != conf::server_status::online;
        });
        const bool by_operator = row != subject.settings.servers.end();
        if (one.state == status::online) {
            if (what.health != health::up) return "online although it is not up";
            if (subject.decision.fenced.contains(one.at)) return "online although it is fenced";
            if (by_operator) return "online although the operator says otherwise";
            if (!one.reason.empty()) return "online, and a reason why not";
        } else if (by_operator && row->status == conf::server_status::offline_soft &&
                   one.state != status::offline_soft) {
            return "the operator's status is gone";
        }
        if (one.hostgroup == writer_hg) {
            if (what.health != health::up) return "a server that is not up is a writer";
            if (what.as == role::standby && !ruled) return "a standby is a writer";
            writers += one.state == status::online;
            observed_writers += one.state == status::online && what.as == role::primary;
        }
    }
    for (const auto& one : groups.members)
        if (one.state != status::online && one.reason.empty()) return "out without a reason";
    for (const auto& writer : groups.in(writer_hg)) {
        if (writer.state != status::online || subject.decision.writers.contains(writer_hg))
            continue;
        const auto& its = subject.observed.at(writer.at);
        if (its.as != role::primary) continue;
        for (const auto& one : groups.members) {
            const auto& other = subject.observed.at(one.at);
            const bool known = its.system_identifier && other.system_identifier;
            if (known && its.system_identifier != other.system_identifier &&
                one.state == status::online && other.as != role::unknown)
                return "a server of another cluster is online beside the writer";
            const bool may_write =
                other.health == health::up && other.as == role::primary &&
                !subject.decision.fenced.contains(one.at) &&
                std::ranges::none_of(subject.settings.servers, [&](const auto& r) {
                    return r.hostname == one.at.host && r.status != conf::server_status::online;
                });
            if (may_write && known && its.system_identifier == other.system_identifier &&
                its.timeline && other.timeline > its.timeline && all_timelines_known(subject))
                return "the writer is not the one on the newest timeline";
        }
    }
    if (observed_writers > 1) return "two observed writers";
    if (observed_writers == 1 && writers > 1) return "a writer of unknown role beside a seen one";
    if (subject.decision.writers.contains(writer_hg) && writers > 1) return "two ruled writers";
    if (placed.size() != subject.observed.size()) return "a configured server has no place";
    for (std::size_t i = 1; i < groups.members.size(); ++i) {
        const auto& a = groups.members[i - 1];
        const auto& b = groups.members[i];
        if (std::tie(a.hostgroup, a.at) >= std::tie(b.hostgroup, b.at))
            return "members are not sorted, or doubled";
    }
    return "";
}

TEST(EngineLaws, hold_for_every_pair_of_servers_and_every_incumbent) {
    const auto cases = all_server_cases();
    for (const bool writer_reads : {false, true})
        for (const char* before : {"", "pg1", "pg2", "gone"})
            for (const auto& first : cases)
                for (const auto& second : cases) {
                    auto subject = empty_world(writer_reads);
                    put(subject, "pg1", first);
                    put(subject, "pg2", second);
                    if (*before) subject.incumbents[writer_hg] = {at(before), our_cluster, 1};
                    const auto places = subject.compose();
                    ASSERT_EQ(broken_law(subject), "") << places << " before: " << before;
                }
}

TEST(EngineLaws, hold_along_random_histories_of_four_servers) {
    std::mt19937 random(11);
    const auto cases = all_server_cases();
    const std::array hosts{"pg1", "pg2", "pg3", "pg4"};
    for (int history = 0; history < 500; ++history) {
        auto subject = empty_world(random() % 2 == 0);
        for (const char* host : hosts) {
            auto one = cases[random() % cases.size()];
            if (random() % 4) one.operators = conf::server_status::online;
            put(subject, host, one);
        }
        std::uint32_t highest = 0;
        for (int step = 0; step < 60; ++step) {
            auto& changing = subject[hosts[random() % hosts.size()]];
            const auto& next = cases[random() % cases.size()];
            changing.as = next.as;
            changing.health = random() % 2 ? health::up : next.is;
            changing.timeline = static_cast<std::uint32_t>(random() % 5);
            changing.system_identifier = random() % 8 ? our_cluster : random() % 2 ? 888 : 0;
            if (random() % 20 == 0) subject.decision.fenced = {at(hosts[random() % 4])};
            if (random() % 20 == 0)
                subject.decision.writers = {{writer_hg, at(hosts[random() % 4])}};
            if (random() % 5 == 0) subject.decision = {};
            const auto places = subject.compose();
            ASSERT_EQ(broken_law(subject), "") << places;
            const auto remembered = subject.incumbents.find(writer_hg);
            if (remembered == subject.incumbents.end()) continue;
            if (subject.decision.writers.empty()) {
                ASSERT_GE(remembered->second.timeline, highest) << places;
            }
            highest = remembered->second.timeline;
        }
    }
}

TEST(EngineLaws, the_same_facts_in_another_order_of_configuration_give_the_same_places) {
    std::mt19937 random(3);
    const auto cases = all_server_cases();
    for (int round = 0; round < 2000; ++round) {
        auto subject = empty_world(false);
        for (const char* host : {"pg1", "pg2", "pg3"}) {
            auto one = cases[random() % cases.size()];
            one.timeline = static_cast<std::uint32_t>(1 + random() % 2);
            put(subject, host, one);
        }
        auto reversed = subject;
        std::ranges::reverse(reversed.settings.servers);
        EXPECT_EQ(subject.compose(), reversed.compose());
    }
}

}  // namespace
}  // namespace howdah::monitor
