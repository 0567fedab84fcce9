#include "admin/orchestrator/json.hpp"

#include <nlohmann/json.hpp>

namespace howdah::admin::orchestrator {
namespace {

http_answer enveloped(std::string_view code, std::string_view message, const json& details,
                      unsigned status) {
    json out;
    out["Code"] = code;
    out["Message"] = without_globs(message);
    out["Details"] = details;
    return json_answer(out, status);
}

}  // namespace

std::string without_globs(std::string_view message) {
    std::string out;
    while (!message.empty()) {
        const std::size_t blank = std::min(message.find(' '), message.size());
        const std::string_view word = message.substr(0, blank);
        const bool quoted = word.size() > 1 && word.front() == '\'' && word.back() == '\'';
        const bool glob = word.find_first_of("*?[") != word.npos && !quoted;
        if (glob) out += '\'';
        out += word;
        if (glob) out += '\'';
        if (blank < message.size()) out += ' ';
        message.remove_prefix(std::min(blank + 1, message.size()));
    }
    return out;
}

http_answer json_answer(const json& value, unsigned status) {
    http_answer out;
    out.status = status;
    out.type = "application/json; charset=utf-8";
    // Names and texts come from servers and operators: bytes that are no UTF-8 are replaced.
    out.body = value.dump(-1, ' ', false, json::error_handler_t::replace);
    out.headers = {{"Cache-Control", "no-store"}};
    return out;
}

http_answer ok_answer(std::string_view message, const json& details) {
    return enveloped("OK", message, details, 200);
}
http_answer ok_answer(std::string_view message) {
    return ok_answer(message, nullptr);
}
http_answer error_answer(std::string_view message, const json& details, unsigned status) {
    return enveloped("ERROR", message, details, status);
}
http_answer error_answer(std::string_view message, unsigned status) {
    return error_answer(message, nullptr, status);
}

}  // namespace howdah::admin::orchestrator
