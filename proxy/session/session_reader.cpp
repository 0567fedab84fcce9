#include <spdlog/spdlog.h>

#include "proxy/session/session.hpp"

// Reads that must not see an older state than the session has seen (read_consistency session).
namespace howdah::proxy {

namespace {

/// For so long the writer answers a session's reads without further ado.
constexpr std::chrono::milliseconds patience{100};
/// How long a read then waits for a sample that lets it go to a reader.
constexpr std::chrono::milliseconds sample_wait{20};

using urgency = monitor::wal_sampler::urgency;

}  // namespace

conf::read_consistency session::consistency() const {
    if (own_consistency_) return *own_consistency_;
    return who_.value_of(conf::in_force_of::read_consistency, w_.now->vars());
}

const server_entry* session::writer_server() const {
    const auto& writers = w_.now->usable(who_.user->default_hostgroup);
    return writers.empty() ? nullptr : writers.front().server;
}

void session::note_runs(const sql::traits* what) {
    using sql::verb;
    if (what != nullptr && what->parsed && what->statements == 1) {
        switch (what->first) {
            case verb::empty:
            case verb::begin:
            case verb::commit:
            case verb::rollback:
            case verb::savepoint:
            case verb::release:
            case verb::rollback_to:
            case verb::set:
            case verb::reset:
            case verb::show:
            case verb::discard:
            case verb::deallocate:
            case verb::listen:
            case verb::unlisten:
                return;
            default:
                break;
        }
    }
    touched_ = true;
    if (what != nullptr && what->read_only && status() != 'I' && splits_ &&
        hostgroup_ == who_.user->default_hostgroup)
        ++w_.counters.reads_in_transaction;
}

void session::note_seen() {
    const bool touched = std::exchange(touched_, false);
    if (!splits_) return;
    if (hostgroup_ != who_.user->default_hostgroup) {
        // Also where it has only prepared: it stays with that reader.
        if (server_) floor_.saw_reader(server_->server(), std::chrono::steady_clock::now());
    } else if (touched) {
        floor_.saw_writer(std::chrono::steady_clock::now());
        // So that its position is known soon, also if the writer should be gone then.
        if (consistency() == conf::read_consistency::session)
            w_.shared.hurry_samples(urgency::soon);
    }
}

void session::ask_for_reader() {
    using outcome = read_floor::outcome;
    const auto now = std::chrono::steady_clock::now();
    const auto& readers = w_.now->usable(hostgroup_);
    const outcome found =
        floor_.choose(*w_.positions, writer_server(), readers, avoid_, now, w_.suitable);
    // A reader that came (back) gets its share of the sessions that are here already.
    const std::uint64_t groups = w_.now->hostgroups->version;
    const bool samples_come = !w_.positions->of(writer_server()).empty();
    const bool looks_around = found == outcome::reader && groups_seen_ != groups &&
                              w_.suitable.size() < readers.size() && samples_come;
    if (found == outcome::reader && !looks_around) {
        awaits_sample_ = false;
        held_since_ = {};
        groups_seen_ = groups;
        const std::uint64_t draw = floor_.has_reader()
                                       ? w_.servers.draw()
                                       : w_.shared.first_readers.fetch_add(golden_step);
        request_server(hostgroup_, w_.servers.choose(w_.suitable, avoid_, draw));
        return;
    }
    if (found == outcome::forked) {
        ++w_.counters.reads_held_forked;
        spdlog::warn(
            "client {} ({}@{}): the writer's timeline has changed: what this session wrote or saw "
            "before may be lost; it reads from the writer until its state is known again",
            who_.peer, who_.login->user, who_.login->database);
    }
    // A session that reads without a pause would never see a sample that is younger than its last
    // reply: it stands still for one from time to time.
    const bool impatient = held_since_ != std::chrono::steady_clock::time_point{} &&
                           now - held_since_ > patience && samples_come;
    if (awaits_sample_ || impatient || looks_around) {
        if (!awaits_sample_) {
            ++w_.counters.sample_waits;
            w_.wheel.arm(*this, sample_wait);
        }
        awaits_sample_ = true;
        w_.await_sample(pid_);
        w_.shared.hurry_samples(urgency::now);
        return;
    }
    if (held_since_ == std::chrono::steady_clock::time_point{}) held_since_ = now;
    ++(found == outcome::lag ? w_.counters.reads_held_lag : w_.counters.reads_held_uncovered);
    w_.shared.hurry_samples(urgency::soon);
    request_server(who_.user->default_hostgroup, nullptr);
}

bool session::on_attempt_failed(const server_entry* server) {
    const boost::intrusive_ptr<session> guard(this);
    w_.servers.forget(*this);
    // After the second reader the writer: it has everything.
    const bool first = avoid_ == nullptr || avoid_ == server;
    avoid_ = server;
    if (first) {
        ask_for_server(hostgroup_);
    } else {
        request_server(who_.user->default_hostgroup, nullptr);
    }
    if (server_ && !applying_settings_) pump_client();
    return true;
}

void session::stop_waiting_for_sample() {
    awaits_sample_ = false;
    if (awaits_position_) {
        // Now it says that it does not know.
        position_asked_ = {};
        arm_idle_deadline();
        pump_client();
        return;
    }
    groups_seen_ = w_.now->hostgroups->version;
    held_since_ = {};
    ask_for_reader();
}

void session::on_sample() {
    if (!awaits_sample_ || phase_ != phase::ready) return;
    const boost::intrusive_ptr<session> guard(this);
    w_.active = pid_;
    if (awaits_position_) {
        awaits_sample_ = false;
        arm_idle_deadline();
        pump_client();
        return;
    }
    ask_for_reader();
    if (awaits_sample_) return;
    if (server_) arm_idle_deadline();
    if (server_ && !applying_settings_) pump_client();
}

}  // namespace howdah::proxy
