#include "monitor/pq_error.hpp"

#include <algorithm>
#include <array>

namespace howdah::monitor {
namespace {

bool is_sqlstate(std::string_view text) {
    return text.size() == 5 && std::ranges::all_of(text, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
           });
}

/// Texts of libpq itself, for failures that say nothing about the server's health.
bool is_local(std::string_view text) {
    if (text.find("SSL SYSCALL") != text.npos || text.find("closed the connection") != text.npos)
        return false;
    constexpr std::array<std::string_view, 7> ours{
        "SSL",   "certificate",     "password supplied",    "key file",
        "SCRAM", "channel binding", "authentication method"};
    return std::ranges::any_of(
        ours, [text](std::string_view word) { return text.find(word) != text.npos; });
}

}  // namespace

std::string pq_error::describe() const {
    return sqlstate.empty() ? message : message + " (SQLSTATE " + sqlstate + ")";
}

pq_error parse_connect_error(std::string_view text) {
    pq_error out;
    const auto line = text.substr(0, text.find('\n'));
    constexpr std::string_view gap = ":  ";
    for (auto at = line.find(gap); at != line.npos; at = line.find(gap, at + 1)) {
        const auto code =
            line.substr(at + gap.size(), std::min<std::size_t>(5, line.size() - at - gap.size()));
        const auto after = at + gap.size() + 5;
        if (!is_sqlstate(code) || line.substr(std::min(after, line.size()), 2) != ": ") continue;
        out.sqlstate = code;
        out.message = std::string(line.substr(0, at)) + ": " + std::string(line.substr(after + 2));
        return out;
    }
    out.message = line;
    out.local = is_local(text);
    return out;
}

probe_result classify(const pq_error& error) {
    if (error.sqlstate == "57P03") return probe_result::not_ready;
    // The session was ended under us by a shutdown or crash: as good as a broken connection.
    if (error.sqlstate == "57P01" || error.sqlstate == "57P02") return probe_result::failed;
    if (!error.sqlstate.empty() || error.local) return probe_result::alive;
    return probe_result::failed;
}

}  // namespace howdah::monitor
