#include "protocol/wire/messages.hpp"

#include "protocol/wire/writer.hpp"

namespace howdah::protocol {
namespace {

constexpr std::int32_t text_oid = 25;

void append_empty(std::string& out, char type) {
    message_writer(out, type);
}

void append_text(std::string& out, char type, std::string_view text) {
    message_writer(out, type).cstring(text);
}

void append_authentication(std::string& out, std::int32_t code, std::string_view data) {
    message_writer message(out, 'R');
    message.i32(code);
    message.bytes(data);
}

void append_kind_and_name(std::string& out, char type, char kind, std::string_view name) {
    message_writer message(out, type);
    message.u8(static_cast<std::uint8_t>(kind));
    message.cstring(name);
}

}  // namespace

void append_authentication_ok(std::string& out) {
    append_authentication(out, authentication::ok, {});
}

void append_authentication_cleartext_password(std::string& out) {
    append_authentication(out, authentication::cleartext_password, {});
}

void append_authentication_md5(std::string& out, std::string_view salt) {
    append_authentication(out, authentication::md5_password, salt);
}

void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms) {
    message_writer message(out, 'R');
    message.i32(authentication::sasl);
    for (const auto mechanism : mechanisms)
        message.cstring(mechanism);
    message.u8(0);
}

void append_authentication_sasl_continue(std::string& out, std::string_view data) {
    append_authentication(out, authentication::sasl_continue, data);
}

void append_authentication_sasl_final(std::string& out, std::string_view data) {
    append_authentication(out, authentication::sasl_final, data);
}

void append_backend_key_data(std::string& out, std::int32_t pid, std::string_view key) {
    message_writer message(out, 'K');
    message.i32(pid);
    message.bytes(key);
}

void append_parameter_status(std::string& out, std::string_view name, std::string_view value) {
    message_writer message(out, 'S');
    message.cstring(name);
    message.cstring(value);
}

void append_ready_for_query(std::string& out, char status) {
    message_writer(out, 'Z').u8(static_cast<std::uint8_t>(status));
}

void append_command_complete(std::string& out, std::string_view tag) {
    append_text(out, 'C', tag);
}

void append_message(std::string& out, char type, std::string_view body) {
    message_writer(out, type).bytes(body);
}

void append_parse_complete(std::string& out) {
    append_empty(out, '1');
}

void append_bind_complete(std::string& out) {
    append_empty(out, '2');
}

void append_close_complete(std::string& out) {
    append_empty(out, '3');
}

void append_no_data(std::string& out) {
    append_empty(out, 'n');
}

void append_portal_suspended(std::string& out) {
    append_empty(out, 's');
}

void append_no_parameters(std::string& out) {
    message_writer m(out, 't');
    m.i16(0);
}

void append_parameter_description(std::string& out, std::span<const std::uint32_t> types) {
    message_writer m(out, 't');
    m.i16(static_cast<std::int16_t>(types.size()));
    for (const std::uint32_t type : types)
        m.i32(static_cast<std::int32_t>(type));
}

void append_empty_query_response(std::string& out) {
    append_empty(out, 'I');
}

void append_row_description(std::string& out, std::span<const std::string_view> columns) {
    message_writer message(out, 'T');
    message.u16(static_cast<std::uint16_t>(columns.size()));
    for (const auto column : columns) {
        message.cstring(column);
        message.i32(0);  // table
        message.i16(0);  // column of the table
        message.i32(text_oid);
        message.i16(-1);  // size: variable
        message.i32(-1);  // type modifier: none
        message.i16(0);   // text format
    }
}

void append_data_row(std::string& out, std::span<const std::optional<std::string_view>> values) {
    message_writer message(out, 'D');
    message.u16(static_cast<std::uint16_t>(values.size()));
    for (const auto& value : values) {
        message.i32(value ? static_cast<std::int32_t>(value->size()) : -1);
        if (value) message.bytes(*value);
    }
}

void append_query(std::string& out, std::string_view sql) {
    append_text(out, 'Q', sql);
}

void append_parse(std::string& out, std::string_view name, std::string_view sql,
                  std::span<const std::uint32_t> parameter_types) {
    message_writer message(out, 'P');
    message.cstring(name);
    message.cstring(sql);
    message.u16(static_cast<std::uint16_t>(parameter_types.size()));
    for (const auto oid : parameter_types)
        message.u32(oid);
}

void append_parse_raw(std::string& out, std::string_view name, std::string_view sql,
                      std::string_view oids_bytes) {
    message_writer message(out, 'P');
    message.cstring(name);
    message.cstring(sql);
    message.bytes(oids_bytes);
}

void append_bind_prefix(std::string& out, std::string_view portal, std::string_view statement,
                        std::size_t tail_size) {
    message_writer message(out, 'B');
    message.cstring(portal);
    message.cstring(statement);
    message.elsewhere(tail_size);
}

void append_describe(std::string& out, char kind, std::string_view name) {
    append_kind_and_name(out, 'D', kind, name);
}

void append_execute(std::string& out, std::string_view portal, std::int32_t max_rows) {
    message_writer message(out, 'E');
    message.cstring(portal);
    message.i32(max_rows);
}

void append_close(std::string& out, char kind, std::string_view name) {
    append_kind_and_name(out, 'C', kind, name);
}

void append_sync(std::string& out) {
    append_empty(out, 'S');
}

void append_flush(std::string& out) {
    append_empty(out, 'H');
}

void append_terminate(std::string& out) {
    append_empty(out, 'X');
}

void append_password(std::string& out, std::string_view text) {
    append_text(out, 'p', text);
}

void append_sasl_initial(std::string& out, std::string_view mechanism, std::string_view data) {
    message_writer message(out, 'p');
    message.cstring(mechanism);
    message.i32(static_cast<std::int32_t>(data.size()));
    message.bytes(data);
}

void append_sasl_response(std::string& out, std::string_view data) {
    message_writer(out, 'p').bytes(data);
}

}  // namespace howdah::protocol
