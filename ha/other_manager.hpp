#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "ha/facts.hpp"

// Programs beside Howdah that promote and rewire servers: how they are noticed by SQL. Two that
// decide would undo each other's work, so where another one is found Howdah only observes. Pure.
namespace howdah::ha {

/// What a server shows that such a program leaves behind.
struct manager_traces {
    std::vector<std::string> sessions;     ///< application names in pg_stat_activity
    std::vector<std::string> slots;        ///< names of replication slots
    std::vector<std::string> libraries;    ///< shared_preload_libraries
    std::vector<std::string> settings;     ///< customized settings that are there: "pgpool.pg_ctl"
    std::vector<std::string> command_line; /**< settings that the postmaster was started with */
};

/// Every manager that the traces show, each once, by the first sign of it.
[[nodiscard]] std::vector<found_manager> managers_in(const manager_traces& traces, time_us seen_us);
/// Their names, as in `found_manager::name` and ha_ignore_managers.
[[nodiscard]] const std::vector<std::string_view>& known_managers();
/// A regular expression of PostgreSQL that matches every application name that is a sign, and
/// few others: what has to be read from pg_stat_activity.
[[nodiscard]] const std::string& session_pattern();

/// The first that is not named in `ignored` (upper and lower case alike; "*": all are).
[[nodiscard]] const found_manager* manager_in_charge(const std::vector<found_manager>& found,
                                                     const std::vector<std::string>& ignored);

}  // namespace howdah::ha
