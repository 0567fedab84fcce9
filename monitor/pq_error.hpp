#pragma once
#include <string>
#include <string_view>

#include "monitor/verdict.hpp"

namespace howdah::monitor {

/// Why a libpq operation failed.
struct pq_error {
    std::string sqlstate{};  ///< of the server's ErrorResponse; empty where none arrived
    std::string message{};   ///< one line, without the SQLSTATE
    bool timed_out = false;  ///< our own deadline
    bool local = false;  ///< our own configuration: bad file, TLS or password demanded and missing

    /// The message, with the SQLSTATE where there is one.
    [[nodiscard]] std::string describe() const;
};

/// Splits libpq's text of a failed connection. libpq gives the SQLSTATE of such a failure only
/// inside the text, and only under PQERRORS_VERBOSE: "...: FATAL:  57P03: the database ...".
[[nodiscard]] pq_error parse_connect_error(std::string_view text);

/// What a failure says about the server's health.
[[nodiscard]] probe_result classify(const pq_error& error);

}  // namespace howdah::monitor
