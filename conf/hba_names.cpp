#include "conf/hba_names.hpp"

#include <algorithm>

namespace howdah::conf {
namespace {

constexpr std::string_view blanks = " \t";

value_error check_name(std::string_view entry) {
    if (entry == "\"\"" || entry == "\"" || entry == "/") return "has an empty entry";
    if (entry.starts_with('@')) return "names a file (@...); list the names themselves";
    if (entry.starts_with('"') != entry.ends_with('"')) return "has an unpaired '\"'";
    return std::nullopt;
}

}  // namespace

std::vector<std::string_view> split_hba_names(std::string_view text) {
    std::vector<std::string_view> entries;
    while (!text.empty()) {
        text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
        const auto end =
            std::min(text.find_first_of(text.starts_with('/') ? ";" : ";,"), text.size());
        auto entry = text.substr(0, end);
        entry = entry.substr(0, entry.find_last_not_of(blanks) + 1);
        if (!entry.empty()) entries.push_back(entry);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return entries;
}

value_error check_hba_database(std::string_view entry) {
    if (entry == "samerole" || entry == "samegroup" || entry.starts_with('+'))
        return "asks for the members of a role, which Howdah does not know; list the databases";
    return check_name(entry);
}

value_error check_hba_user(std::string_view entry) {
    if (entry.starts_with('+'))
        return "asks for the members of a role (+role), which Howdah does not know; list the users";
    return check_name(entry);
}

}  // namespace howdah::conf
