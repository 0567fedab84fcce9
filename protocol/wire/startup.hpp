#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <boost/system/result.hpp>

/// The untyped messages that open a connection (PostgreSQL documentation, "Message Formats":
/// StartupMessage, SSLRequest, GSSENCRequest, CancelRequest; and NegotiateProtocolVersion).
namespace howdah::protocol {

/// Protocol versions as they travel: major << 16 | minor.
inline constexpr std::uint32_t protocol_3_0 = 196608;
inline constexpr std::uint32_t protocol_3_2 = 196610;

/// PostgreSQL's MAX_STARTUP_PACKET_LENGTH: limit of what follows the length word.
inline constexpr std::size_t max_startup_packet_length = 10000;
/// Longest cancel key of protocol 3.2; protocol 3.0 keys have exactly four bytes.
inline constexpr std::size_t max_cancel_key_length = 256;

struct ssl_request {};
struct gssenc_request {};

struct cancel_request {
    std::int32_t pid;
    std::string_view key;  ///< 4 to 256 bytes
};

struct startup_message {
    std::uint16_t major = 3;
    std::uint16_t minor = 0;  ///< as requested, also when it is newer than ours
    /// In the order sent, without protocol options. `user` is there and not empty.
    std::vector<std::pair<std::string_view, std::string_view>> parameters;
    std::vector<std::string_view> protocol_options;  ///< names that start with "_pq_."

    /// Value of a parameter; the last one counts, as in PostgreSQL. Empty if there is none.
    [[nodiscard]] std::string_view find(std::string_view name) const noexcept;
    [[nodiscard]] std::uint32_t version() const noexcept {
        return std::uint32_t{major} << 16 | minor;
    }
};

/// Why a start-up packet is refused, in PostgreSQL's words; the severity is FATAL.
struct startup_error {
    startup_error() = default;
    startup_error(std::string_view state, std::string text)
        : sqlstate(state), message(std::move(text)) {}

    std::string_view sqlstate;
    std::string message;
};

using startup_packet =
    std::variant<ssl_request, gssenc_request, cancel_request, startup_message, startup_error>;

/// Size of a whole start-up packet, length word included, from its first four bytes. Nothing when
/// fewer than four bytes are given or the length is out of bounds (8 to 10004): close the
/// connection without reading further ("invalid length of startup packet", 08P01).
[[nodiscard]] std::optional<std::size_t> startup_length(std::string_view first4) noexcept;

/// Parses one whole start-up packet, length word included. The result's views point into `packet`.
[[nodiscard]] startup_packet parse_startup(std::string_view packet);

/// Appends SSLRequest; the server answers with one byte, 'S' or 'N'.
void append_ssl_request(std::string& out);
/// Appends CancelRequest.
void append_cancel_request(std::string& out, std::int32_t pid, std::string_view key);
/// Appends StartupMessage for protocol 3.`minor`. Parameters with an empty name are left out,
/// because an empty name ends the list.
void append_startup(std::string& out, std::uint16_t minor,
                    std::span<const std::pair<std::string_view, std::string_view>> parameters);

/// Appends NegotiateProtocolVersion ('v'). `version` is a full version number such as
/// protocol_3_2, as PostgreSQL sends it (the older documentation says "minor version"): the
/// requested version, or the newest supported one if the client asked for more. `options` are the
/// protocol options that are not understood.
void append_negotiate_protocol_version(std::string& out, std::uint32_t version,
                                       std::span<const std::string_view> options);

/// A server's NegotiateProtocolVersion. Views into the body.
struct negotiate_view {
    std::uint32_t version;
    std::vector<std::string_view> options;
};
[[nodiscard]] std::optional<negotiate_view> parse_negotiate_protocol_version(std::string_view body);

using option_list = std::vector<std::pair<std::string, std::string>>;

/// Splits the `options` start-up parameter into settings, as PostgreSQL does: words separated by
/// white space, a backslash protects the next character; `-c name=value`, `-cname=value` and
/// `--name=value`, where `-` in the name becomes `_`. Any other switch or word is an error (42601)
/// with PostgreSQL's wording.
[[nodiscard]] boost::system::result<option_list, startup_error> split_options(
    std::string_view options);

}  // namespace howdah::protocol
