#pragma once
#include <memory>
#include <string>
#include <vector>

#include "conf/settings.hpp"

namespace howdah::conf {

/// What a reload changes, as text for the log.
struct reload_report {
    /// "monitor_ping_interval: 500 -> 200", "users: 1 added, 2 changed", ... Secrets are not shown.
    std::vector<std::string> changed;
    /// The part of `changed` that is used only after a restart.
    std::vector<std::string> needs_restart;
};

reload_report compare(const settings& running, const settings& fresh);

/// `fresh` with the running values of what needs a restart: what is in force after the reload.
std::shared_ptr<const settings> in_force_after_reload(const settings& running,
                                                      const settings& fresh);

}  // namespace howdah::conf
