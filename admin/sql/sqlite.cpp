#include "admin/sql/sqlite.hpp"

#include <stdexcept>

#include "admin/sql/text.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

/// SQLSTATEs of what SQLite can answer (PostgreSQL documentation, appendix A).
std::string_view state_of(int code, std::string_view message) {
    switch (code & 0xff) {
        case SQLITE_CONSTRAINT:
            if (code == SQLITE_CONSTRAINT_NOTNULL) return "23502";
            if (code == SQLITE_CONSTRAINT_CHECK) return "23514";
            if (code == SQLITE_CONSTRAINT_FOREIGNKEY) return "23503";
            return "23505";
        case SQLITE_AUTH:
        case SQLITE_PERM:
            return "42501";
        case SQLITE_READONLY:
            return "25006";
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return "55P03";
        case SQLITE_INTERRUPT:
            return "57014";
        case SQLITE_NOMEM:
            return "53200";
        case SQLITE_FULL:
            return "53100";
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN:
            return "58030";
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return "XX001";
        case SQLITE_TOOBIG:
            return "54000";
        case SQLITE_MISMATCH:
            return "42804";
        default:
            break;
    }
    if (message.starts_with("no such table")) return "42P01";
    if (message.starts_with("no such column")) return "42703";
    if (message.starts_with("no such function")) return "42883";
    if (message.starts_with("ambiguous column")) return "42702";
    if (message.find("prohibited") != message.npos) return "42501";
    if (message.find("already exists") != message.npos) return "42P07";
    return "42601";
}

/// 1-based, in characters: what PostgreSQL's clients count in.
std::size_t characters_before(std::string_view text, std::size_t bytes) {
    std::size_t n = 1;
    for (const char c : text.substr(0, bytes))
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U) ++n;
    return n;
}

}  // namespace

sql_error error_of(sqlite3* db, std::string_view text) {
    const int code = sqlite3_extended_errcode(db);
    const char* said = sqlite3_errmsg(db);
    sql_error e;
    e.message = said == nullptr ? "unknown error" : said;
    e.sqlstate = state_of(code, e.message);
    if (e.sqlstate == "57014") e.message = "canceling statement due to user request";
    if (e.sqlstate == "55P03") {
        e.message = "another session is changing the configuration";
        e.hint = "It holds a transaction open: try again when that has ended.";
    }
    if (e.sqlstate == "42P01") e.hint = "SHOW TABLES lists what there is.";
    const int offset = sqlite3_error_offset(db);
    if (offset >= 0 && static_cast<std::size_t>(offset) <= text.size())
        e.position = characters_before(text, static_cast<std::size_t>(offset));
    return e;
}

sql_result<statement> statement::prepare(sqlite3* db, std::string_view text) {
    statement out;
    out.text_ = text;
    sqlite3_stmt* made = nullptr;
    const int rc = sqlite3_prepare_v2(db, out.text_.c_str(), static_cast<int>(out.text_.size()),
                                      &made, nullptr);
    out.stmt_.reset(made);
    if (rc != SQLITE_OK) return error_of(db, out.text_);
    return out;
}

void statement::bind(int index, const value& v) {
    if (const auto* integer = std::get_if<std::int64_t>(&v)) {
        sqlite3_bind_int64(handle(), index, *integer);
    } else if (const auto* real = std::get_if<double>(&v)) {
        sqlite3_bind_double(handle(), index, *real);
    } else if (const auto* text = std::get_if<std::string>(&v)) {
        sqlite3_bind_text64(handle(), index, text->data(), text->size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8);
    } else {
        sqlite3_bind_null(handle(), index);
    }
}

sql_result<bool> statement::step() {
    const int rc = sqlite3_step(handle());
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    sql_error e = error_of(sqlite3_db_handle(handle()), text_);
    e.position = 0;  // not where it was written, but while it ran
    return e;
}

void statement::reset() {
    sqlite3_reset(handle());
    sqlite3_clear_bindings(handle());
}

value statement::at(int i) const {
    sqlite3_stmt* s = handle();
    switch (sqlite3_column_type(s, i)) {
        case SQLITE_INTEGER:
            return std::int64_t{sqlite3_column_int64(s, i)};
        case SQLITE_FLOAT:
            return sqlite3_column_double(s, i);
        case SQLITE_NULL:
            return std::monostate{};
        case SQLITE_BLOB: {
            constexpr std::string_view digits = "0123456789abcdef";
            const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(s, i));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, i));
            std::string hex = "\\x";
            hex.reserve(2 + size * 2);
            for (std::size_t n = 0; n < size; ++n) {
                hex += digits[bytes[n] >> 4U];
                hex += digits[bytes[n] & 15U];
            }
            return hex;
        }
        default: {
            const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(s, i));
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, i));
            return bytes == nullptr ? std::string() : std::string(bytes, size);
        }
    }
}

row statement::current() const {
    row out;
    const int count = column_count();
    out.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        out.push_back(at(i));
    return out;
}

database::database(const std::string& uri) {
    sqlite3* opened = nullptr;
    const int rc = sqlite3_open_v2(uri.c_str(), &opened,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                                       SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                                   nullptr);
    db_.reset(opened);
    if (rc != SQLITE_OK) throw std::runtime_error("cannot open " + uri + ": " + sqlite3_errstr(rc));
}

sql_result<std::vector<row>> database::query(std::string_view sql,
                                             std::span<const value> parameters) {
    auto prepared = statement::prepare(handle(), sql);
    if (!prepared) return prepared.error();
    int index = 0;
    for (const value& v : parameters)
        prepared->bind(++index, v);
    std::vector<row> out;
    for (;;) {
        const auto more = prepared->step();
        if (!more) return more.error();
        if (!*more) return out;
        out.push_back(prepared->current());
    }
}

sql_result<void> database::execute(std::string_view sql, std::span<const value> parameters) {
    if (!parameters.empty()) {
        const auto done = query(sql, parameters);
        if (!done) return done.error();
        return {};
    }
    if (sqlite3_exec(handle(), std::string(sql).c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return error_of(handle(), sql);
    return {};
}

std::string file_uri(std::string_view path) {
    std::string uri = "file:";
    for (const char c : path) {
        if (c == '%') {
            uri += "%25";
        } else if (c == '?') {
            uri += "%3f";
        } else if (c == '#') {
            uri += "%23";
        } else {
            uri += c;
        }
    }
    return uri;
}

sql_result<void> database::attach_file(const std::string& path, std::string_view schema) {
    const value where = file_uri(path) + "?vfs=unix";
    return execute("ATTACH ?1 AS " + quoted_name(schema), {&where, 1});
}

std::vector<column> declared_columns(const statement& s, std::vector<bool>* known) {
    std::vector<column> out;
    for (int i = 0; i < s.column_count(); ++i) {
        const char* declared = sqlite3_column_decltype(s.handle(), i);
        const char* name = sqlite3_column_name(s.handle(), i);
        const std::string type = upper(declared == nullptr ? "" : declared);
        column c{name == nullptr ? "?column?" : name, column_type::text};
        if (type.find("INT") != type.npos) c.type = column_type::integer;
        if (type.find("BOOL") != type.npos) c.type = column_type::boolean;
        if (type.find("REAL") != type.npos || type.find("DOUB") != type.npos ||
            type.find("FLOA") != type.npos)
            c.type = column_type::real;
        out.push_back(std::move(c));
        if (known != nullptr) known->push_back(declared != nullptr);
    }
    return out;
}

std::string quoted_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += c;
        out += c;
    }
    return out + '"';
}

}  // namespace howdah::admin
