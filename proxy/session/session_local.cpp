#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"
#include "proxy/sql/lexer.hpp"

// Statements that Howdah answers itself: DEALLOCATE of a name that the protocol's Parse made, which
// servers know under another name; and the floor of the session's reads, which it hands over to
// another session by SHOW howdah.lsn and SET howdah.min_lsn.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using sql::verb;

namespace {

constexpr std::string_view lsn_name = "howdah.lsn";
constexpr std::string_view min_lsn_name = "howdah.min_lsn";
constexpr std::chrono::milliseconds position_wait{2000};

bool shows_position(const sql::traits& t) {
    return t.first == verb::show && t.target == lsn_name;
}
bool sets_floor(const sql::traits& t) {
    return t.first == verb::set && t.settings.size() == 1 &&
           t.settings.front().what == sql::setting_change::kind::set &&
           t.settings.front().name == min_lsn_name;
}

/// OIDs: those that the Parse has given (`given`: their number, then each), type text for the
/// others that the statement uses.
std::vector<std::uint32_t> parameter_types(std::string_view query, std::string_view given) {
    constexpr std::uint32_t text = 25;
    constexpr std::size_t most = 65535;
    protocol::reader in(given);
    std::vector<std::uint32_t> types(in.u16());
    for (std::uint32_t& type : types)
        type = in.u32();
    sql::lexer lexer(query);
    for (sql::token t = lexer.next(); t.kind != sql::token_kind::end; t = lexer.next()) {
        if (t.kind != sql::token_kind::parameter) continue;
        std::size_t number = 0;
        std::from_chars(t.text.data() + 1, t.text.data() + t.text.size(), number);
        if (number > types.size() && number <= most) types.resize(number);
    }
    std::replace(types.begin(), types.end(), std::uint32_t{0}, text);
    return types;
}

}  // namespace

bool session::answered_here(const statement_plan& plan) const {
    // In a failed transaction the server says what it thinks of any statement.
    if (status() == 'E') return false;
    if (plan.answered()) return true;
    const sql::traits& t = *plan.what;
    if (!t.parsed || t.statements != 1) return false;
    if (shows_position(t) || sets_floor(t)) return true;
    return t.first == verb::deallocate && !t.target.empty() && find_statement(t.target) != nullptr;
}

bool session::returns_rows(const statement_plan& plan) {
    return !plan.answered() && shows_position(*plan.what);
}

void session::append_local_description(std::string& out, const statement_plan& plan) {
    if (returns_rows(plan)) {
        protocol::append_row_description(out, std::array{lsn_name});
    } else {
        protocol::append_no_data(out);
    }
}

void session::append_local_parameters(std::string& out, std::string_view name,
                                      const statement_plan& plan) const {
    if (!plan.answered()) return protocol::append_no_parameters(out);
    // No server was asked: what the client has said of them, and text where it has not.
    std::string_view query, oids;
    if (name.empty()) {
        query = unnamed_->query;
        oids = unnamed_->oids;
    } else if (const own_statement own = find_own(name)) {
        query = own->statement->query;
        oids = own->statement->oids;
    }
    protocol::append_parameter_description(out, parameter_types(query, oids));
}

bool session::can_answer(const statement_plan& plan) {
    if (!returns_rows(plan) || floor_.cover(w_.positions->of(writer_server()))) {
        awaits_position_ = false;
        return true;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!std::exchange(awaits_position_, true)) position_asked_ = now;
    if (now - position_asked_ > position_wait) return true;
    awaits_sample_ = true;
    w_.wheel.arm(*this, position_wait);
    w_.await_sample(pid_);
    w_.shared.hurry_samples(monitor::wal_sampler::urgency::now);
    return false;
}

bool session::run_local(const statement_plan& plan, reply_note& note, std::int32_t max_rows) {
    std::string& out = note.text;
    if (plan.answered()) {
        protocol::append_command_complete(out, *plan.verdict->ok_msg);
        return true;
    }
    const sql::traits& t = *plan.what;
    if (shows_position(t)) {
        if (!floor_.covered()) {
            awaits_position_ = false;
            protocol::append_error(out, protocol::severity::error,
                                   sqlstate::object_not_in_prerequisite_state,
                                   "the position of the primary is not known: the monitor cannot "
                                   "read it");
            return false;
        }
        const std::string position = to_string(floor_.position());
        protocol::append_data_row(out, std::array{std::optional<std::string_view>(position)});
        // As in PostgreSQL: who asked for one row is not told that there is no other.
        if (max_rows == 1) {
            protocol::append_portal_suspended(out);
        } else {
            protocol::append_command_complete(out, "SHOW");
        }
        return true;
    }
    if (sets_floor(t)) {
        const std::string value = setting_value(t.settings.front().value);
        const auto position = monitor::parse_wal_position(value);
        if (!position) {
            protocol::append_error(out, protocol::severity::error,
                                   sqlstate::invalid_parameter_value,
                                   "invalid value for parameter \"howdah.min_lsn\": \"" + value +
                                       "\"; give what SHOW howdah.lsn has shown");
            return false;
        }
        floor_.at_least(*position, std::chrono::steady_clock::now());
        protocol::append_command_complete(out, "SET");
        return true;
    }
    note.own = find_own(statement_name(t.target));
    if (!note.own) {
        // It was there when this was bound, but not any more.
        protocol::append_error(out, protocol::severity::error, sqlstate::invalid_sql_statement_name,
                               "prepared statement \"" + t.target + "\" does not exist");
        return false;
    }
    // Comes back where an error before it skips this.
    note.name = statement_name(t.target);
    note.closes = true;
    forget_name(t.target);
    protocol::append_command_complete(out, "DEALLOCATE");
    return true;
}

void session::expect_local(reply_note note) {
    if (server_) {
        server_->replies.expect(reply_kind::local, std::move(note));
    } else {
        answer(std::move(note.text));
    }
}

}  // namespace howdah::proxy
