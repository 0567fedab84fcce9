#include "conf/diagnostic.hpp"

#include <fmt/format.h>

namespace howdah::conf {

std::string diagnostic::to_string() const {
    return line > 0 ? fmt::format("{}:{}: {}", file, line, message)
                    : fmt::format("{}: {}", file, message);
}

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 60;
    std::string result = "'";
    for (const char c : text.substr(0, longest))
        result += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return result + (text.size() > longest ? "...'" : "'");
}

}  // namespace howdah::conf
