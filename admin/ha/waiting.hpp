#pragma once
#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "admin/ha/orders.hpp"
#include "admin/sql/sql_error.hpp"

namespace howdah::admin {

/// Begins an order and waits for its answer; an error where it was not carried out (with `hint`),
/// where it takes longer than `patience`, or where Howdah stops.
[[nodiscard]] sql_result<ha::order_answer> carry_out(
    const std::function<void(ha_orders::answer)>& begin, std::chrono::milliseconds patience,
    const std::stop_token& stopping, const std::string& hint);

}  // namespace howdah::admin
