#pragma once
#include <chrono>
#include <vector>

#include "admin/ha/orders.hpp"
#include "admin/ha/tables.hpp"
#include "admin/sql/command.hpp"

namespace howdah::admin {

/// How long a command waits for its order to end. The order goes on after that.
inline constexpr std::chrono::minutes order_patience{10};

/// SHOW HA, SHOW TOPOLOGY, FAILOVER, SWITCHOVER, DOWNTIME, ...: what people look at and order. They
/// have to stand before commands that take any name, such as ENABLE <database>. `kept` must outlive
/// them.
[[nodiscard]] std::vector<command> ha_commands(const ha_orders& orders, const ha_view_source& view,
                                               ha::store& kept,
                                               std::chrono::milliseconds patience = order_patience);

/// Its parts.
[[nodiscard]] std::vector<command> ha_show_commands(const ha_view_source& view, ha::store& kept);
[[nodiscard]] std::vector<command> ha_order_commands(const ha_orders& orders,
                                                     const ha_view_source& view, ha::store& kept,
                                                     std::chrono::milliseconds patience);
[[nodiscard]] std::vector<command> ha_note_commands(const ha_orders& orders,
                                                    const ha_view_source& view,
                                                    std::chrono::milliseconds patience);

inline constexpr std::string_view ha_group = "High availability";

}  // namespace howdah::admin
