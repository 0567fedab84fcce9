#pragma once
#include <map>
#include <string>
#include <string_view>

#include "conf/value.hpp"

// The tags of a server: names with values, kept as JSON in one string.
namespace howdah::conf {

using tag_map = std::map<std::string, std::string>;

/// `{"name": "value"}`. Empty: none. Nothing is read where check_tags finds an error.
[[nodiscard]] tag_map parse_tags(std::string_view text);
[[nodiscard]] value_error check_tags(std::string_view text);
/// What parse_tags reads; empty for no tags.
[[nodiscard]] std::string format_tags(const tag_map& tags);

}  // namespace howdah::conf
