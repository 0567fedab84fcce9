#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "conf/field.hpp"
#include "conf/settings.hpp"

namespace howdah::conf {

/// One row of the option table: a member of `variables`, and what a reload does with it.
struct option : field<variables> {
    std::string_view group;  ///< Heading in the documentation.
    bool reloadable = true;  ///< false: a new value is used after a restart only.
};

/// The option table: every variable once, in the order of the documentation. The defaults are
/// those of a default-constructed `variables`.
std::span<const option> options();

/// Null if there is no such option.
const option* find_option(std::string_view name);

std::vector<std::string_view> option_names();

/// The default as text; lists as "a;b".
std::string default_of(const option& row);

}  // namespace howdah::conf
