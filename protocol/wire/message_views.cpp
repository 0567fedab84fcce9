#include "protocol/wire/message_views.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/startup.hpp"

namespace howdah::protocol {
namespace {

constexpr std::size_t max_sasl_mechanisms = 32;

std::optional<std::string_view> parse_text(std::string_view body) noexcept {
    reader in(body);
    const auto text = in.cstring();
    if (!in.at_end()) return std::nullopt;
    return text;
}

template <class View>
std::optional<View> parse_kind_and_name(std::string_view body) noexcept {
    reader in(body);
    const char kind = static_cast<char>(in.u8());
    const auto name = in.cstring();
    if (!in.at_end() || (kind != 'S' && kind != 'P')) return std::nullopt;
    return View{kind, name};
}

}  // namespace

std::optional<std::string_view> parse_query(std::string_view body) noexcept {
    return parse_text(body);
}

std::optional<parse_view> parse_parse(std::string_view body) noexcept {
    reader in(body);
    parse_view view{in.cstring(), in.cstring(), in.rest()};
    reader types(view.oids_bytes);
    const std::size_t count = types.u16();
    (void)types.bytes(4 * count);
    if (!in.ok() || !types.at_end()) return std::nullopt;
    return view;
}

std::optional<bind_view> parse_bind(std::string_view body_prefix) noexcept {
    reader in(body_prefix);
    const auto portal = in.cstring();
    const auto statement = in.cstring();
    if (!in.ok()) return std::nullopt;
    return bind_view{portal, statement, body_prefix.size() - in.remaining()};
}

std::optional<describe_view> parse_describe(std::string_view body) noexcept {
    return parse_kind_and_name<describe_view>(body);
}

std::optional<close_view> parse_close(std::string_view body) noexcept {
    return parse_kind_and_name<close_view>(body);
}

std::optional<execute_view> parse_execute(std::string_view body) noexcept {
    reader in(body);
    execute_view view{in.cstring(), in.i32()};
    if (!in.at_end()) return std::nullopt;
    return view;
}

std::optional<std::string_view> parse_password(std::string_view body) noexcept {
    return parse_text(body);
}

std::optional<sasl_initial_view> parse_sasl_initial(std::string_view body) noexcept {
    reader in(body);
    sasl_initial_view view{in.cstring(), std::nullopt};
    const auto length = in.i32();
    if (length >= 0)
        view.data = in.bytes(static_cast<std::size_t>(length));
    else if (length != -1)
        return std::nullopt;
    if (!in.at_end()) return std::nullopt;
    return view;
}

std::optional<authentication_view> parse_authentication(std::string_view body) noexcept {
    reader in(body);
    authentication_view view{in.i32(), in.rest()};
    if (!in.ok()) return std::nullopt;
    const bool empty =
        view.code == authentication::ok || view.code == authentication::cleartext_password;
    if (empty && !view.data.empty()) return std::nullopt;
    if (view.code == authentication::md5_password && view.data.size() != 4) return std::nullopt;
    return view;
}

std::optional<std::vector<std::string_view>> parse_sasl_mechanisms(std::string_view data) {
    std::vector<std::string_view> mechanisms;
    reader in(data);
    while (in.ok() && mechanisms.size() <= max_sasl_mechanisms) {
        const auto name = in.cstring();
        if (name.empty()) {
            if (!in.at_end()) break;
            return mechanisms;
        }
        mechanisms.push_back(name);
    }
    return std::nullopt;
}

std::optional<backend_key_view> parse_backend_key(std::string_view body) noexcept {
    reader in(body);
    backend_key_view view{in.i32(), in.rest()};
    if (!in.ok() || view.key.size() < 4 || view.key.size() > max_cancel_key_length)
        return std::nullopt;
    return view;
}

std::optional<parameter_status_view> parse_parameter_status(std::string_view body) noexcept {
    reader in(body);
    parameter_status_view view{in.cstring(), in.cstring()};
    if (!in.at_end()) return std::nullopt;
    return view;
}

std::optional<char> parse_ready_for_query(std::string_view body) noexcept {
    if (body != "I" && body != "T" && body != "E") return std::nullopt;
    return body.front();
}

std::optional<std::string_view> parse_command_complete(std::string_view body) noexcept {
    return parse_text(body);
}

}  // namespace howdah::protocol
