#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace howdah::admin {

struct http_request {
    std::string method;
    std::string path;   ///< without the query, as sent: percent-encoded
    std::string query;  ///< behind '?', as sent
    std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
    std::string body;
    std::string peer;    ///< address of the other side, or "unix"
    bool local = false;  ///< the other side is on this machine
    bool tls = false;

    /// "" if there is none.
    [[nodiscard]] std::string_view header(std::string_view lower_case_name) const {
        const auto found = headers.find(lower_case_name);
        return found == headers.end() ? std::string_view{} : std::string_view(found->second);
    }
};

struct http_answer {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  ///< beside what the server sets
    std::chrono::milliseconds delay{0};  ///< it is held back for so long: a login failed
};

/// Takes the one answer to a request; later ones are ignored. From any thread.
using http_responder = std::function<void(http_answer)>;

}  // namespace howdah::admin
