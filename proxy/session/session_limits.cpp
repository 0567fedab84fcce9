#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// How long things may take: the wait for a server, a statement, a transaction, doing nothing; and
// what becomes of a statement whose client is gone.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
namespace in_force_of = conf::in_force_of;
using protocol::severity;
using clock = std::chrono::steady_clock;

std::chrono::milliseconds session::limit(conf::overridable<std::chrono::milliseconds> what) const {
    return who_.value_of(what, w_.now->vars());
}

const std::string* session::held_because() const {
    return paused_ ? nullptr : w_.now->hostgroups->held_because(hostgroup_);
}

std::chrono::milliseconds session::longest_wait() const {
    const auto usual = limit(in_force_of::connect_timeout_server_max);
    return held_ ? std::max(usual, w_.now->vars().ha_hold_timeout) : usual;
}

std::string_view session::wait_limit_name() const {
    return longest_wait() > limit(in_force_of::connect_timeout_server_max)
               ? "ha_hold_timeout"
               : "connect_timeout_server_max";
}

void session::arm_wait_deadline(clock::time_point from) {
    held_ = held_because() != nullptr;
    if (!held_) {
        hold_.leave();
    } else if (!hold_) {
        hold_ = w_.shared.held.enter(w_.now->vars().ha_hold_max_clients);
        ++(hold_ ? w_.counters.holds : w_.counters.holds_refused);
    }
    const auto now = clock::now();
    const bool turned_away = held_ && !hold_;
    if (turned_away) {
        wait_until_ = now;
    } else if (held_) {
        // A hold shortens no wait.
        wait_until_ = std::max(wait_until_, from + longest_wait());
    } else {
        wait_until_ = from + longest_wait();
    }
    const auto left = std::max(wait_until_ - now, clock::duration::zero());
    const clock::duration notify = limit(in_force_of::query_wait_notify);
    // A client that is still logging in does not expect one.
    wait_notice_due_ = phase_ == phase::ready && notify.count() > 0 && notify < left;
    w_.wheel.arm(*this, wait_notice_due_ ? notify : left);
}

void session::follow_hold() {
    if (held_ == (held_because() != nullptr)) return;
    forget_failures();
    // Where there is a writer again, all who waited for it get it in their turn.
    const bool released = held_ && !w_.now->usable(hostgroup_).empty();
    arm_wait_deadline(released ? clock::now() : wait_since_);
}

void session::on_wait_deadline() {
    if (std::exchange(wait_notice_due_, false)) {
        w_.wheel.arm(*this, wait_until_ - clock::now());
        send_wait_notice();
        return;
    }
    const std::string* why = held_ ? held_because() : nullptr;
    if (why != nullptr && !hold_) {
        const std::string most = std::to_string(w_.now->vars().ha_hold_max_clients);
        fail_wait(sqlstate::too_many_connections,
                  "too many clients wait for hostgroup " + std::to_string(hostgroup_) + ": " + *why,
                  "Nothing was done: try again in a moment. No more than ha_hold_max_clients (" +
                      most + ") wait at a time.");
        return;
    }
    ++w_.counters.wait_timeouts;
    std::string text = "Max connect timeout reached while reaching hostgroup " +
                       std::to_string(hostgroup_) + " after " +
                       std::to_string(longest_wait().count()) + "ms";
    if (why != nullptr) {
        ++w_.counters.holds_timed_out;
        const std::string name(wait_limit_name());
        fail_wait(sqlstate::unable_to_connect, text + ": " + *why,
                  "Nothing was done: try again later. How long clients wait is " + name +
                      "; SHOW HA on the admin interface says how it stands.");
        return;
    }
    if (paused_)
        text += ": traffic of this client is paused";
    else if (!last_failure().empty())
        text += ": " + last_failure();
    else if (w_.now->usable(hostgroup_).empty())
        text += ": " + why_none_is_online();
    fail_wait(sqlstate::unable_to_connect, text);
}

void session::fail_wait(std::string_view state, const std::string& text, std::string_view hint) {
    w_.servers.forget(*this);
    if (phase_ == phase::welcome) {
        terminate(state, text);
        return;
    }
    arm_idle_deadline();
    fail_batch(state, text, {}, hint);
    pump_client();
}

