#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

/// Views of the messages that a proxy looks into. Every parse_x takes a message body (the bytes
/// behind the 5-byte header) and returns views into it, or nothing if the body does not have
/// exactly the fields of that message; PostgreSQL's answer to that is 08P01 "invalid message
/// format". Nothing throws; only the functions that return a vector allocate.
namespace howdah::protocol {

// What a client says to a server.

/// Query ('Q').
[[nodiscard]] std::optional<std::string_view> parse_query(std::string_view body) noexcept;

/// Parse ('P').
struct parse_view {
    std::string_view name;
    std::string_view sql;
    std::string_view oids_bytes;  ///< UInt16 count and that many OIDs, as they travel
};
[[nodiscard]] std::optional<parse_view> parse_parse(std::string_view body) noexcept;

/// The names at the start of Bind ('B').
struct bind_view {
    std::string_view portal;
    std::string_view statement;
    std::size_t header_size;  ///< bytes of both names with their NULs
};
/// Needs only as much of the body as contains both names; nothing while they are incomplete.
[[nodiscard]] std::optional<bind_view> parse_bind(std::string_view body_prefix) noexcept;

/// Describe ('D'); kind is 'S' or 'P', others are refused.
struct describe_view {
    char kind;
    std::string_view name;
};
[[nodiscard]] std::optional<describe_view> parse_describe(std::string_view body) noexcept;

/// Close ('C'); kind is 'S' or 'P', others are refused.
struct close_view {
    char kind;
    std::string_view name;
};
[[nodiscard]] std::optional<close_view> parse_close(std::string_view body) noexcept;

/// Execute ('E').
struct execute_view {
    std::string_view portal;
    std::int32_t max_rows;  ///< 0 (or less, as in PostgreSQL): no limit
};
[[nodiscard]] std::optional<execute_view> parse_execute(std::string_view body) noexcept;

/// PasswordMessage ('p'): the text.
[[nodiscard]] std::optional<std::string_view> parse_password(std::string_view body) noexcept;

/// SASLInitialResponse ('p').
struct sasl_initial_view {
    std::string_view mechanism;
    std::optional<std::string_view> data;  ///< nullopt: the client sent none (length -1)
};
[[nodiscard]] std::optional<sasl_initial_view> parse_sasl_initial(std::string_view body) noexcept;

// What a server says to a client.

/// Int32 codes of the Authentication messages ('R').
namespace authentication {
inline constexpr std::int32_t ok = 0;
inline constexpr std::int32_t cleartext_password = 3;
inline constexpr std::int32_t md5_password = 5;
inline constexpr std::int32_t gss = 7;
inline constexpr std::int32_t gss_continue = 8;
inline constexpr std::int32_t sspi = 9;
inline constexpr std::int32_t sasl = 10;
inline constexpr std::int32_t sasl_continue = 11;
inline constexpr std::int32_t sasl_final = 12;
}  // namespace authentication

/// Authentication ('R'). For md5_password `data` is checked to be four bytes.
struct authentication_view {
    std::int32_t code;
    std::string_view data;  ///< salt, mechanism list or SASL data, by code
};
[[nodiscard]] std::optional<authentication_view> parse_authentication(
    std::string_view body) noexcept;

/// The mechanism names in the data of an AuthenticationSASL; at most 32 are accepted.
[[nodiscard]] std::optional<std::vector<std::string_view>> parse_sasl_mechanisms(
    std::string_view data);

/// BackendKeyData ('K').
struct backend_key_view {
    std::int32_t pid;
    std::string_view key;  ///< 4 to 256 bytes
};
[[nodiscard]] std::optional<backend_key_view> parse_backend_key(std::string_view body) noexcept;

/// ParameterStatus ('S').
struct parameter_status_view {
    std::string_view name;
    std::string_view value;
};
[[nodiscard]] std::optional<parameter_status_view> parse_parameter_status(
    std::string_view body) noexcept;

/// ReadyForQuery ('Z'): 'I', 'T' or 'E', others are refused.
[[nodiscard]] std::optional<char> parse_ready_for_query(std::string_view body) noexcept;

/// CommandComplete ('C'): the tag, e.g. "INSERT 0 1".
[[nodiscard]] std::optional<std::string_view> parse_command_complete(
    std::string_view body) noexcept;

}  // namespace howdah::protocol
