#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/value.hpp"

// The JSON in hostgroup_attributes.
namespace howdah::conf {

/// What a server has in a hostgroup into which its role has moved it and for which it has no row.
struct server_defaults {
    std::optional<std::uint32_t> weight;
    std::optional<std::uint32_t> max_connections;
    std::optional<int> use_ssl;
    bool operator==(const server_defaults&) const = default;
};
/// `{"weight": 2, "max_connections": 50, "use_ssl": 1}`, each at most once and in the bounds of the
/// server's column. Empty: none. Nothing is read where check_servers_defaults finds an error.
[[nodiscard]] server_defaults parse_servers_defaults(std::string_view text);
[[nodiscard]] value_error check_servers_defaults(std::string_view text);

/// `["application_name", ...]`, in lower case, sorted, unique. Empty: none.
[[nodiscard]] std::vector<std::string> parse_ignored_variables(std::string_view text);
[[nodiscard]] value_error check_ignored_variables(std::string_view text);

/// Empty or `{}`: what ProxySQL has there is about MySQL.
[[nodiscard]] value_error check_hostgroup_settings(std::string_view text);

/// -1.
[[nodiscard]] value_error check_autocommit(std::string_view text);

}  // namespace howdah::conf
