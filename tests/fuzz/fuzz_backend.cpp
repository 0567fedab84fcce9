#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/messages.hpp"

using namespace howdah::protocol;

namespace {

void require_body(const std::string& rebuilt, std::string_view body) {
    if (std::string_view(rebuilt).substr(frame_header_size) != body) std::abort();
}

/// What we read from an error must come through if we raise it ourselves.
void check_error(std::string_view body) {
    const auto error = parse_error(body);
    if (!error) return;
    (void)error->ends_connection();
    std::string out;
    append_error(out, severity::error, error->sqlstate, error->message, error->detail, error->hint);
    const auto again = parse_error(std::string_view(out).substr(frame_header_size));
    if (!again || again->sqlstate != error->sqlstate || again->message != error->message ||
        again->detail != error->detail || again->hint != error->hint)
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    check_error(body);
    std::string out;
    if (const auto view = parse_authentication(body); view && view->code == authentication::sasl)
        (void)parse_sasl_mechanisms(view->data);
    if (const auto names = parse_sasl_mechanisms(body)) {
        append_authentication_sasl(out, *names);
        require_body(out, std::string("\0\0\0\x0a", 4).append(body));
    }
    out.clear();
    if (const auto view = parse_backend_key(body)) {
        append_backend_key_data(out, view->pid, view->key);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_parameter_status(body)) {
        append_parameter_status(out, view->name, view->value);
        require_body(out, body);
    }
    out.clear();
    if (const auto status = parse_ready_for_query(body)) {
        append_ready_for_query(out, *status);
        require_body(out, body);
    }
    out.clear();
    if (const auto tag = parse_command_complete(body)) {
        append_command_complete(out, *tag);
        require_body(out, body);
    }
    return 0;
}
