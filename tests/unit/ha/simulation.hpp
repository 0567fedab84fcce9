#pragma once
#include <array>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ha/decision.hpp"
#include "ha/intent.hpp"
#include "ha/lsn.hpp"

namespace howdah::ha::test {

/// A cluster as it really is, in ticks of one second, and a Howdah that only knows what it can
/// read. Servers die and return, links between any two break and heal, clients write directly to
/// every server that accepts writes; Howdah crashes between any two steps. After each tick
/// `broken_law` says what must never happen and did.
class simulation {
public:
    struct odds {
        bool sync = false;             ///< the primary waits for ANY k of the others
        bool others_promote = false;   ///< somebody promotes standbys by hand now and then
        bool observe_restarts = true;  ///< Howdah crashes now and then
    };

    simulation(unsigned seed, odds chances);

    void tick();
    [[nodiscard]] const std::string& broken_law() const { return broken_law_; }
    [[nodiscard]] int failovers() const { return failovers_; }
    [[nodiscard]] const std::string& story() const { return story_; }

private:
    static constexpr std::size_t count = 4;
    static constexpr std::size_t here = count;  ///< Howdah's place among the links

    struct node {
        bool alive = true;
        bool primary = false;
        std::uint32_t timeline = 1;
        std::vector<int> log;                 ///< ids of commits
        timeline_history history;             ///< ends are lengths of the log
        std::optional<std::size_t> upstream;  ///< primary_conninfo; none: frozen or primary
        std::optional<std::size_t> before_freeze;
        bool receiving = false;
        time_us heard_us = 0;
        std::string sync_names;
    };

    static std::string name(std::size_t i) { return "pg" + std::to_string(i + 1); }
    static endpoint at(std::size_t i) { return {name(i), 5432}; }
    bool chance(unsigned one_in) { return random_() % one_in == 0; }
    bool linked(std::size_t a, std::size_t b) const { return !cut_.contains(std::minmax(a, b)); }
    void tell(const std::string& what);
    void fail(const std::string& what);

    void happen();
    void replicate();
    void write();
    void promote(std::size_t i);
    bool follows(const node& standby, const node& upstream) const;

    cluster look();
    void run_howdah();
    void begin_failover(const cluster& seen, const decision& decided);
    void go_on(const cluster& seen);
    void finish(std::size_t promoted);
    void check_routing(const cluster& seen, const judgement& judged);
    void check_promotion(std::size_t i);

    std::mt19937 random_;
    odds odds_;
    policy policy_;
    time_us now_ = 1'000'000'000;
    std::vector<node> nodes_;
    std::set<std::pair<std::size_t, std::size_t>> cut_;
    int next_commit_ = 1;
    std::set<int> confirmed_;
    std::uint32_t highest_timeline_ = 1;

    std::map<endpoint, server_facts> memory_;
    std::optional<cluster_record> record_;
    std::optional<failover_intent> intent_;
    bool watched_ = false;
    std::map<std::uint64_t, endpoint> writer_of_epoch_;

    std::string broken_law_;
    std::string story_;
    int failovers_ = 0;
};

}  // namespace howdah::ha::test
