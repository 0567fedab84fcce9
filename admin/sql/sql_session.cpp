#include "admin/sql/sql_session.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <stdexcept>
#include <utility>

namespace howdah::admin {
namespace {

constexpr std::string_view attached_schemas[] = {
    "stats", "monitor", "pgbouncer", "pg_catalog", "information_schema", "ha"};
/// Rows that are looked at to find out the types of columns that are expressions.
constexpr std::size_t rows_looked_at = 500;
constexpr std::size_t bytes_looked_at = 1 << 20;
/// Virtual machine steps between two looks at the clock.
constexpr int steps_between_checks = 20000;
constexpr int busy_timeout_ms = 2000;

/// Bounds for what one statement may take: an administrator must not be able to bring the process
/// down by accident.
void limit(sqlite3* db) {
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
    sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 500);
    sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 500);
    sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 10000);
    sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 10);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_busy_timeout(db, busy_timeout_ms);
}

bool is_harmless_pragma(std::string_view name) {
    static const std::set<std::string, std::less<>> harmless{
        "database_list", "foreign_key_list", "function_list", "index_info",  "index_list",
        "index_xinfo",   "table_info",       "table_list",    "table_xinfo", "integrity_check"};
    return harmless.contains(lower(name));
}

/// The type that holds the values of a column that has been `a` so far and a value that is `b`.
column_type wider(column_type a, column_type b) {
    if (a == b) return a;
    if (a == column_type::boolean) return b == column_type::integer ? a : column_type::text;
    const bool numbers = a != column_type::text && b != column_type::text;
    return numbers ? column_type::real : column_type::text;
}

sql_error aborted() {
    return {"25P02",
            "current transaction is aborted, commands ignored until end of transaction block"};
}

