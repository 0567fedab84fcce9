#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "conf/settings.hpp"

// The written names of the enumerations in settings.hpp: one table for the parser, the printer,
// the documentation and log messages.
namespace howdah::conf {

template <class Enum>
using named = std::pair<std::string_view, Enum>;

/// All spellings of an enumeration. The first one of each value is what is printed; the others
/// are ProxySQL's and are accepted only.
std::span<const named<pool_mode>> names_of(pool_mode);
std::span<const named<authentication_method>> names_of(authentication_method);
std::span<const named<client_sslmode>> names_of(client_sslmode);
std::span<const named<server_sslmode>> names_of(server_sslmode);
std::span<const named<tls_version>> names_of(tls_version);
std::span<const named<hba_type>> names_of(hba_type);
std::span<const named<hba_method>> names_of(hba_method);
std::span<const named<hba_clientcert>> names_of(hba_clientcert);
std::span<const named<read_consistency>> names_of(read_consistency);
std::span<const named<lagging_reads>> names_of(lagging_reads);
std::span<const named<ha_mode>> names_of(ha_mode);
std::span<const named<ha_durability>> names_of(ha_durability);
std::span<const named<promotion_rule>> names_of(promotion_rule);
std::span<const named<load_balance>> names_of(load_balance);
std::span<const named<log_level>> names_of(log_level);
std::span<const named<log_format>> names_of(log_format);
std::span<const named<server_status>> names_of(server_status);
std::span<const named<firewall_mode>> names_of(firewall_mode);

/// "scram-sha-256", "OFFLINE_SOFT", ...: as written in the configuration.
template <class Enum>
std::string_view to_string(Enum value) {
    for (const auto& [name, known] : names_of(value))
        if (known == value) return name;
    return "?";
}

/// Ignores upper and lower case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

template <class Enum>
std::optional<Enum> from_string(std::string_view text) {
    for (const auto& [name, value] : names_of(Enum{}))
        if (equal_ignoring_case(name, text)) return value;
    return std::nullopt;
}

}  // namespace howdah::conf
