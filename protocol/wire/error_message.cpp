#include "protocol/wire/error_message.hpp"

#include "protocol/wire/reader.hpp"
#include "protocol/wire/writer.hpp"

namespace howdah::protocol {
namespace {

void append_fields(std::string& out, char type, const error_fields& fields) {
    message_writer message(out, type);
    const auto field = [&](char code, std::string_view text) {
        message.u8(static_cast<std::uint8_t>(code));
        message.cstring(text);
    };
    const auto optional_field = [&](char code, std::string_view text) {
        if (!text.empty()) field(code, text);
    };
    field('S', to_string(fields.level));
    field('V', to_string(fields.level));
    field('C', fields.sqlstate);
    field('M', fields.message);
    optional_field('D', fields.detail);
    optional_field('H', fields.hint);
    optional_field('P', fields.position);
    optional_field('W', fields.where);
    optional_field('R', fields.routine);
    message.u8(0);
}

}  // namespace

std::string_view to_string(severity level) noexcept {
    switch (level) {
        case severity::error:
            return "ERROR";
        case severity::fatal:
            return "FATAL";
        case severity::panic:
            return "PANIC";
        case severity::warning:
            return "WARNING";
        case severity::notice:
            return "NOTICE";
        case severity::info:
            return "INFO";
        case severity::debug:
            return "DEBUG";
        case severity::log:
            return "LOG";
    }
    return "ERROR";
}

void append_error(std::string& out, const error_fields& fields) {
    append_fields(out, 'E', fields);
}

void append_error(std::string& out, severity level, std::string_view sqlstate,
                  std::string_view message, std::string_view detail, std::string_view hint) {
    append_fields(out, 'E', {level, sqlstate, message, detail, hint});
}

void append_changed_error(std::string& out, std::string_view body, const error_changes& changes) {
    message_writer message(out, 'E');
    reader in(body);
    while (in.remaining() > 0) {
        const char code = static_cast<char>(in.u8());
        if (code == '\0') break;
        const std::string_view text = in.cstring();
        if (!in.ok()) break;
        message.u8(static_cast<std::uint8_t>(code));
        const std::size_t at =
            code == 'M' && !changes.from.empty() ? text.find(changes.from) : text.npos;
        if (at != text.npos) {
            message.bytes(text.substr(0, at));
            message.bytes(changes.to);
            message.cstring(text.substr(at + changes.from.size()));
        } else if (changes.level && (code == 'S' || code == 'V')) {
            message.cstring(to_string(*changes.level));
        } else {
            message.cstring(text);
        }
    }
    message.u8(0);
}

void append_notice(std::string& out, const error_fields& fields) {
    append_fields(out, 'N', fields);
}

void append_notice(std::string& out, severity level, std::string_view sqlstate,
                   std::string_view message, std::string_view detail, std::string_view hint) {
    append_fields(out, 'N', {level, sqlstate, message, detail, hint});
}

std::optional<error_view> parse_error(std::string_view body) {
    error_view error{};
    std::string_view localized_severity;
    reader in(body);
    while (in.remaining() > 0) {
        const char code = static_cast<char>(in.u8());
        if (code == '\0') {
            if (!in.at_end()) return std::nullopt;
            break;
        }
        const auto text = in.cstring();
        if (!in.ok()) return std::nullopt;
        switch (code) {
            case 'S':
                localized_severity = text;
                break;
            case 'V':
                error.severity = text;
                break;
            case 'C':
                error.sqlstate = text;
                break;
            case 'M':
                error.message = text;
                break;
            case 'D':
                error.detail = text;
                break;
            case 'H':
                error.hint = text;
                break;
            case 'P':
                error.position = text;
                break;
            case 'W':
                error.where = text;
                break;
            case 'R':
                error.routine = text;
                break;
            default:
                break;
        }
    }
    if (error.severity.empty()) error.severity = localized_severity;
    return error;
}

}  // namespace howdah::protocol
