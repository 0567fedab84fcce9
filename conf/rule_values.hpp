#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// One of several flagOUTs among which a rule draws.
struct weighted_flag {
    int flag = 0;
    std::uint32_t weight = 0;
    bool operator==(const weighted_flag&) const = default;
};
/// What a rule's attributes say of its flagOUT: JSON, `{"flagOUTs": [{"id": 1, "weight": 3}]}`, as
/// in ProxySQL. Other members are ignored. Empty: nothing is said. Nothing if it is no JSON object
/// or the list is malformed, or its weights add up to 0 or to more than 2^32-1.
std::optional<std::vector<weighted_flag>> parse_weighted_flags(std::string_view text);

}  // namespace howdah::conf