/// The word that CommandComplete begins with: that of the statement behind a WITH.
std::string verb_of(const std::vector<token>& tokens) {
    if (tokens.empty()) return {};
    if (!tokens.front().is_word("WITH")) return upper(tokens.front().text);
    int depth = 0;
    for (const token& t : tokens) {
        if (t.is("(")) ++depth;
        if (t.is(")")) --depth;
        if (depth != 0) continue;
        for (const std::string_view verb :
             {"SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "VALUES"})
            if (t.is_word(verb)) return std::string(verb);
    }
    return "SELECT";
}

}  // namespace

class sql_session::privilege {
public:
    explicit privilege(sql_session& s) : s_(s), before_(std::exchange(s.privileged_, true)) {}
    ~privilege() { s_.privileged_ = before_; }
    privilege(const privilege&) = delete;
    privilege& operator=(const privilege&) = delete;

private:
    sql_session& s_;
    bool before_;
};

/// A result that is there already.
class ready_cursor final : public cursor {
public:
    explicit ready_cursor(command_result r) : tag_(std::move(r.tag)), rows_(std::move(r.rows)) {
        columns_ = std::move(r.columns);
        notices_ = std::move(r.notices);
    }
    sql_result<bool> next(row& out) override {
        if (at_ == rows_.size()) return false;
        out = std::move(rows_[at_++]);
        return true;
    }
    [[nodiscard]] std::string tag() const override { return tag_; }

private:
    std::string tag_;
    std::vector<row> rows_;
    std::size_t at_ = 0;
};

/// A statement has one execution at a time, whose cursor `running` points to. When it is executed
/// again, the cursor before has only what it had fetched already.
class sqlite_cursor final : public cursor {
public:
    sqlite_cursor(statement& what, std::string verb, sqlite_cursor*& running)
        : statement_(what), verb_(std::move(verb)), running_(&running) {
        if (running != nullptr) running->running_ = nullptr;
        running = this;
    }
    ~sqlite_cursor() override { leave_statement(); }
    sqlite_cursor(const sqlite_cursor&) = delete;
    sqlite_cursor& operator=(const sqlite_cursor&) = delete;

    sql_result<void> start() {
        sqlite3* db = sqlite3_db_handle(statement_.handle());
        changes_before_ = sqlite3_total_changes64(db);
        std::vector<bool> known;
        columns_ = declared_columns(statement_, &known);
        std::vector<bool> seen(known.size());
        std::size_t bytes = 0;
        do {
            auto more = statement_.step();
            if (!more) return more.error();
            if (!*more) {
                end();
                break;
            }
            row r = statement_.current();
            for (std::size_t i = 0; i < r.size(); ++i) {
                if (std::holds_alternative<std::monostate>(r[i])) continue;
                if (const auto* text = std::get_if<std::string>(&r[i])) bytes += text->size();
                const column_type type = type_of(r[i]);
                if (seen[i] || known[i]) {
                    columns_[i].type = wider(columns_[i].type, type);
                } else {
                    columns_[i].type = type;
                    seen[i] = true;
                }
            }
            first_.push_back(std::move(r));
        } while (first_.size() < rows_looked_at && bytes < bytes_looked_at);
        return {};
    }

    sql_result<bool> next(row& out) override {
        if (!first_.empty()) {
            out = std::move(first_.front());
            first_.pop_front();
            ++rows_;
            return true;
        }
        if (ended_) return false;
        if (running_ == nullptr)
            return sql_error("55000", "the statement was executed again before its last row",
                             "Prepare it once for each portal that is open at the same time.");
        auto more = statement_.step();
        if (!more) return more.error();
        if (!*more) {
            end();
            return false;
        }
        out = statement_.current();
        for (std::size_t i = 0; i < out.size(); ++i) {
            const bool null = std::holds_alternative<std::monostate>(out[i]);
            if (null || wider(columns_[i].type, type_of(out[i])) == columns_[i].type) continue;
            return sql_error("42804",
                             "column \"" + columns_[i].name + "\" holds values of different types",
                             "CAST it to text.");
        }
        ++rows_;
        return true;
    }

    [[nodiscard]] std::string tag() const override {
        sqlite3* db = sqlite3_db_handle(statement_.handle());
        const auto changed = std::to_string(sqlite3_total_changes64(db) - changes_before_);
        if (verb_ == "INSERT" || verb_ == "REPLACE") return "INSERT 0 " + changed;
        if (verb_ == "UPDATE" || verb_ == "DELETE") return verb_ + " " + changed;
        if (!columns_.empty()) return "SELECT " + std::to_string(rows_);
        return verb_;
    }

private:
    void end() {
        ended_ = true;
        leave_statement();
    }
    void leave_statement() {
        if (running_ == nullptr) return;
        statement_.reset();
        *std::exchange(running_, nullptr) = nullptr;
    }

    statement& statement_;
    std::string verb_;
    sqlite_cursor** running_;  ///< null: the execution is over, or another one's
    std::deque<row> first_;
    bool ended_ = false;
    std::int64_t changes_before_ = 0;
    std::size_t rows_ = 0;
};

class sqlite_statement final : public prepared_sql {
public:
    sqlite_statement(sql_session& s, statement what, std::string verb)
        : session_(s), statement_(std::move(what)), verb_(std::move(verb)) {}

    [[nodiscard]] std::size_t parameter_count() const override {
        return static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_.handle()));
    }

    [[nodiscard]] std::vector<column> columns() const override {
        return declared_columns(statement_);
    }

    sql_result<std::unique_ptr<cursor>> open(const std::vector<value>& parameters) override {
        if (auto may = session_.check_may_run(); !may) return may.error();
        session_.start_statement();
        auto made = std::make_unique<sqlite_cursor>(statement_, verb_, running_);
        statement_.reset();
        for (int i = 1; i <= static_cast<int>(parameter_count()); ++i) {
            // $2 may come before $1 in the text.
            const char* name = sqlite3_bind_parameter_name(statement_.handle(), i);
            const int number = name != nullptr && name[0] == '$' ? std::atoi(name + 1) : i;
            if (number < 1 || static_cast<std::size_t>(number) > parameters.size())
                return sql_error("08P01", "there is no parameter $" + std::to_string(number));
            statement_.bind(i, parameters[static_cast<std::size_t>(number) - 1]);
        }
        if (auto started = made->start(); !started) return started.error();
        return std::unique_ptr<cursor>(std::move(made));
    }

private:
    sql_session& session_;
    statement statement_;
    std::string verb_;
    sqlite_cursor* running_ = nullptr;
};

/// BEGIN, COMMIT, ROLLBACK and their other names, with PostgreSQL's meaning of a failed
/// transaction.
class transaction_statement final : public prepared_sql {
public:
    enum class kind { begin, commit, rollback };
    transaction_statement(sql_session& s, kind what) : session_(s), what_(what) {}

    [[nodiscard]] std::size_t parameter_count() const override { return 0; }
    [[nodiscard]] std::vector<column> columns() const override { return {}; }

