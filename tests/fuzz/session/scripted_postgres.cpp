#include "tests/fuzz/session/scripted_postgres.hpp"

#include <algorithm>
#include <array>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"

namespace howdah::fuzz {
namespace {

constexpr std::string_view reported_names[] = {"application_name", "client_encoding",
                                               "standard_conforming_strings"};

std::string trim(std::string_view text) {
    const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\t'; };
    while (!text.empty() && space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && space(text.back()))
        text.remove_suffix(1);
    return std::string(text);
}

std::deque<std::string> split(std::string_view sql) {
    std::deque<std::string> out;
    for (std::size_t at = 0; at <= sql.size();) {
        const std::size_t end = std::min(sql.find(';', at), sql.size());
        if (std::string one = trim(sql.substr(at, end - at)); !one.empty())
            out.push_back(std::move(one));
        at = end + 1;
    }
    return out;
}

/// The word at an index, counted from 0.
std::string word(std::string_view sql, std::size_t index) {
    for (std::size_t at = 0;;) {
        at = sql.find_first_not_of(" =(", at);
        if (at == sql.npos) return {};
        const std::size_t end = std::min(sql.find_first_of(" =(", at), sql.size());
        if (index-- == 0) return std::string(sql.substr(at, end - at));
        at = end;
    }
}

std::string without(std::string text, char c) {
    std::erase(text, c);
    return text;
}

bool answered_by_howdah(std::string_view sql) {
    return sql.starts_with("DEALLOCATE s") || sql.find(" howdah.") != sql.npos;
}
bool is_syntax_error(std::string_view sql) {
    return sql.starts_with("SELEC ");
}
bool runs_when_aborted(std::string_view sql) {
    return sql.empty() || sql.starts_with("COMMIT") || sql.starts_with("ROLLBACK");
}
bool returns_rows(std::string_view sql) {
    return sql.find("SELECT") == 0 || sql.starts_with("/*") || sql.starts_with("SHOW") ||
           sql.starts_with("EXECUTE") || sql.starts_with("FETCH");
}

constexpr std::string_view aborted =
    "current transaction is aborted, commands ignored until end of transaction block";

std::string missing(std::string_view what, std::string_view name) {
    return std::string(what) + " \"" + std::string(name) + "\" does not exist";
}

}  // namespace

void scripted_postgres::reply(char type, std::string_view body) {
    protocol::append_message(said_, type, body);
}

void scripted_postgres::fail(std::string_view sqlstate, std::string_view message,
                             std::string_view routine) {
    protocol::append_error(said_, {.sqlstate = sqlstate, .message = message, .routine = routine});
    sent_ = said_.size();
    if (status_ == 'T') status_ = 'E';
    if (status_ == 'I') roll_back();
    skipping_ = extended_;
    queue_.clear();
}

void scripted_postgres::fatal(std::string_view message) {
    protocol::append_error(said_, protocol::severity::fatal, "08P01", message);
    sent_ = promised_ = said_.size();
    closed_ = true;
}

scripted_postgres::settings scripted_postgres::changed_parameters() {
    settings changed;
    for (const std::string_view name : reported_names) {
        const std::string value = value_of(std::string(name));
        std::string& told = reported_[std::string(name)];
        if (told == value) continue;
        told = changed[std::string(name)] = value;
    }
    return changed;
}

void scripted_postgres::ready() {
    for (const auto& [name, value] : changed_parameters())
        protocol::append_parameter_status(said_, name, value);
    protocol::append_ready_for_query(said_, status_);
    sent_ = promised_ = said_.size();
}

std::string scripted_postgres::value_of(const std::string& name) const {
    for (const settings* from : {&now_.local, &now_.values, &login_})
        if (const auto it = from->find(name); it != from->end()) return it->second;
    if (name == "client_encoding") return "UTF8";
    return name == "standard_conforming_strings" ? "on" : "";
}

void scripted_postgres::begin_implicit() {
    if (status_ != 'I' || implicit_) return;
    implicit_ = true;
    before_ = now_;
}

void scripted_postgres::commit() {
    status_ = 'I';
    implicit_ = read_only_ = false;
    now_.local.clear();
    savepoints_.clear();
    portals_.clear();
}

void scripted_postgres::roll_back() {
    if (implicit_ || status_ != 'I') now_ = before_;
    commit();
}

void scripted_postgres::feed(std::string_view bytes) {
    in_ += bytes;
    while (!closed_) {
        const auto f = protocol::peek_frame(in_);
        if (!f) return;
        if (std::string_view("QPBDECHSFdcfX").find(f->type) == std::string_view::npos)
            return fatal("invalid frontend message type " +
                         std::to_string(static_cast<unsigned char>(f->type)));
        if (!f->valid()) return fatal("invalid message length");
        if (in_.size() < f->size()) return;
        const std::string body = in_.substr(protocol::frame_header_size, f->body_size());
        in_.erase(0, f->size());
        serve(f->type, body);
    }
}

void scripted_postgres::serve(char type, std::string_view body) {
    if (type == 'X') {
        closed_ = true;
    } else if (copying_) {
        copy_message(type, body);
    } else if (type == 'S') {
        skipping_ = extended_ = false;
        if (implicit_) commit();
        ready();
    } else if (skipping_ && type == 'B') {
        own_portal_ = true;  // perhaps: Howdah does not know yet that it is void
    } else if (skipping_ || type == 'd' || type == 'c' || type == 'f') {
        return;
    } else if (type == 'H') {
        sent_ = promised_ = said_.size();
    } else if (type == 'F') {
        extended_ = false;
        begin_implicit();
        if (status_ == 'E') {
            fail("25P02", aborted);
        } else {
            reply('V', std::string_view("\xff\xff\xff\xff", 4));
        }
        if (implicit_) commit();
        ready();
    } else if (type == 'Q') {
        extended_ = false;
        prepared_.erase("");
        const auto sql = protocol::parse_query(body);
        begin_implicit();
        if (!sql) {
            fail("08P01", "invalid message format");
            return ready();
        }
        queue_ = split(*sql);
        several_ = queue_.size() > 1;
        if (std::any_of(queue_.begin(), queue_.end(), is_syntax_error)) {
            fail("42601", "syntax error");
        } else if (queue_.empty()) {
            protocol::append_empty_query_response(said_);
        }
        run_queue();
    } else {
        extended(type, body);
    }
}

void scripted_postgres::run_queue() {
    while (!queue_.empty()) {
        const std::string sql = queue_.front();
        queue_.pop_front();
        begin_implicit();
        if (!show(perform(sql)) || copying_) break;
    }
    if (copying_) return;
    if (implicit_) commit();
    ready();
}

bool scripted_postgres::show(const outcome& o) {
    if (!o.sqlstate.empty()) {
        fail(o.sqlstate, o.message);
        return false;
    }
    if (o.has_rows) {
        if (!extended_) protocol::append_row_description(said_, std::array{std::string_view("c")});
        for (const std::string& row : o.rows)
            protocol::append_data_row(said_, std::array{std::optional<std::string_view>(row)});
    }
    constexpr std::string_view one_text_column("\0\0\1\0\0", 5);
    if (o.copy == 'G') {
        reply('G', one_text_column);
        sent_ = said_.size();
        if (!extended_) promised_ = sent_;
        copying_ = true;
        copied_ = 0;
        return true;
    }
    if (o.copy == 'H') {
        reply('H', one_text_column);
        reply('d', "copied\n");
        reply('c');
    }
    protocol::append_command_complete(said_, o.tag);
    return true;
}

void scripted_postgres::copy_message(char type, std::string_view body) {
    if (type == 'H' || type == 'S') {
        promised_ = sent_;
        return;
    }
    if (type == 'd' && body.find("BAD") == body.npos) {
        ++copied_;
        return;
    }
    copying_ = false;
    if (type == 'c') {
        protocol::append_command_complete(said_, "COPY " + std::to_string(copied_));
    } else if (type == 'd') {
        fail("22P04", "bad data in COPY");
    } else if (type == 'f') {
        fail("57014", "COPY from stdin failed");
    } else {
        fail("08P01", "unexpected message during COPY from stdin");
        return fatal("terminating connection because protocol synchronization was lost");
    }
    if (!extended_) run_queue();
}

void scripted_postgres::extended(char type, std::string_view body) {
    extended_ = true;
    several_ = false;
    begin_implicit();
    const auto malformed = [this] { fail("08P01", "invalid message format"); };
    switch (type) {
        case 'P': {
            const auto v = protocol::parse_parse(body);
            if (!v) return malformed();
            const std::string name(v->name);
            if (name.empty()) prepared_.erase(name);
            const std::deque<std::string> parts = split(v->sql);
            const std::string sql = parts.empty() ? std::string() : parts.front();
            if (std::any_of(parts.begin(), parts.end(), is_syntax_error))
                return fail("42601", "syntax error");
            if (parts.size() > 1)
                return fail("42601", "cannot insert multiple commands into a prepared statement");
            if (sql == "DEALLOCATE " + name) misused_ = true;
            if (status_ == 'E' && !runs_when_aborted(sql)) return fail("25P02", aborted);
            if (prepared_.contains(name))
                return fail("42P05", "prepared statement \"" + name + "\" already exists");
            prepared_[name] = sql;
            return protocol::append_parse_complete(said_);
        }
        case 'B': {
            const auto v = protocol::parse_bind(body);
            if (!v) return malformed();
            const auto it = prepared_.find(std::string(v->statement));
            if (it == prepared_.end())
                return fail("26000", v->statement.empty()
                                         ? "unnamed prepared statement does not exist"
                                         : missing("prepared statement", v->statement));
            if (status_ == 'E' && !runs_when_aborted(it->second)) return fail("25P02", aborted);
            if (fault_ && !fault_->routine.empty()) {
                const fault f = *std::exchange(fault_, std::nullopt);
                return fail(f.sqlstate, f.message, f.routine);
            }
            if (!v->portal.empty() && portals_.contains(std::string(v->portal)))
                return fail("42P03", "cursor \"" + std::string(v->portal) + "\" already exists");
            portals_[std::string(v->portal)] = portal{it->second, false, {}};
            if (v->portal.empty()) {
                own_portal_ = answered_by_howdah(it->second);
            } else if (answered_by_howdah(it->second)) {
                misused_ = true;  // Howdah answers the unnamed portal only
            }
            return protocol::append_bind_complete(said_);
        }
        case 'D': {
            const auto v = protocol::parse_describe(body);
            if (!v) return malformed();
            const std::string name(v->name);
            const bool statement = v->kind == 'S';
            if (statement && !prepared_.contains(name))
                return fail("26000", name.empty() ? "unnamed prepared statement does not exist"
                                                  : missing("prepared statement", name));
            if (!statement && !portals_.contains(name)) {
                misused_ = misused_ || own_portal_;
                return fail("34000", missing("portal", name));
            }
            const std::string& sql = statement ? prepared_[name] : portals_[name].sql;
            if (status_ == 'E' && returns_rows(sql)) return fail("25P02", aborted);
            // Where the connection does not have it, it cannot be prepared there now.
            if (status_ == 'E' && statement) misused_ = true;
            if (statement) protocol::append_no_parameters(said_);
            if (returns_rows(sql)) {
                protocol::append_row_description(said_, std::array{std::string_view("c")});
            } else {
                protocol::append_no_data(said_);
            }
            return;
        }
        case 'E': {
            const auto v = protocol::parse_execute(body);
            if (!v) return malformed();
            const std::string name(v->portal);
            const auto it = portals_.find(name);
            if (own_portal_ && (it == portals_.end() || it->second.done)) misused_ = true;
            if (it == portals_.end()) return fail("34000", missing("portal", name));
            const std::string sql = it->second.sql;
            if (status_ == 'E' && !runs_when_aborted(sql)) return fail("25P02", aborted);
            if (sql.empty()) return protocol::append_empty_query_response(said_);
            if (it->second.done && !returns_rows(sql))
                return fail("55000", "portal \"" + name + "\" cannot be run");
            outcome o;
            if (!it->second.done) {
                o = perform(sql);
                if (!o.has_rows) {
                    if (const auto again = portals_.find(name); again != portals_.end())
                        again->second.done = true;
                    (void)show(o);
                    return;
                }
                it->second.done = true;
                it->second.rows.assign(o.rows.begin(), o.rows.end());
            }
            std::deque<std::string>& rows = it->second.rows;
            const auto limit = static_cast<std::size_t>(std::max(v->max_rows, 0));
            std::size_t n = 0;
            for (; !rows.empty() && (limit == 0 || n < limit); ++n) {
                protocol::append_data_row(
                    said_, std::array{std::optional<std::string_view>(rows.front())});
                rows.pop_front();
            }
            if (limit > 0 && n == limit) return reply('s');
            return protocol::append_command_complete(
                said_, sql.starts_with("SHOW") ? "SHOW" : "SELECT " + std::to_string(n));
        }
        default: {
            const auto v = protocol::parse_close(body);
            if (!v) return malformed();
            if (v->kind == 'S') {
                prepared_.erase(std::string(v->name));
            } else {
                portals_.erase(std::string(v->name));
            }
            return protocol::append_close_complete(said_);
        }
    }
}

void scripted_postgres::put(const std::string& name, const std::string& value, bool local) {
    if (local) {
        now_.local[name] = value;
        return;
    }
    now_.local.erase(name);
    now_.values[name] = value;
}

scripted_postgres::outcome scripted_postgres::set(const std::string& sql) {
    const bool local = sql.starts_with("SET LOCAL");
    const bool session = sql.starts_with("SET SESSION");
    const std::string name = without(word(sql, local || session ? 2 : 1), '"');
    if (sql.starts_with("RESET")) {
        if (name == "ALL") {
            const auto role = now_.values.find("role");
            settings kept;
            if (role != now_.values.end()) kept.insert(*role);
            now_.values = std::move(kept);
            now_.local.clear();
        } else {
            now_.local.erase(name);
            now_.values.erase(name);
        }
        return {.tag = "RESET"};
    }
    std::string rest = trim(sql.substr(sql.find(word(sql, local || session ? 2 : 1)) +
                                       word(sql, local || session ? 2 : 1).size()));
    if (rest.starts_with("TO ")) rest = trim(rest.substr(3));
    if (rest.starts_with("=")) rest = trim(rest.substr(1));
    if (name == "bad_parameter")
        return {.sqlstate = "42704",
                .message = "unrecognized configuration parameter \"bad_parameter\""};
    put(name, without(rest, '\''), local);
    return {.tag = "SET"};
}

scripted_postgres::outcome scripted_postgres::transaction(const std::string& sql) {
    const std::string first = word(sql, 0);
    const bool block = status_ != 'I';
    if (first == "BEGIN") {
        if (!block) {
            begin_implicit();
            implicit_ = false;
            status_ = 'T';
            read_only_ = sql == "BEGIN READ ONLY";
        }
        return {.tag = "BEGIN"};
    }
    if (first == "COMMIT") {
        const bool lost = status_ == 'E';
        lost ? roll_back() : commit();
        return {.tag = lost ? "ROLLBACK" : "COMMIT"};
    }
    if (sql == "ROLLBACK") {
        roll_back();
        return {.tag = "ROLLBACK"};
    }
    if (!block) return {.sqlstate = "25P01", .message = first + " outside of a transaction block"};
    const std::string name = word(sql, first == "ROLLBACK" ? 2 : 1);
    if (first == "SAVEPOINT") {
        savepoints_.emplace_back(name, now_);
        return {.tag = first};
    }
    const auto it = std::find_if(savepoints_.rbegin(), savepoints_.rend(),
                                 [&](const auto& s) { return s.first == name; });
    if (it == savepoints_.rend())
        return {.sqlstate = "3B001", .message = missing("savepoint", name)};
    if (first == "RELEASE") {
        savepoints_.erase(std::prev(it.base()), savepoints_.end());
    } else {
        now_ = it->second;
        savepoints_.erase(it.base(), savepoints_.end());
        status_ = 'T';
    }
    return {.tag = first};
}

std::string scripted_postgres::pin_check(std::string_view sql) const {
    int sum = 0;
    constexpr std::string_view mark = "CASE WHEN";
    for (std::size_t at = sql.find(mark); at != sql.npos;) {
        const std::size_t end = std::min(sql.find(mark, at + 1), sql.size());
        const std::string_view part = sql.substr(at, end - at);
        const auto about = [&](std::string_view what) { return part.find(what) != part.npos; };
        const bool held = (about("pg_class") && !now_.tables.empty()) ||
                          (about("pg_locks") && !locks_.empty()) ||
                          (about("pg_listening_channels") && !now_.channels.empty()) ||
                          (about("pg_cursors") && !now_.cursors.empty()) ||
                          (about("pg_prepared_statements") && !by_sql_.empty());
        if (held) sum += std::stoi(std::string(part.substr(part.rfind("THEN ") + 5)));
        at = end == sql.size() ? sql.npos : end;
    }
    return std::to_string(sum);
}

scripted_postgres::outcome scripted_postgres::perform(const std::string& sql) {
    const auto is = [&](std::string_view what) { return sql.starts_with(what); };
    const auto row = [](std::string value) {
        return outcome{.tag = "SELECT 1", .rows = {std::move(value)}, .has_rows = true};
    };
    if (status_ == 'E' && !runs_when_aborted(sql))
        return {.sqlstate = "25P02", .message = std::string(aborted)};
    if (fault_ && fault_->routine.empty()) {
        const fault f = *std::exchange(fault_, std::nullopt);
        return {.sqlstate = f.sqlstate, .message = f.message};
    }
    for (const char* verb : {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"})
        if (is(verb)) return transaction(sql);
    if (is("SET ") || is("RESET ")) return set(sql);
    const auto shown = [](std::string value) {
        return outcome{.tag = "SHOW", .rows = {std::move(value)}, .has_rows = true};
    };
    if (is("SHOW howdah.")) return shown(std::string(anything));
    if (is("SELECT current_setting("))
        return row(value_of(without(without(sql.substr(23), '\''), ')')));
    if (is("SHOW ")) return shown(value_of(word(sql, 1)));
    if (sql.find("set_config(") != sql.npos) {
        std::string rest = without(sql.substr(sql.find("set_config(") + 11), '\'');
        const std::size_t comma = rest.find(',');
        const std::size_t last = rest.rfind(',');
        const std::string value = trim(rest.substr(comma + 1, last - comma - 1));
        put(rest.substr(0, comma), value, rest.find("true", last) != rest.npos);
        return row(value);
    }
    // The unnamed one stays.
    const auto drop_prepared = [this] {
        by_sql_.clear();
        std::erase_if(prepared_, [](const auto& p) { return !p.first.empty(); });
    };
    if (is("DISCARD ALL")) {
        if (status_ != 'I' || several_)
            return {.sqlstate = "25001",
                    .message = "DISCARD ALL cannot run inside a transaction block"};
        now_ = state{};
        before_ = now_;
        locks_.clear();
        drop_prepared();
        portals_.clear();
        return {.tag = "DISCARD ALL"};
    }
    if (is("DISCARD TEMP")) {
        now_.tables.clear();
        return {.tag = "DISCARD TEMP"};
    }
    if (is("DEALLOCATE ALL")) {
        drop_prepared();
        return {.tag = "DEALLOCATE ALL"};
    }
    const std::string second = word(sql, 1);
    const auto unknown_statement = [&] {
        return outcome{.sqlstate = "26000", .message = missing("prepared statement", second)};
    };
    if (is("DEALLOCATE ")) {
        by_sql_.erase(second);
        if (prepared_.erase(second) == 0) return unknown_statement();
        return {.tag = "DEALLOCATE"};
    }
    if (is("PREPARE ")) {
        if (prepared_.contains(second))
            return {.sqlstate = "42P05",
                    .message = "prepared statement \"" + second + "\" already exists"};
        by_sql_.insert(second);
        prepared_[second] = sql.substr(sql.find(" AS ") + 4);
        return {.tag = "PREPARE"};
    }
    if (is("EXECUTE ")) {
        if (!prepared_.contains(second)) return unknown_statement();
        return row("executed");
    }
    if (is("LISTEN ")) {
        now_.channels.insert(second);
        return {.tag = "LISTEN"};
    }
    if (is("UNLISTEN ")) {
        second == "*" ? now_.channels.clear() : (void)now_.channels.erase(second);
        return {.tag = "UNLISTEN"};
    }
    if (is("CREATE TEMP TABLE ")) {
        if (!now_.tables.insert(word(sql, 3)).second)
            return {.sqlstate = "42P07",
                    .message = "relation \"" + word(sql, 3) + "\" already exists"};
        return {.tag = "CREATE TABLE"};
    }
    if (is("DROP TABLE ")) {
        if (now_.tables.erase(word(sql, 2)) == 0)
            return {.sqlstate = "42P01", .message = missing("table", word(sql, 2))};
        return {.tag = "DROP TABLE"};
    }
    if (is("SELECT * FROM mine")) {
        if (!now_.tables.contains("mine"))
            return {.sqlstate = "42P01", .message = missing("relation", "mine")};
        return row("mine");
    }
    if (is("DECLARE ")) {
        if (!now_.cursors.insert(second).second)
            return {.sqlstate = "42P03", .message = "cursor \"" + second + "\" already exists"};
        return {.tag = "DECLARE CURSOR"};
    }
    if (is("FETCH ") || is("CLOSE ")) {
        if (!now_.cursors.contains(second))
            return {.sqlstate = "34000", .message = missing("cursor", second)};
        if (is("FETCH ")) return row("fetched");
        now_.cursors.erase(second);
        return {.tag = "CLOSE CURSOR"};
    }
    if (is("SELECT pg_advisory_lock")) {
        ++locks_[word(sql, 2)];
        return row("");
    }
    if (is("SELECT pg_advisory_unlock")) {
        const auto it = locks_.find(word(sql, 2));
        if (it == locks_.end()) return row("f");
        if (--it->second == 0) locks_.erase(it);
        return row("t");
    }
    if (is("COPY ")) return {.tag = "COPY 1", .copy = sql.find("STDIN") != sql.npos ? 'G' : 'H'};
    if (is("INSERT")) {
        if (standby_ || read_only_)
            return {.sqlstate = "25006",
                    .message = "cannot execute INSERT in a read-only transaction"};
        return {.tag = "INSERT 0 1"};
    }
    if (is("DO ")) return {.tag = "DO"};
    if (is("SELECT 1/0")) return {.sqlstate = "22012", .message = "division by zero"};
    if (is("SELECT two")) return {.tag = "SELECT 2", .rows = {"first", "second"}, .has_rows = true};
    if (is("SELECT large"))
        return {.tag = "SELECT 2",
                .rows = {std::string(9000, 'l'), std::string(20000, 'm')},
                .has_rows = true};
    if (is("SELECT 0 + CASE")) return row(pin_check(sql));
    return row(sql);
}

}  // namespace howdah::fuzz
