#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/messages.hpp"

using namespace howdah::protocol;

namespace {

/// A message rebuilt from its view must be the message that was read.
void require_body(const std::string& rebuilt, std::string_view body) {
    if (std::string_view(rebuilt).substr(frame_header_size) != body ||
        peek_frame(rebuilt)->size() != rebuilt.size())
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    std::string out;
    if (const auto sql = parse_query(body)) {
        append_query(out, *sql);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_parse(body)) {
        append_parse_raw(out, view->name, view->sql, view->oids_bytes);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_bind(body)) {
        const auto tail = body.substr(view->header_size);
        append_bind_prefix(out, view->portal, view->statement, tail.size());
        out.append(tail);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_describe(body)) {
        append_describe(out, view->kind, view->name);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_close(body)) {
        append_close(out, view->kind, view->name);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_execute(body)) {
        append_execute(out, view->portal, view->max_rows);
        require_body(out, body);
    }
    out.clear();
    if (const auto text = parse_password(body)) {
        append_password(out, *text);
        require_body(out, body);
    }
    out.clear();
    if (const auto view = parse_sasl_initial(body); view && view->data) {
        append_sasl_initial(out, view->mechanism, *view->data);
        require_body(out, body);
    }
    return 0;
}
