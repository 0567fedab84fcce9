#pragma once
#include <string>

#include "admin/sql/value.hpp"
#include "ha/history.hpp"

namespace howdah::admin {

/// The end of a SELECT over history, from WHERE on, newest first. A condition about something that
/// a table does not have is met by none of its rows.
struct conditions {
    std::string sql;
    row parameters;
};
[[nodiscard]] conditions of_recoveries(const ha::history_filter& which);
[[nodiscard]] conditions of_detections(const ha::history_filter& which);
[[nodiscard]] conditions of_audit(const ha::history_filter& which);

}  // namespace howdah::admin
