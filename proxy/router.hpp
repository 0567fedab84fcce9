#pragma once
#include <optional>
#include <string_view>

#include "monitor/hostgroups.hpp"
#include "proxy/rules/verdict.hpp"
#include "proxy/sql/functions.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// Why a batch goes where it goes; for logs and counters.
enum class route_reason : unsigned char {
    read,           ///< provably read-only: a reader
    write,          ///< writes, locks, or is not known to do neither
    unparsed,       ///< not understood by the grammar: the writer
    functions,      ///< calls a volatile, unknown or server-bound function
    rule,           ///< a query rule names the hostgroup
    hint,           ///< a comment in the statement names it
    no_split,       ///< read/write splitting is off for this user or hostgroup
    read_only_mode  ///< the session's transactions are read only
};
inline constexpr std::size_t route_reasons = 8;

struct route {
    int hostgroup = 0;
    route_reason reason = route_reason::write;
    /// May be run again elsewhere as long as the client has seen nothing of the answer.
    bool repeatable = false;
};

/// What routing looks at besides the statement.
struct route_context {
    const monitor::hostgroups& hostgroups;
    const sql::function_catalog& functions;
    int default_hostgroup = 0;
    bool split = true;
    bool read_only_mode = false;  ///< default_transaction_read_only is on in this session
    bool safe_lexing = true;      ///< the lexer's assumptions hold (string literals, encoding)
    const rule_verdict* verdict = nullptr;  ///< null: no rule says anything
    std::string_view query;
};

/// Where one statement string goes when the session is free to choose: rules, then a hint, then
/// its class. Pure.
[[nodiscard]] route route_statement(const sql::traits& t, const route_context& context);

/// Where several statements that share a server go: to the reader only if all may.
[[nodiscard]] route combine(const route& a, const route& b, const route_context& context);

/// The reader hostgroup of a writer while it has somebody online, or is to refuse reads; else the
/// writer itself.
[[nodiscard]] int reader_or_writer(const monitor::hostgroups& hostgroups, int writer);

}  // namespace howdah::proxy
