#include "admin/ha/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <limits>

#include "ha/lsn.hpp"

namespace howdah::admin {

value time_value(ha::unix_us at) {
    if (at == 0) return {};
    constexpr ha::unix_us second = 1'000'000;
    const ha::unix_us part = (at % second + second) % second;
    const auto seconds = static_cast<std::time_t>((at - part) / second);
    std::tm utc{};
    if (::gmtime_r(&seconds, &utc) == nullptr) return {};
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00", utc.tm_year + 1900,
                       utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, part);
}

value number_value(std::uint64_t n) {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return static_cast<std::int64_t>(std::min(n, static_cast<std::uint64_t>(most)));
}

value flag(bool is) {
    return std::int64_t{is};
}

value text_value(std::string_view text) {
    return std::string(text);
}

value text_or_null(std::string_view text) {
    return text.empty() ? value() : value(std::string(text));
}

value lsn_value(const std::optional<std::uint64_t>& lsn) {
    return lsn ? value(ha::format_lsn(*lsn)) : value();
}

value host_value(const ha::endpoint& at) {
    return text_or_null(at.host);
}

value port_value(const ha::endpoint& at) {
    return at.host.empty() ? value() : value(std::int64_t{at.port});
}

value server_value(const std::optional<ha::endpoint>& at) {
    return at && !at->host.empty() ? value(to_string(*at)) : value();
}

value server_list(const std::vector<ha::endpoint>& servers) {
    std::string out;
    for (const ha::endpoint& at : servers)
        out += (out.empty() ? "" : ", ") + to_string(at);
    return out;
}

}  // namespace howdah::admin
