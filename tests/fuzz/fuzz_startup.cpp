#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/wire/startup.hpp"

using namespace howdah::protocol;

namespace {

/// What was accepted must be written and read back as the same.
void round_trip(const startup_message& message) {
    std::string out;
    append_startup(out, message.minor, message.parameters);
    const auto parsed = parse_startup(out);
    const auto* again = std::get_if<startup_message>(&parsed);
    if (!again || again->parameters != message.parameters ||
        again->version() != message.version() || message.find("user").empty())
        std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    // As it comes, and with a length word that fits, so that the parameters are reached.
    (void)startup_length(input);
    (void)parse_startup(input);
    std::string framed;
    for (int shift = 24; shift >= 0; shift -= 8)
        framed.push_back(static_cast<char>((size + 4) >> shift));
    framed.append(input);
    const auto parsed = parse_startup(framed);
    if (const auto* message = std::get_if<startup_message>(&parsed)) round_trip(*message);
    if (const auto* cancel = std::get_if<cancel_request>(&parsed)) {
        std::string out;
        append_cancel_request(out, cancel->pid, cancel->key);
        if (out != framed) std::abort();
    }
    if (const auto settings = split_options(input); settings.has_value())
        for (const auto& [name, value] : *settings)
            if (name.empty()) std::abort();
    (void)parse_negotiate_protocol_version(input);
    return 0;
}
