#include <array>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

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

}  // namespace

bool session::answered_here(const sql::traits& t) const {
    // In a failed transaction the server says what it thinks of any statement.
    if (!t.parsed || t.statements != 1 || status() == 'E') return false;
    if (shows_position(t) || sets_floor(t)) return true;
    return t.first == verb::deallocate && !t.target.empty() && find_statement(t.target) != nullptr;
}

bool session::returns_rows(const sql::traits& t) {
    return shows_position(t);
}

void session::append_local_description(std::string& out, const sql::traits& t) {
    if (returns_rows(t)) {
        protocol::append_row_description(out, std::array{lsn_name});
    } else {
        protocol::append_no_data(out);
    }
}

bool session::can_answer(const sql::traits& t) {
    if (!shows_position(t) || floor_.cover(w_.positions->of(writer_server()))) {
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

bool session::run_local(const sql::traits& t, reply_note& note) {
    std::string& out = note.text;
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
        protocol::append_command_complete(out, "SHOW");
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

void session::expect_local(const std::function<void(reply_note&)>& write) {
    reply_note note;
    write(note);
    server_->replies.expect(reply_kind::local, std::move(note));
}

}  // namespace howdah::proxy
