#include "protocol/wire/startup.hpp"

#include <algorithm>

#include "protocol/wire/reader.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "protocol/wire/writer.hpp"

namespace howdah::protocol {
namespace {

// Request codes stand where the version would, with a major version that never exists.
constexpr std::uint32_t cancel_request_code = 1234u << 16 | 5678;
constexpr std::uint32_t ssl_request_code = 1234u << 16 | 5679;
constexpr std::uint32_t gssenc_request_code = 1234u << 16 | 5680;
constexpr std::size_t length_size = 4;
constexpr std::size_t min_cancel_key_length = 4;

startup_error invalid_length() {
    return {sqlstate::protocol_violation, "invalid length of startup packet"};
}

startup_packet parse_cancel(reader in) {
    const auto pid = in.i32();
    const auto key = in.rest();
    if (!in.ok())
        return startup_error{sqlstate::protocol_violation,
                             "invalid length of cancel request packet"};
    if (key.size() < min_cancel_key_length || key.size() > max_cancel_key_length)
        return startup_error{sqlstate::protocol_violation,
                             "invalid length of cancel key in cancel request packet"};
    return cancel_request{pid, key};
}

startup_packet parse_parameters(std::uint32_t version, reader in) {
    startup_message message;
    message.major = static_cast<std::uint16_t>(version >> 16);
    message.minor = static_cast<std::uint16_t>(version & 0xffff);
    bool terminated = false;
    while (!terminated && in.remaining() > 0) {
        const auto name = in.cstring();
        if (in.ok() && name.empty()) {
            terminated = in.at_end();
            break;
        }
        const auto value = in.cstring();
        if (!in.ok()) break;
        if (name.starts_with("_pq_."))
            message.protocol_options.push_back(name);
        else
            message.parameters.emplace_back(name, value);
    }
    if (!terminated)
        return startup_error{sqlstate::protocol_violation,
                             "invalid startup packet layout: expected terminator as last byte"};
    if (message.find("user").empty())
        return startup_error{sqlstate::invalid_authorization_specification,
                             "no PostgreSQL user name specified in startup packet"};
    return message;
}

}  // namespace

std::string_view startup_message::find(std::string_view name) const noexcept {
    const auto found = std::find_if(parameters.rbegin(), parameters.rend(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == parameters.rend() ? std::string_view{} : found->second;
}

std::optional<std::size_t> startup_length(std::string_view first4) noexcept {
    reader in(first4);
    const std::size_t length = in.u32();
    if (!in.ok() || length < length_size + 4 || length > length_size + max_startup_packet_length)
        return std::nullopt;
    return length;
}

startup_packet parse_startup(std::string_view packet) {
    if (startup_length(packet) != packet.size()) return invalid_length();
    reader in(packet.substr(length_size));
    const auto version = in.u32();
    switch (version) {
        case cancel_request_code:
            return parse_cancel(in);
        case ssl_request_code:
            if (!in.at_end()) return invalid_length();
            return ssl_request{};
        case gssenc_request_code:
            if (!in.at_end()) return invalid_length();
            return gssenc_request{};
        default:
            break;
    }
    if (version >> 16 != protocol_3_0 >> 16)
        return startup_error{sqlstate::feature_not_supported,
                             "unsupported frontend protocol " + std::to_string(version >> 16) +
                                 "." + std::to_string(version & 0xffff) +
                                 ": server supports 3.0 to 3.2"};
    return parse_parameters(version, in);
}

void append_ssl_request(std::string& out) {
    message_writer(out, 0).u32(ssl_request_code);
}

void append_cancel_request(std::string& out, std::int32_t pid, std::string_view key) {
    message_writer message(out, 0);
    message.u32(cancel_request_code);
    message.i32(pid);
    message.bytes(key);
}

void append_startup(std::string& out, std::uint16_t minor,
                    std::span<const std::pair<std::string_view, std::string_view>> parameters) {
    message_writer message(out, 0);
    message.u32(protocol_3_0 | minor);
    for (const auto& [name, value] : parameters) {
        if (name.empty() || name.front() == '\0') continue;
        message.cstring(name);
        message.cstring(value);
    }
    message.u8(0);
}

void append_negotiate_protocol_version(std::string& out, std::uint32_t version,
                                       std::span<const std::string_view> options) {
    message_writer message(out, 'v');
    message.u32(version);
    message.u32(static_cast<std::uint32_t>(options.size()));
    for (const auto option : options)
        message.cstring(option);
}

std::optional<negotiate_view> parse_negotiate_protocol_version(std::string_view body) {
    reader in(body);
    negotiate_view view{in.u32(), {}};
    const auto count = in.u32();
    // Each option takes at least its NUL, so the loop is bounded by the body, not by the count.
    if (!in.ok() || count > in.remaining()) return std::nullopt;
    for (std::uint32_t i = 0; i < count && in.ok(); ++i)
        view.options.push_back(in.cstring());
    if (!in.at_end()) return std::nullopt;
    return view;
}

}  // namespace howdah::protocol