std::string session::why_none_is_online() const {
    std::string text = "no server of the hostgroup is online";
    const hostgroup_policy* policy = w_.now->policy(hostgroup_);
    if (policy == nullptr) return text;
    const auto members = w_.now->hostgroups->in(hostgroup_);
    const auto serving = std::ranges::count_if(members, &monitor::member::overfull);
    if (serving > 0)
        text += ": " + std::to_string(serving) + " are, more than its max_num_online_servers (" +
                std::to_string(policy->configured.max_num_online_servers) + ")";
    return text;
}

void session::send_wait_notice() {
    // Where the client does not read, or gets a message in parts, it would come too late or amiss.
    if (phase_ != phase::ready || !to_client_.empty() || !w_.to_client.empty()) return;
    ++w_.counters.wait_notices;
    std::string text =
        "waiting for a server connection in hostgroup " + std::to_string(hostgroup_) + ": ";
    const auto& usable = w_.now->usable(hostgroup_);
    const std::string* why = held_because();
    if (why != nullptr) {
        text += *why;
    } else if (paused_) {
        text += "traffic of this client is paused";
    } else if (!last_failure().empty()) {
        text += last_failure();
    } else if (usable.empty()) {
        text += why_none_is_online();
    } else {
        text += "all connections are in use";
        for (const pool_book::candidate& c : usable)
            text += (&c == &usable.front() ? " (" : ", ") + monitor::to_string(c.server->at) +
                    " has " + std::to_string(w_.shared.book.used(c.server));
        text += ")";
    }
    protocol::append_notice(w_.to_client.generated(), severity::notice,
                            sqlstate::successful_completion, text, {},
                            "It will fail after " + std::string(wait_limit_name()) + " (" +
                                std::to_string(longest_wait().count()) + "ms).");
    w_.to_client.commit();
    flush_client();
}

void session::arm_idle_deadline() {
    last_active_ = w_.coarse_now;
    running_ = false;
    if (status() == 'I') transaction_since_ = {};
    arm_next_deadline(w_.coarse_now);
}

void session::arm_next_deadline(clock::time_point now) {
    auto next = clock::time_point::max();
    const auto consider = [&](clock::time_point since, std::chrono::milliseconds limit) {
        if (limit.count() > 0) next = std::min(next, since + limit);
    };
    const bool busy = delaying_ || (server_ && server_->replies.owed());
    if (delaying_) next = delay_until_;
    consider(busy ? now : last_active_,
             limit(status() != 'I' ? in_force_of::max_transaction_idle_time
                                   : in_force_of::wait_timeout));
    if (running_ && !stopping_ && running_since_ != clock::time_point())
        consider(running_since_, statement_limit());
    if (transaction_since_ != clock::time_point())
        consider(transaction_since_, limit(in_force_of::transaction_timeout));
    if (next == clock::time_point::max()) {
        disarm();
    } else {
        w_.wheel.arm(*this, std::max(next - now, clock::duration::zero()));
    }
}

std::chrono::milliseconds session::statement_limit() const {
    std::chrono::milliseconds shortest{0};
    if (ruled_timeouts_ && server_) {
        for (const server_replies::entry& e : server_->replies) {
            const auto ruled = e.note.verdict ? e.note.verdict->timeout : std::nullopt;
            if (ruled && ruled->count() > 0 && (shortest.count() == 0 || *ruled < shortest))
                shortest = *ruled;
            if (owes_ready(e)) break;
        }
    }
    return shortest.count() > 0 ? shortest : limit(in_force_of::query_timeout);
}

void session::note_limit(const rule_verdict* verdict) {
    if (verdict == nullptr || !verdict->timeout || verdict->timeout->count() == 0) return;
    ruled_timeouts_ = true;
    // What is behind a Flush is under way already.
    if (!running_) return;
    const auto now = clock::now();
    if (running_since_ == clock::time_point()) running_since_ = now;
    arm_next_deadline(now);
}

void session::begin_running() {
    if (running_ || phase_ != phase::ready || applying_settings_ || checking_pins_) return;
    running_ = true;
    stopping_ = false;
    // A cancel that is still on its way may hit this statement: it has the same cause.
    if (*server_->state().cancels == 0) blames_timeout_ = false;
    running_since_ = {};
    if (statement_limit().count() == 0 && limit(in_force_of::transaction_timeout).count() == 0)
        return;
    running_since_ = clock::now();
    if (transaction_since_ == clock::time_point()) transaction_since_ = running_since_;
    arm_next_deadline(running_since_);
}

