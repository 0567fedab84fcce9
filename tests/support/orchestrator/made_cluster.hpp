#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "admin/orchestrator/functions.hpp"

namespace howdah::admin::orchestrator::test {

using ha::endpoint;

inline constexpr ha::unix_us noon = 1'767'268'800'000'000;  // 2026-01-01 12:00:00 UTC
inline constexpr ha::time_us clock_now = 1'000'000'000;
inline constexpr ha::time_us second = 1'000'000;

/// An order that the API gave, as a line: "fail_over main to pg3:5432 by ann".
using order_log = std::vector<std::string>;

/// A cluster "main" of pg1 (primary), pg2 and pg3 (standbys), all well and all at port 5432, made
/// of facts and what the brain decides from them; and hands that note what they are told.
class made_cluster {
public:
    made_cluster();

    ha::server_facts& facts(const std::string& name) { return input.facts[{name, 5432}]; }
    ha::server_config& config(const std::string& name);
    /// pg1 answers nobody any more, and its standbys noticed.
    void kill_primary();
    /// What the supervisor would publish.
    [[nodiscard]] std::shared_ptr<const ha::ha_view> view() const;
    /// Everything runs at once, in the caller's thread.
    [[nodiscard]] api_functions functions();

    ha::topology_input input;
    ha::policy allowed;
    ha::operator_notes notes;
    bool looked_at_all = true;
    ha::unix_us now = noon;
    conf::ha_mode mode = conf::ha_mode::manual;

    order_log orders;
    std::vector<ha::recovery> recoveries;  ///< oldest first
    std::vector<ha::recovery_step> steps;
    std::vector<ha::detection> detections;
    std::vector<ha::audit_entry> audit;
    /// What becomes of a failover or switchover; by default pg2 (or the wanted one) is promoted
    /// and the history gets a row.
    std::function<ha::order_answer(const std::string& kind, const ha::recovery_order&)> outcome;
    /// Holds answers of failovers back; call them.
    bool hold_answers = false;
    std::vector<std::function<void()>> held;

private:
    void change_writer(const std::string& kind, const ha::recovery_order& order,
                       const api_functions::answer& done);
    ha::order_answer promote(const std::string& kind, const ha::recovery_order& order);
};

}  // namespace howdah::admin::orchestrator::test
