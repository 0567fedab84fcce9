#include "ha/other_manager.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "conf/names.hpp"

namespace howdah::ha {
namespace {

enum class trace { session, sessions_from, slots_from, library, setting };

struct sign {
    std::string_view manager;
    trace what;
    std::string_view text;  ///< the whole name, or how it begins
};

// Sessions of their daemons, and names that they alone give to slots and standbys.
constexpr std::array<sign, 14> signs{{
    {"Patroni", trace::session, "Patroni"},
    {"Patroni", trace::sessions_from, "Patroni "},
    {"repmgr", trace::session, "repmgrd"},
    {"repmgr", trace::session, "repmgr"},
    {"repmgr", trace::library, "repmgr"},
    {"pg_auto_failover", trace::sessions_from, "pgautofailover_"},
    {"pg_auto_failover", trace::slots_from, "pgautofailover_"},
    {"pg_auto_failover", trace::library, "pgautofailover"},
    {"Stolon", trace::sessions_from, "stolon_"},
    {"Stolon", trace::slots_from, "stolon_"},
    {"CloudNativePG", trace::session, "cnpg-instance-manager"},
    {"CloudNativePG", trace::slots_from, "_cnpg_"},
    {"EFM", trace::session, "efm"},
    {"Pgpool-II", trace::setting, "pgpool.pg_ctl"},
}};

/// Patroni starts postgres with all of these; nobody else gives all of them.
constexpr std::array<std::string_view, 11> started_by_patroni{
    "cluster_name",           "hot_standby",
    "max_connections",        "max_locks_per_transaction",
    "max_wal_senders",        "max_prepared_transactions",
    "max_replication_slots",  "max_worker_processes",
    "track_commit_timestamp", "wal_level",
    "wal_log_hints"};

const std::string* find(const std::vector<std::string>& names, std::string_view text, bool whole) {
    const auto found = std::ranges::find_if(names, [&](const std::string& name) {
        return whole ? name == text : name.starts_with(text);
    });
    return found == names.end() ? nullptr : &*found;
}

/// In words, or "".
std::string look_for(const sign& one, const manager_traces& traces) {
    const std::string* found = nullptr;
    switch (one.what) {
        case trace::session:
        case trace::sessions_from:
            found = find(traces.sessions, one.text, one.what == trace::session);
            return found ? fmt::format("a session is called {}", *found) : "";
        case trace::slots_from:
            found = find(traces.slots, one.text, false);
            return found ? fmt::format("a slot is called {}", *found) : "";
        case trace::library:
            found = find(traces.libraries, one.text, true);
            return found ? fmt::format("{} is in shared_preload_libraries", *found) : "";
        case trace::setting:
            found = find(traces.settings, one.text, true);
            return found ? fmt::format("{} is set", *found) : "";
    }
    return {};
}

}  // namespace

std::vector<found_manager> managers_in(const manager_traces& traces, time_us seen_us) {
    std::vector<found_manager> out;
    const auto add = [&](std::string_view manager, std::string text) {
        if (!text.empty() && std::ranges::find(out, manager, &found_manager::name) == out.end())
            out.push_back({std::string(manager), std::move(text), seen_us});
    };
    for (const auto& one : signs)
        add(one.manager, look_for(one, traces));
    if (std::ranges::all_of(started_by_patroni, [&](std::string_view name) {
            return find(traces.command_line, name, true) != nullptr;
        }))
        add("Patroni", "it was started with the command line of Patroni");
    return out;
}

const std::vector<std::string_view>& known_managers() {
    static const std::vector<std::string_view> all = [] {
        std::vector<std::string_view> out;
        for (const auto& one : signs)
            if (std::ranges::find(out, one.manager) == out.end()) out.push_back(one.manager);
        return out;
    }();
    return all;
}

const std::string& session_pattern() {
    static const std::string pattern = [] {
        std::string out;
        for (const auto& one : signs)
            if (one.what == trace::session || one.what == trace::sessions_from)
                out += fmt::format("{}{}{}", out.empty() ? "^(" : "|", one.text,
                                   one.what == trace::session ? "$" : "");
        return out + ")";
    }();
    return pattern;
}

const found_manager* manager_in_charge(const std::vector<found_manager>& found,
                                       const std::vector<std::string>& ignored) {
    const auto one = std::ranges::find_if(found, [&](const found_manager& here) {
        return std::ranges::none_of(ignored, [&](const std::string& name) {
            return name == "*" || conf::equal_ignoring_case(name, here.name);
        });
    });
    return one == found.end() ? nullptr : &*one;
}

}  // namespace howdah::ha