void session::end_running(char new_status) {
    running_ = false;
    if (new_status == 'I') transaction_since_ = {};
    if (server_->replies.owed()) begin_running();
}

void session::stop_statement() {
    ++w_.counters.query_timeouts;
    stopping_ = blames_timeout_ = true;
    blames_rule_ = ruled_timeouts_ && statement_limit() != limit(in_force_of::query_timeout);
    // What is stopped is over: it must not start again elsewhere.
    retain_ = unread_ = false;
    w_.servers.cancel(*server_);
    arm_next_deadline(clock::now());
    flush_client();
}

bool session::show_stop_reason(std::string_view body) {
    const auto view = protocol::parse_error(body);
    if (!view || view->sqlstate != sqlstate::query_canceled) return false;
    protocol::append_changed_error(
        w_.to_client.generated(), body,
        {.level = std::nullopt,
         .from = view->message,
         .to = blames_rule_ ? "canceling statement due to the timeout of a "
                              "query rule"
                            : "canceling statement due to query_timeout"});
    w_.to_client.commit();
    return true;
}

void session::on_deadline() {
    if (phase_ == phase::closed) return;
    const boost::intrusive_ptr<session> guard(this);
    if (phase_ == phase::resetting) {
        w_.servers.discard(std::exchange(server_, nullptr));
        finish();
        return;
    }
    if (awaits_sample_) {
        stop_waiting_for_sample();
        if (server_ && !applying_settings_) pump_client();
        return;
    }
    if (waiting()) {
        on_wait_deadline();
        return;
    }
    const auto now = clock::now();
    const auto over = [&](clock::time_point since, std::chrono::milliseconds limit) {
        return limit.count() > 0 && now - since >= limit;
    };
    const bool busy = delaying_ || (server_ && server_->replies.owed());
    if (transaction_since_ != clock::time_point() &&
        over(transaction_since_, limit(in_force_of::transaction_timeout))) {
        ++w_.counters.transaction_timeouts;
        terminate(sqlstate::transaction_timeout,
                  "terminating connection due to transaction timeout");
    } else if (busy && running_ && !stopping_ && running_since_ != clock::time_point() &&
               over(running_since_, statement_limit())) {
        stop_statement();
    } else if (delaying_ && now >= delay_until_) {
        end_delay();
    } else if (busy) {
        arm_next_deadline(now);
    } else if (status() != 'I') {
        if (!over(last_active_, limit(in_force_of::max_transaction_idle_time)))
            return arm_next_deadline(now);
        ++w_.counters.transaction_idle_timeouts;
        terminate(sqlstate::idle_in_transaction_timeout,
                  "terminating connection due to idle-in-transaction timeout");
    } else {
        if (!over(last_active_, limit(in_force_of::wait_timeout))) return arm_next_deadline(now);
        ++w_.counters.client_idle_timeouts;
        terminate(sqlstate::idle_session_timeout,
                  "terminating connection due to idle-session timeout");
    }
}

void session::leave_running() {
    server_ptr left = std::exchange(server_, nullptr);
    // Our own statements and half a batch lead to nothing that anybody waits for.
    const bool to_its_end = left->replies.owed() && !mid_batch_ && client_left_ == 0 &&
                            !applying_settings_ && !left->replies.copy_in() && !server_dirty_;
    if (left->replies.owed() && !ended_by_us_) ++w_.counters.clients_vanished;
    // A farewell does not take back what was sent before it.
    const bool unwanted = ended_by_us_ || (!to_its_end && !said_goodbye_) ||
                          who_.value_of(in_force_of::cancel_on_client_disconnect, w_.now->vars());
    if (left->replies.owed() && unwanted) {
        if (!ended_by_us_) ++w_.counters.cancelled_for_vanished;
        w_.servers.cancel(*left);
    }
    if (to_its_end && w_.now->is_usable(left->server())) {
        w_.servers.orphan(std::move(left));
    } else {
        w_.servers.discard(std::move(left));
    }
}

}  // namespace howdah::proxy