    sql_result<std::unique_ptr<cursor>> open(const std::vector<value>&) override {
        command_result r;
        database& db = session_.db_;
        const bool open = db.in_transaction() && !session_.implicit_;
        const bool broken = std::exchange(session_.broken_, false);
        if (what_ == kind::begin) {
            r.tag = "BEGIN";
            if (broken) {
                session_.broken_ = true;
                return aborted();
            }
            if (open) {
                r.notices.emplace_back("there is already a transaction in progress");
            } else if (session_.implicit_) {
                session_.implicit_ = false;  // it goes on as the client's own
            } else if (auto done = db.execute("BEGIN"); !done) {
                return done.error();
            }
        } else {
            const bool commit = what_ == kind::commit && !broken;
            r.tag = commit ? "COMMIT" : "ROLLBACK";
            if (!open && !broken) r.notices.emplace_back("there is no transaction in progress");
            session_.implicit_ = false;
            if (db.in_transaction()) {
                if (auto done = db.execute(r.tag); !done) return done.error();
            }
        }
        return std::unique_ptr<cursor>(std::make_unique<ready_cursor>(std::move(r)));
    }

private:
    sql_session& session_;
    kind what_;
};

class command_statement final : public prepared_sql {
public:
    command_statement(sql_session& s, command_table::found found)
        : session_(s), found_(std::move(found)) {}

    [[nodiscard]] std::size_t parameter_count() const override { return 0; }
    [[nodiscard]] std::vector<column> columns() const override { return {}; }

    sql_result<std::unique_ptr<cursor>> open(const std::vector<value>&) override {
        if (auto may = session_.check_may_run(); !may) return may.error();
        if (found_.what->needs == role::admin && session_.who_ != role::admin)
            return sql_error("42501", "permission denied: this is for administrators");
        session_.start_statement();
        if (session_.implicit_) {
            // What a command does cannot be taken back with the statements around it.
            if (auto done = session_.end_implicit(true); !done) return done.error();
        }
        const sql_session::privilege all(session_);
        const command_call call{found_.arguments, session_.db_, session_.who_, session_.user_};
        try {
            auto result = found_.what->run(call);
            if (!result) return result.error();
            return std::unique_ptr<cursor>(std::make_unique<ready_cursor>(std::move(*result)));
        } catch (const std::exception& e) {
            // A worker or the control thread that does not answer.
            return sql_error("XX000", e.what());
        }
    }

private:
    sql_session& session_;
    command_table::found found_;
};

sql_session::sql_session(const sql_environment& all, role who, std::string user)
    : all_(all), who_(who), user_(std::move(user)), db_(all.memory_uri) {
    limit(db_.handle());
    const auto need = [&](const std::string& sql) {
        if (auto done = db_.execute(sql); !done) throw std::runtime_error(done.error().message);
    };
    for (const auto& [schema, path] : all.files())
        if (auto done = db_.attach_file(path, schema); !done)
            throw std::runtime_error("cannot open " + path + ": " + done.error().message);
    for (const std::string_view schema : attached_schemas)
        need("ATTACH ':memory:' AS " + std::string(schema));
    if (all.add_functions) all.add_functions(db_.handle(), user_, who_);
    attach_live_tables(db_.handle(), all.tables, clock_);
    sqlite3_set_authorizer(db_.handle(), authorize, this);
    sqlite3_progress_handler(db_.handle(), steps_between_checks, check_time, this);
    privileged_ = false;
}

sql_session::~sql_session() = default;

void sql_session::start_statement() {
    ++clock_.now;
    until_ = std::chrono::steady_clock::now() + all_.statement_timeout;
}

int sql_session::check_time(void* self) {
    const auto& s = *static_cast<sql_session*>(self);
    return s.until_.time_since_epoch().count() != 0 && std::chrono::steady_clock::now() > s.until_;
}

int sql_session::authorize(void* self, int action, const char* a, const char*, const char* schema,
                           const char*) {
    const auto view = [](const char* text) {
        return text == nullptr ? std::string_view() : std::string_view(text);
    };
    const auto& s = *static_cast<sql_session*>(self);
    return s.privileged_ || s.allows(action, view(a), view(schema)) ? SQLITE_OK : SQLITE_DENY;
}

