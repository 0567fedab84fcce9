#pragma once
#include <sqlite3.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/sql_error.hpp"
#include "admin/sql/value.hpp"

// SQLite with owners for its handles and errors as PostgreSQL would call them.
namespace howdah::admin {

/// The error that the connection is in, as an SQLSTATE and message. `offset_base` is added to the
/// position that SQLite gives.
[[nodiscard]] sql_error error_of(sqlite3* db, std::string_view statement);

/// One statement of a connection, which it must not outlive.
class statement {
public:
    /// Of the first statement in `text`. Null where there is none.
    [[nodiscard]] static sql_result<statement> prepare(sqlite3* db, std::string_view text);

    [[nodiscard]] bool empty() const { return stmt_ == nullptr; }
    [[nodiscard]] sqlite3_stmt* handle() const { return stmt_.get(); }

    void bind(int index, const value& v);
    /// True: a row is there; false: it has ended.
    [[nodiscard]] sql_result<bool> step();
    void reset();
    [[nodiscard]] value at(int column_index) const;
    [[nodiscard]] row current() const;
    [[nodiscard]] int column_count() const { return sqlite3_column_count(stmt_.get()); }

private:
    struct deleter {
        void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
    };
    std::unique_ptr<sqlite3_stmt, deleter> stmt_;
    std::string text_;
};

/// What SQLite calls a file, ready for parameters: "?mode=rw".
[[nodiscard]] std::string file_uri(std::string_view path);

/// A connection. Used by one thread at a time; only interrupt() may come from another.
class database {
public:
    /// Throws std::runtime_error.
    explicit database(const std::string& uri);

    [[nodiscard]] sqlite3* handle() const { return db_.get(); }
    /// Runs statements without a result.
    [[nodiscard]] sql_result<void> execute(std::string_view sql,
                                           std::span<const value> parameters = {});
    [[nodiscard]] sql_result<std::vector<row>> query(std::string_view sql,
                                                     std::span<const value> parameters = {});
    /// Opens or creates the file as a schema. SQLite would take it for a database in memory where
    /// the main one is one.
    [[nodiscard]] sql_result<void> attach_file(const std::string& path, std::string_view schema);
    [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }
    /// Ends what runs, which then fails with 57014. Any thread.
    void interrupt() { sqlite3_interrupt(db_.get()); }

private:
    struct deleter {
        void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
    };
    std::unique_ptr<sqlite3, deleter> db_;
};

/// Names and declared types of a statement's result; text where it is no column of a table.
/// `known`, if given, tells which are.
[[nodiscard]] std::vector<column> declared_columns(const statement& s,
                                                   std::vector<bool>* known = nullptr);

/// "name" with quotes doubled, for names that come from outside.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace howdah::admin
