#pragma once
#include <string>
#include <string_view>

#include "proxy/ha_client/request.hpp"

namespace howdah::proxy::ha_client {

/// The command of the admin interface that carries the order out, or shows it (dry run). Names and
/// texts are literals in it: whatever they hold, they stay one. `cluster` is that of a failover.
[[nodiscard]] std::string order_of(const request& asked, const std::string& cluster);

/// What `history` shows: the newest recoveries, or one.
[[nodiscard]] std::string history_of(const request& asked);
/// The steps of request::recovery.
[[nodiscard]] std::string steps_of(const request& asked);

/// 'text', with quotes in it doubled.
[[nodiscard]] std::string literal(std::string_view text);

}  // namespace howdah::proxy::ha_client