bool sql_session::allows(int action, std::string_view a, std::string_view schema) const {
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE:
        case SQLITE_TRANSACTION:
        case SQLITE_SAVEPOINT:
            return true;
        case SQLITE_FUNCTION:
            return true;
        case SQLITE_PRAGMA:
            return is_harmless_pragma(a);
        case SQLITE_READ:
            // json_each reads nothing but its argument.
            return who_ == role::admin || schema.empty() || a == "json_each" ||
                   schema == "stats_history" ||
                   std::ranges::find(attached_schemas, schema) != std::end(attached_schemas);
        case SQLITE_INSERT:
        case SQLITE_UPDATE:
        case SQLITE_DELETE:
            return who_ == role::admin;
        case SQLITE_CREATE_TEMP_TABLE:
        case SQLITE_CREATE_TEMP_INDEX:
        case SQLITE_CREATE_TEMP_VIEW:
        case SQLITE_DROP_TEMP_TABLE:
        case SQLITE_DROP_TEMP_INDEX:
        case SQLITE_DROP_TEMP_VIEW:
            return who_ == role::admin;
        default:
            // Tables of the configuration are neither made nor altered nor dropped; no files.
            return false;
    }
}

sql_result<void> sql_session::check_may_run() const {
    if (broken_) return aborted();
    return {};
}

char sql_session::status() const {
    if (broken_) return 'E';
    return db_.in_transaction() && !implicit_ ? 'T' : 'I';
}

void sql_session::failed() {
    // SQLite may have rolled back by itself (disk full): for the client it is still open.
    if (implicit_) {
        (void)end_implicit(false);
    } else if (db_.in_transaction()) {
        broken_ = true;
        (void)db_.execute("ROLLBACK");
    }
}

sql_result<void> sql_session::begin_implicit() {
    if (db_.in_transaction() || broken_) return {};
    auto done = db_.execute("BEGIN");
    if (done) implicit_ = true;
    return done;
}

sql_result<void> sql_session::end_implicit(bool commit) {
    if (!std::exchange(implicit_, false) || !db_.in_transaction()) return {};
    return db_.execute(commit ? "COMMIT" : "ROLLBACK");
}

sql_result<std::unique_ptr<prepared_sql>> sql_session::prepare(std::string_view text) {
    const std::vector<token> tokens = tokens_of(text);
    using made = std::unique_ptr<prepared_sql>;
    using kind = transaction_statement::kind;
    if (tokens.empty()) return made();
    const token& first = tokens.front();
    const auto transaction = [&](kind what) {
        return made(std::make_unique<transaction_statement>(*this, what));
    };
    const bool begins = first.is_word("BEGIN") || (first.is_word("START") && tokens.size() > 1 &&
                                                   tokens[1].is_word("TRANSACTION"));
    if (begins) return transaction(kind::begin);
    // END DOWNTIME is a command.
    const bool ends =
        first.is_word("END") && (tokens.size() == 1 || tokens[1].is_word("WORK") ||
                                 tokens[1].is_word("TRANSACTION") || tokens[1].is_word("AND"));
    if (first.is_word("COMMIT") || ends) return transaction(kind::commit);
    const bool to_savepoint =
        std::ranges::any_of(tokens, [](const token& t) { return t.is_word("TO"); });
    if ((first.is_word("ROLLBACK") && !to_savepoint) || first.is_word("ABORT"))
        return transaction(kind::rollback);
    if (auto may = check_may_run(); !may) return may.error();
    auto found = all_.commands.find(text);
    if (!found) return found.error();
    if (found->what != nullptr)
        return made(std::make_unique<command_statement>(*this, std::move(*found)));
    const std::string dialect = all_.translate ? all_.translate(text) : std::string(text);
    auto prepared = statement::prepare(db_.handle(), dialect);
    if (!prepared) {
        sql_error e = prepared.error();
        // It counts in what has been made of the statement.
        if (dialect != text) e.position = 0;
        if (e.sqlstate == "42501" &&
            (e.message == "not authorized" || e.message.find("prohibited") != e.message.npos))
            e = {
                "42501", "permission denied",
                who_ == role::stats
                    ? "Users of admin-stats_credentials may read the schemas stats, monitor and ha."
                    : "Tables can be read and filled; they are not created, altered or dropped, "
                      "and nothing is attached."};
        return e;
    }
    if (prepared->empty()) return made();
    return made(std::make_unique<sqlite_statement>(*this, std::move(*prepared), verb_of(tokens)));
}

}  // namespace howdah::admin
