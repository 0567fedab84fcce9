#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace howdah::conf {

/// The parts of an option that is a list of texts separated by ';', without the blanks around them
/// and without empty ones. Pure.
[[nodiscard]] std::vector<std::string> split_text_list(std::string_view text);

}  // namespace howdah::conf
