#include "conf/text_list.hpp"

#include <algorithm>

namespace howdah::conf {

std::vector<std::string> split_text_list(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        auto one = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        while (one.starts_with(' '))
            one.remove_prefix(1);
        while (one.ends_with(' '))
            one.remove_suffix(1);
        if (!one.empty()) out.emplace_back(one);
    }
    return out;
}

}  // namespace howdah::conf
