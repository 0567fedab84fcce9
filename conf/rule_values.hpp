#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Texts in query rules that stand for something else.
namespace howdah::conf {

/// "0x" and 1 to 16 hex digits of either case, as stats_pgsql_query_digest shows digests.
std::optional<std::uint64_t> parse_digest(std::string_view text);
/// "0x" and 16 digits in upper case.
std::string format_digest(std::uint64_t digest);

struct re_modifiers {
    bool caseless = false;
    bool global = false;
};
/// Names in any case with ',' between them; empty: neither. Nothing if it names anything else.
std::optional<re_modifiers> parse_re_modifiers(std::string_view text);

}  // namespace howdah::conf
