#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "ha/history.hpp"
#include "ha/supervisor.hpp"

namespace boost::asio {
class io_context;
class thread_pool;
}  // namespace boost::asio

namespace howdah::admin::orchestrator {

/// What the API may do to the rest of the process.
struct api_functions {
    using work = std::function<void()>;
    using answer = ha::supervisor::answer;

    /// Any thread; never null.
    std::function<std::shared_ptr<const ha::ha_view>()> view;
    std::function<ha::unix_us()> now;

    // On the control thread, as the functions of ha::supervisor with these names.
    std::function<void(const std::string&, ha::recovery_order, answer)> fail_over;
    std::function<void(const std::string&, ha::recovery_order, answer)> switch_over;
    std::function<void(const ha::endpoint&, const ha::endpoint&, std::string, answer)> rewire;
    std::function<void(const ha::endpoint&, std::string, answer)> adopt;
    std::function<void(const ha::endpoint&, std::string, answer)> rejoin;
    std::function<void(ha::history_filter, std::string, std::string, answer)> acknowledge;
    std::function<void(std::function<void(ha::operator_notes&)>, ha::audit_entry, answer)> note;
    std::function<void(work)> look;
    std::function<std::string(const std::string&, bool, const ha::recovery_order&)> dry_run;
    /// What ha_mode is, and makes it another, in MEMORY and RUNTIME: empty, or why it is not.
    std::function<conf::ha_mode()> mode;
    std::function<std::string(conf::ha_mode)> set_mode;

    // History; they may block and throw, so they are called within `offload`.
    std::function<std::vector<ha::recovery>(const ha::history_filter&)> recoveries;
    std::function<std::vector<ha::recovery_step>(std::int64_t)> steps;
    std::function<std::vector<ha::detection>(const ha::history_filter&)> detections;
    std::function<std::vector<ha::audit_entry>(const ha::history_filter&)> audit;

    /// Runs something where it may block, and something on the control thread.
    std::function<void(work)> offload;
    std::function<void(work)> control;

    std::string hostname;    ///< of this machine
    std::string advertised;  ///< host:port of this API
    std::string version;
    ha::unix_us started_at = 0;
};

/// Those that a supervisor and a store have, which must outlive the API.
[[nodiscard]] api_functions functions_of(boost::asio::io_context& control,
                                         boost::asio::thread_pool& threads, ha::supervisor& hands,
                                         ha::store& kept);

}  // namespace howdah::admin::orchestrator
