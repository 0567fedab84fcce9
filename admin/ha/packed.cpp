#include "admin/ha/packed.hpp"

#include <cstdint>

namespace howdah::admin {

json pack(const std::string& text) {
    json out = text;
    try {
        (void)out.dump();
    } catch (const json::type_error&) {
        out = json::array();
        for (const char c : text)
            out.push_back(static_cast<std::uint8_t>(c));
    }
    return out;
}

void unpack(const json& in, std::string& out) {
    if (!in.is_array()) {
        in.get_to(out);
        return;
    }
    out.clear();
    for (const json& byte : in)
        out += static_cast<char>(byte.get<std::uint8_t>());
}

json pack(ha::promotion_rule rule) {
    return std::string(to_string(rule));
}

void unpack(const json& in, ha::promotion_rule& out) {
    const auto text = in.get<std::string>();
    const auto rule = ha::parse_promotion_rule(text);
    if (!rule) throw std::runtime_error("\"" + text + "\" is no promotion rule");
    out = *rule;
}

}  // namespace howdah::admin
