#include "ha/news.hpp"

#include <re2/re2.h>

namespace howdah::ha {

std::string without_quantities(std::string_view sentence) {
    static const RE2 quantity(
        R"(\b\d+(?:\.\d+)? (?:ms|s|seconds?|bytes?|[KMGT]iB)\b|\b(?:\d+:)?[0-9A-F]+/[0-9A-F]+\b)");
    std::string out(sentence);
    RE2::GlobalReplace(&out, quantity, "#");
    return out;
}

}  // namespace howdah::ha
