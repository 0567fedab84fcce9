#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/wire/message_views.hpp"

/// Appenders for the messages that Howdah itself sends (PostgreSQL documentation, "Message
/// Formats"). Each appends one complete message to `out`; text is cut at a NUL inside it.
namespace howdah::protocol {

// What a server says to a client.

void append_authentication_ok(std::string& out);
void append_authentication_cleartext_password(std::string& out);
/// `salt` is four bytes.
void append_authentication_md5(std::string& out, std::string_view salt);
void append_authentication_sasl(std::string& out, std::span<const std::string_view> mechanisms);
void append_authentication_sasl_continue(std::string& out, std::string_view data);
void append_authentication_sasl_final(std::string& out, std::string_view data);
/// `key` is four bytes in protocol 3.0 and up to 256 in 3.2.
void append_backend_key_data(std::string& out, std::int32_t pid, std::string_view key);
void append_parameter_status(std::string& out, std::string_view name, std::string_view value);
/// `status` is 'I' (idle), 'T' (in a transaction) or 'E' (in a failed transaction).
void append_ready_for_query(std::string& out, char status);
void append_command_complete(std::string& out, std::string_view tag);
void append_parse_complete(std::string& out);
/// Any message whose body is there already.
void append_message(std::string& out, char type, std::string_view body);
void append_bind_complete(std::string& out);
void append_close_complete(std::string& out);
void append_no_data(std::string& out);
void append_portal_suspended(std::string& out);
/// ParameterDescription of a statement without parameters.
void append_no_parameters(std::string& out);
/// By the OIDs of their types; at most 65535.
void append_parameter_description(std::string& out, std::span<const std::uint32_t> types);
void append_empty_query_response(std::string& out);
/// Columns of type text in text format, without a table.
void append_row_description(std::string& out, std::span<const std::string_view> columns);
/// One value per column, nullopt is NULL.
void append_data_row(std::string& out, std::span<const std::optional<std::string_view>> values);

// What a client says to a server.

void append_query(std::string& out, std::string_view sql);
void append_parse(std::string& out, std::string_view name, std::string_view sql,
                  std::span<const std::uint32_t> parameter_types);
/// As append_parse, with the parameter block of a parse_view.
void append_parse_raw(std::string& out, std::string_view name, std::string_view sql,
                      std::string_view oids_bytes);
/// The start of a Bind: header, portal and statement name. The caller sends the `tail_size` bytes
/// that follow (formats and values, bind_view::header_size onwards) unchanged from where they are.
void append_bind_prefix(std::string& out, std::string_view portal, std::string_view statement,
                        std::size_t tail_size);
/// `kind` is 'S' (statement) or 'P' (portal).
void append_describe(std::string& out, char kind, std::string_view name);
void append_execute(std::string& out, std::string_view portal, std::int32_t max_rows);
/// `kind` is 'S' (statement) or 'P' (portal).
void append_close(std::string& out, char kind, std::string_view name);
void append_sync(std::string& out);
void append_flush(std::string& out);
void append_terminate(std::string& out);
/// PasswordMessage: the password itself or the md5 response.
void append_password(std::string& out, std::string_view text);
void append_sasl_initial(std::string& out, std::string_view mechanism, std::string_view data);
void append_sasl_response(std::string& out, std::string_view data);

}  // namespace howdah::protocol
