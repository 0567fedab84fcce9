#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <stop_token>
#include <string>

#include "ha/supervisor.hpp"

namespace howdah::admin {

/// What people can order. Any thread but the control thread; the dry runs wait, the others return
/// at once and answer later, once, on any thread. An answer that is destroyed uncalled: Howdah
/// stops, and so does `stopping`, for those who wait.
struct ha_orders {
    using answer = std::function<void(ha::order_answer)>;
    using notes_change = std::function<void(ha::operator_notes&)>;

    std::function<void(std::string cluster, ha::recovery_order, answer)> fail_over;
    std::function<void(std::string cluster, ha::recovery_order, answer)> switch_over;
    std::function<void(ha::endpoint standby, ha::endpoint upstream, std::string by, answer)> rewire;
    std::function<void(ha::endpoint writer, std::string by, answer)> adopt;
    std::function<void(ha::endpoint server, std::string by, answer)> rejoin;
    std::function<void(ha::history_filter, std::string by, std::string comment, answer)>
        acknowledge;
    std::function<void(notes_change, ha::audit_entry, answer)> note;
    std::function<std::string(std::string cluster, bool planned, ha::recovery_order)> dry_run;
    std::function<std::string(ha::endpoint server)> dry_run_rejoin;
    std::stop_token stopping = {};
};

/// Brings them to a supervisor on the control thread. Both must outlive what is returned.
/// A dry run throws std::runtime_error where the control thread gives no answer.
[[nodiscard]] ha_orders orders_of(boost::asio::io_context& control, ha::supervisor& hands,
                                  std::stop_token stopping);

}  // namespace howdah::admin
