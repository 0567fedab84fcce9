#include "conf/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

namespace howdah::conf {

std::optional<ip_address> parse_ip(std::string_view text) {
    std::array<std::uint8_t, 16> bytes{};
    const std::string terminated(text);
    if (terminated.size() != std::strlen(terminated.c_str())) return std::nullopt;
    const bool v6 = text.find(':') != text.npos;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, terminated.c_str(), bytes.data()) != 1)
        return std::nullopt;
    return ip_from_bytes(bytes.data(), v6);
}

ip_address ip_from_bytes(const std::uint8_t* bytes, bool v6) {
    constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    ip_address result;
    if (v6 && std::equal(mapped, mapped + 12, bytes)) {
        bytes += 12;
        v6 = false;
    }
    result.v6 = v6;
    std::copy_n(bytes, v6 ? 16 : 4, result.bytes.begin());
    return result;
}

std::string to_string(const ip_address& address) {
    char text[INET6_ADDRSTRLEN] = "";
    inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
    return text;
}

bool ip_range::contains(const ip_address& address) const {
    if (address.v6 != base.v6) return false;
    const auto whole = static_cast<std::size_t>(prefix / 8);
    if (!std::equal(base.bytes.begin(), base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.bytes.begin()))
        return false;
    if (prefix % 8 == 0) return true;
    const int mask = 0xff << (8 - prefix % 8);
    return ((base.bytes[whole] ^ address.bytes[whole]) & mask & 0xff) == 0;
}

std::optional<ip_range> parse_ip_range(std::string_view text) {
    const auto slash = text.find('/');
    const auto base = parse_ip(text.substr(0, slash));
    if (!base) return std::nullopt;
    ip_range result{*base, base->v6 ? 128 : 32};
    if (slash == text.npos) return result;
    std::int64_t prefix = 0;
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.find_first_not_of("0123456789") != digits.npos ||
        parse_number(digits, value_kind::integer, {0, result.prefix}, prefix))
        return std::nullopt;
    result.prefix = static_cast<int>(prefix);
    return result;
}

value_error check_hba_address(std::string_view text) {
    if (text == "all" || text == "samehost" || text == "samenet" || parse_ip_range(text))
        return std::nullopt;
    return "is not an address such as 10.0.0.0/8, fd00::/8 or 127.0.0.1, nor samehost, samenet or "
           "all (host names are not looked up; a mask is written as /8)";
}

}  // namespace howdah::conf
