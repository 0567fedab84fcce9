#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "conf/value.hpp"

namespace howdah::conf {

/// An IP address. IPv4 that is mapped into IPv6 (::ffff:10.0.0.1) counts as IPv4.
struct ip_address {
    bool v6 = false;
    std::array<std::uint8_t, 16> bytes{};  ///< of IPv4 the first four

    auto operator<=>(const ip_address&) const = default;
};

[[nodiscard]] std::optional<ip_address> parse_ip(std::string_view text);
/// From bytes in network order: 4 or 16.
[[nodiscard]] ip_address ip_from_bytes(const std::uint8_t* bytes, bool v6);
[[nodiscard]] std::string to_string(const ip_address& address);

/// All addresses whose first `prefix` bits are those of `base`.
struct ip_range {
    ip_address base;
    int prefix = 0;

    [[nodiscard]] bool contains(const ip_address& address) const;
    bool operator==(const ip_range&) const = default;
};

/// "10.0.0.0/8", "fd00::/8", or one address.
[[nodiscard]] std::optional<ip_range> parse_ip_range(std::string_view text);

/// The column `address` of a rule: a range, "samehost", "samenet" or "all".
[[nodiscard]] value_error check_hba_address(std::string_view text);

}  // namespace howdah::conf
