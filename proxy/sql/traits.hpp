#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::proxy::sql {

/// What a statement does, as far as the data plane cares.
enum class verb : uint8_t {
    empty,
    select,  // also VALUES and TABLE, and SELECT INTO (which is not read_only)
    insert,
    update,
    delete_,
    merge,
    copy_from,
    copy_to,
    begin,
    commit,
    rollback,
    savepoint,
    release,
    rollback_to,
    prepare_transaction,
    commit_prepared,
    rollback_prepared,
    set,
    reset,
    show,
    discard,
    deallocate,
    prepare,
    execute,
    listen,
    unlisten,
    notify,
    lock,
    declare_cursor,
    fetch,  // and MOVE
    close_cursor,
    explain,
    call,
    do_block,
    load,
    vacuum,  // and ANALYZE
    checkpoint,
    ddl,
    other,
};

/// "select", "commit prepared", ...: for logs and statistics.
[[nodiscard]] std::string_view to_string(verb v) noexcept;

/// Session state that a successful run leaves on the server connection and that cannot be replayed
/// on another one. A bit mask.
enum class pin_reason : uint16_t {
    none = 0,
    temp_object = 1,    // CREATE TEMP ..., SELECT INTO TEMP, objects in schema pg_temp
    advisory_lock = 2,  // session level only; pg_advisory_xact_* ends with its transaction
    listen = 4,
    hold_cursor = 8,
    sql_prepare = 16,
    load = 32,
    set_config = 64,         // set_config() that is not a plain SELECT of constants, and not local
    unknown_set = 128,       // a SET whose value cannot be written again
    code_block = 256,        // DO whose body seems to create session state
    session_function = 512,  // setseed, dblink_connect, replication origin of the session, ...
    query_rule = 1024,       // a rule with multiplex 0; no statement has it of itself
    hostgroup = 2048,        // a hostgroup with multiplex 0; likewise
};
inline constexpr std::size_t pin_reasons = 12;

[[nodiscard]] constexpr uint16_t operator|(pin_reason a, pin_reason b) noexcept {
    return static_cast<uint16_t>(static_cast<uint16_t>(a) | static_cast<uint16_t>(b));
}
[[nodiscard]] constexpr bool has_pin(uint16_t mask, pin_reason r) noexcept {
    return (mask & static_cast<uint16_t>(r)) != 0;
}
/// "temporary object", "advisory lock", ... of exactly one reason.
[[nodiscard]] std::string_view to_string(pin_reason r) noexcept;

/// One change of a configuration parameter.
struct setting_change {
    enum class kind : uint8_t { set, set_local, reset, reset_all };

    kind what = kind::set;
    /// Lower case. SET ROLE is "role", SET SESSION AUTHORIZATION "session_authorization", SET TIME
    /// ZONE "timezone", SET NAMES "client_encoding", SET SCHEMA "search_path", SET XML OPTION
    /// "xmloption", SET SESSION CHARACTERISTICS "default_transaction_...". Empty for reset_all. May
    /// need quotes when it is written (name.part).
    std::string name;
    /// What to write after "SET name TO " (or "SET LOCAL name TO "): `'x'`, `'a', 'b'`. Always
    /// quoted, also numbers; SET LOCAL x TO DEFAULT is `DEFAULT`. Empty for reset and reset_all.
    /// SET x TO DEFAULT is a reset.
    std::string value;

    bool operator==(const setting_change&) const = default;
};

struct statement_part;

/// What one statement string (one Query or Parse message, possibly several statements) is and
/// does. By grammar alone: views, triggers, rules, operators and function bodies are not looked
/// into; what they write, a standby refuses with 25006.
struct traits {
    bool parsed = false;      // PostgreSQL's grammar understood it; if false the rest is defaults
    uint16_t statements = 0;  // in the string (saturates)
    verb first = verb::empty;
    verb last = verb::empty;

    /// Every statement may run on a standby and means the same there, as far as the grammar says;
    /// still subject to `functions`. Not for SHOW transaction_read_only and in_hot_standby, by
    /// which drivers look for the primary. Not for transaction control, SET, cursors' FETCH and
    /// CLOSE, PREPARE, EXECUTE. EXPLAIN of a write stays on the writer even without ANALYZE,
    /// because its plan is the writer's.
    bool read_only = false;

    bool begins_transaction = false;  // BEGIN or START TRANSACTION
    bool begin_read_only = false;     // ... READ ONLY, and not SERIALIZABLE (no standby takes that)
    bool begin_needs_writer = false;  // ... READ WRITE or SERIALIZABLE: no standby takes that
    bool ends_transaction = false;    // COMMIT, END, ROLLBACK, ABORT, PREPARE TRANSACTION
    bool rollback_like = false;       // the ending is ROLLBACK or ABORT
    bool chain = false;               // the ending is AND CHAIN
    bool sets_transaction_mode = false;  // SET TRANSACTION, SET transaction_...

    /// Traits depend on the values of literals: do not cache them under the digest.
    bool literal_dependent = false;

    uint16_t pins = 0;  // mask of pin_reason
    /// Functions called anywhere in the statement, "name" or "schema.name", folded as PostgreSQL
    /// folds them, sorted, unique.
    std::vector<std::string> functions;
    /// In the order of the text: SET, RESET, SELECT set_config('a', 'b', false) with constants;
    /// what DISCARD ALL resets. SET TRANSACTION (and transaction_isolation, transaction_read_only,
    /// transaction_deferrable by name) is not in it: see sets_transaction_mode.
    std::vector<setting_change> settings;
    /// The object of the first statement: DEALLOCATE, PREPARE, EXECUTE and SAVEPOINT-family name,
    /// SHOW variable, LISTEN, UNLISTEN and NOTIFY channel, cursor of DECLARE, FETCH and CLOSE, GID
    /// of PREPARE TRANSACTION and its endings, "all", "plans", "sequences" or "temp" of DISCARD.
    /// Empty: ALL (DEALLOCATE, CLOSE), "*" (UNLISTEN), or none.
    std::string target;
    /// A database in which nobody else may be connected: DROP DATABASE, ALTER DATABASE (RENAME, SET
    /// TABLESPACE), CREATE DATABASE ... TEMPLATE. Empty: none.
    std::string alone_in;
    /// Of a string of several statements: those that change the session or control transactions,
    /// in order, each by itself. Empty otherwise.
    std::vector<statement_part> parts;
};

/// One statement of several.
struct statement_part {
    std::size_t index = 0;  ///< among all of the string
    traits what;
};

/// Bounds on what is handed to the parser; beyond them a statement is reported as not parsed.
struct parse_limits {
    std::size_t bytes = 1 << 20;
    /// Estimated depth of the syntax tree (nesting_bound). The parser recurses on the thread's
    /// stack, up to 3 KiB a level: the calling thread needs 2 MiB of stack for the default.
    std::size_t depth = 500;
};

/// Parses and describes. Never throws except std::bad_alloc; unparsable, too long, too deep, or
/// containing NUL: parsed = false. Thread-safe; the parser keeps a memory context per thread, which
/// is created at the thread's first call and freed when the thread exits: nothing to do for the
/// caller. At most about 1,000 threads may call it in the lifetime of the process (the parser
/// takes one pthread key each). Assumes standard_conforming_strings = on, as compute_digest does.
[[nodiscard]] traits classify(std::string_view sql, const parse_limits& limits = {});

}  // namespace howdah::proxy::sql
