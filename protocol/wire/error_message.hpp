#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace howdah::protocol {

/// Severities of ErrorResponse (error, fatal, panic) and NoticeResponse (the others).
enum class severity { error, fatal, panic, warning, notice, info, debug, log };

/// The word PostgreSQL sends in the S and V fields, e.g. "FATAL".
[[nodiscard]] std::string_view to_string(severity level) noexcept;

/// What an error or notice of ours carries. Empty optional fields (detail and later) are left out.
/// Views must live until append_error or append_notice returns; a NUL cuts the text off.
struct error_fields {
    severity level = severity::error;
    std::string_view sqlstate;
    std::string_view message;
    std::string_view detail{};
    std::string_view hint{};
    std::string_view position{};  ///< decimal, 1-based, in characters of the query
    std::string_view where{};
    std::string_view routine{};  ///< of PostgreSQL, for drivers that look at it
};

/// Appends an ErrorResponse ('E').
void append_error(std::string& out, const error_fields& fields);
void append_error(std::string& out, severity level, std::string_view sqlstate,
                  std::string_view message, std::string_view detail = {},
                  std::string_view hint = {});

/// What to change in a server's ErrorResponse before it is passed on.
struct error_changes {
    std::optional<severity> level{};  ///< instead of the server's
    std::string_view from{};          ///< in the message text, where not empty
    std::string_view to{};
};

/// Appends an ErrorResponse with the fields of a server's, `body`, which parse_error accepts.
void append_changed_error(std::string& out, std::string_view body, const error_changes& changes);

/// Appends a NoticeResponse ('N').
void append_notice(std::string& out, const error_fields& fields);
void append_notice(std::string& out, severity level, std::string_view sqlstate,
                   std::string_view message, std::string_view detail = {},
                   std::string_view hint = {});

/// What a proxy looks at in an ErrorResponse or NoticeResponse of a server. Views into the body.
/// A field that the server did not send is empty; in particular `sqlstate` may be, so compare it
/// as a whole and never index it.
struct error_view {
    std::string_view severity;  ///< V, never translated; S where a server older than 9.6 has no V
    std::string_view sqlstate;
    std::string_view message;
    std::string_view detail;
    std::string_view hint;
    std::string_view position;
    std::string_view where;
    std::string_view routine;  ///< of the server's source; never translated

    /// The server ends the connection after this error.
    [[nodiscard]] bool ends_connection() const noexcept {
        return severity == "FATAL" || severity == "PANIC";
    }
};

/// Parses the body of an 'E' or 'N' message. Unknown fields are skipped, of repeated ones the last
/// counts. Nothing when a field has no end or bytes follow the terminator. A missing terminator is
/// accepted: every field that was needed is there.
[[nodiscard]] std::optional<error_view> parse_error(std::string_view body);

}  // namespace howdah::protocol
