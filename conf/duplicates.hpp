#pragma once
#include <fmt/format.h>

#include <map>
#include <vector>

#include "conf/document.hpp"

namespace howdah::conf {

/// Reports records with an equal key; `describe` names the record and what it collides in.
template <class Record, class Key, class Describe>
void report_duplicates(const std::vector<located<Record>>& records, Key key, Describe describe,
                       problem_list& problems) {
    std::map<decltype(key(records.front().value)), int> first_line;
    for (const auto& record : records) {
        const auto [first, is_new] = first_line.emplace(key(record.value), record.line);
        if (!is_new)
            problems.error(record.line, fmt::format("{} is listed twice (first on line {})",
                                                    describe(record.value), first->second));
    }
}

}  // namespace howdah::conf
