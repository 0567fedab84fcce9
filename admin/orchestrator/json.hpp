#pragma once
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "admin/http/http_message.hpp"

namespace howdah::admin::orchestrator {

/// Fields stay in Orchestrator's order.
using json = nlohmann::ordered_json;

/// Why a call is not carried out: Orchestrator's envelope with Code ERROR. Scripts look at the
/// HTTP status, orchestrator-client at the code.
class api_error : public std::runtime_error {
public:
    explicit api_error(const std::string& message, unsigned status = 500)
        : std::runtime_error(message), status_(status) {}
    [[nodiscard]] unsigned status() const { return status_; }

private:
    unsigned status_;
};

/// A bare value, as most reading calls have it.
[[nodiscard]] http_answer json_answer(const json& value, unsigned status = 200);
/// {"Code": "OK", "Message": ..., "Details": ...}
[[nodiscard]] http_answer ok_answer(std::string_view message, const json& details);
[[nodiscard]] http_answer ok_answer(std::string_view message);  ///< Details null
[[nodiscard]] http_answer error_answer(std::string_view message, unsigned status);
[[nodiscard]] http_answer error_answer(std::string_view message, const json& details,
                                       unsigned status);

/// Words that a shell would take for file names are put in single quotes: orchestrator-client
/// echoes messages unquoted, and drops the single quotes before it shows them.
[[nodiscard]] std::string without_globs(std::string_view message);

}  // namespace howdah::admin::orchestrator
