#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/command.hpp"
#include "admin/sql/live_table.hpp"
#include "admin/sql/sqlite.hpp"

namespace howdah::admin {

/// The rows of one execution, as they are asked for.
class cursor {
public:
    virtual ~cursor() = default;
    /// Names and types of the result; empty: it has no rows.
    [[nodiscard]] const std::vector<column>& columns() const { return columns_; }
    /// False at the end, after which tag() is known.
    [[nodiscard]] virtual sql_result<bool> next(row& out) = 0;
    /// Of CommandComplete.
    [[nodiscard]] virtual std::string tag() const = 0;
    [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }

protected:
    std::vector<column> columns_;
    std::vector<std::string> notices_;
};

/// A statement that can be executed again and again, with other parameters.
class prepared_sql {
public:
    virtual ~prepared_sql() = default;
    [[nodiscard]] virtual std::size_t parameter_count() const = 0;
    /// What is known of the result without executing it.
    [[nodiscard]] virtual std::vector<column> columns() const = 0;
    /// Another cursor of the statement that is still open may not reach its end.
    [[nodiscard]] virtual sql_result<std::unique_ptr<cursor>> open(
        const std::vector<value>& parameters) = 0;
};

/// What all sessions have in common. Outlives them; does not change once they are open.
struct sql_environment {
    std::string memory_uri;    ///< of the database that holds the schema "main"
    std::string disk_path;     ///< of the schema "disk"; empty: there is none
    std::string history_path;  ///< of the schema "stats_history"; empty: there is none

    /// Schemas that are files.
    [[nodiscard]] std::vector<std::pair<std::string_view, std::string>> files() const {
        std::vector<std::pair<std::string_view, std::string>> out;
        if (!disk_path.empty()) out.emplace_back("disk", disk_path);
        if (!history_path.empty()) out.emplace_back("stats_history", history_path);
        return out;
    }
    std::vector<live_table> tables;
    command_table commands;
    std::chrono::milliseconds statement_timeout{60000};
    /// Makes functions known to the new connection of a user; may be empty.
    std::function<void(sqlite3*, const std::string& user, role who)> add_functions;
    /// A statement of PostgreSQL's dialect in SQLite's; may be empty.
    std::function<std::string(std::string_view)> translate;
};

/// One client's view of the administration database: its connection, transaction and rights.
/// Used by one thread at a time; only interrupt() may come from another.
class sql_session {
public:
    /// Throws std::runtime_error.
    sql_session(const sql_environment& all, role who, std::string user);
    ~sql_session();
    sql_session(const sql_session&) = delete;
    sql_session& operator=(const sql_session&) = delete;

    /// Exactly one statement, which must not outlive the session.
    [[nodiscard]] sql_result<std::unique_ptr<prepared_sql>> prepare(std::string_view text);

    /// As ReadyForQuery has it: 'I' idle, 'T' in a transaction, 'E' in one that has failed.
    [[nodiscard]] char status() const;
    /// A statement has failed: a transaction that was open is void until its end.
    void failed();

    /// For several statements in one message, which succeed or fail together. Commands end the
    /// transaction that they find.
    [[nodiscard]] sql_result<void> begin_implicit();
    [[nodiscard]] sql_result<void> end_implicit(bool commit);

    [[nodiscard]] database& connection() { return db_; }
    void interrupt() { db_.interrupt(); }

private:
    friend class sqlite_statement;
    friend class command_statement;
    friend class transaction_statement;

    /// While it lives, the connection may do what the client may not.
    class privilege;
    void start_statement();
    static int authorize(void* self, int action, const char* a, const char* b, const char* schema,
                         const char* trigger);
    [[nodiscard]] bool allows(int action, std::string_view a, std::string_view schema) const;
    static int check_time(void* self);
    [[nodiscard]] sql_result<void> check_may_run() const;

    const sql_environment& all_;
    role who_;
    std::string user_;
    statement_clock clock_;
    database db_;
    std::chrono::steady_clock::time_point until_{};
    bool privileged_ = true;  ///< while the connection is made and while a command runs
    bool broken_ = false;     ///< the transaction has failed
    bool implicit_ = false;   ///< the open transaction is that of one message
};

}  // namespace howdah::admin
