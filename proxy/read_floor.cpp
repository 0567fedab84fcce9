#include "proxy/read_floor.hpp"

namespace howdah::proxy {
namespace {

/// Samples of a primary that are kept: some seconds at the fast rate. A reader that lags more than
/// that is compared with a later position than necessary.
constexpr std::size_t history = 128;

/// The first sample that was asked for at or after a time; null if there is none yet.
const monitor::wal_sample* first_since(std::span<const monitor::wal_sample> samples,
                                       read_floor::time_point when) {
    const auto found = std::find_if(samples.begin(), samples.end(),
                                    [&](const auto& s) { return s.asked >= when; });
    return found == samples.end() ? nullptr : &*found;
}

}  // namespace

void wal_view::add(const server_entry* which, const monitor::wal_sample& newest) {
    const auto known = std::find_if(servers.begin(), servers.end(),
                                    [&](const server& s) { return s.which == which; });
    if (known == servers.end()) {
        servers.push_back({which, {newest}});
        return;
    }
    std::vector<monitor::wal_sample>& samples = known->samples;
    const monitor::wal_sample& last = samples.back();
    if (newest.standby || last.standby || newest.at.timeline != last.at.timeline) {
        samples.assign(1, newest);
    } else if (newest.asked > last.asked) {
        if (samples.size() == history) samples.erase(samples.begin());
        samples.push_back(newest);
    }
}

void read_floor::leave_reader() {
    if (read_at_ > covered_until_) uncovered_ = std::max(uncovered_, read_at_);
    reader_ = nullptr;
}

bool read_floor::covers(const wal_view& view, const server_entry* server,
                        const monitor::wal_position& what) {
    if (what.lsn == 0) return true;
    const auto samples = view.of(server);
    // A standby of another timeline may be ahead in numbers and lack what was seen.
    return !samples.empty() && samples.back().standby &&
           samples.back().at.timeline == what.timeline && samples.back().at.lsn >= what.lsn;
}

bool read_floor::cover(std::span<const monitor::wal_sample> primary) {
    if (covered()) return true;
    if (primary.empty() || primary.back().standby) return false;
    // The first one: later ones show what others wrote meanwhile.
    const monitor::wal_sample* sample = first_since(primary, uncovered_);
    if (sample == nullptr) return false;
    floor_ = sample->at;
    covered_until_ = sample->asked;
    uncovered_ = {};
    return true;
}

void read_floor::at_least(const monitor::wal_position& what, time_point now) {
    if (what.lsn == 0) return;
    if (!covered() || (floor_.lsn != 0 && floor_.timeline != what.timeline)) {
        // The primary has it already: a later sample covers both.
        uncovered_ = std::max(uncovered_, now);
    } else if (what.lsn > floor_.lsn) {
        floor_ = what;
    }
}

read_floor::outcome read_floor::choose(const wal_view& view, const server_entry* writer,
                                       std::span<const pool_book::candidate> readers,
                                       const server_entry* avoid, time_point now,
                                       std::vector<pool_book::candidate>& suitable) {
    suitable.clear();
    auto primary = view.of(writer);
    if (!primary.empty() && primary.back().standby) primary = {};
    if (!primary.empty() && floor_.lsn != 0 && primary.back().at.timeline != floor_.timeline) {
        // Whoever was promoted may lack the end of the old timeline. What the session sees at the
        // new writer from now on is the new floor.
        floor_ = {};
        reader_ = nullptr;
        uncovered_ = now;
        return outcome::forked;
    }
    const bool usable = std::any_of(readers.begin(), readers.end(),
                                    [&](const auto& c) { return c.server == reader_; });
    if (reader_ != nullptr && (!usable || reader_ == avoid)) leave_reader();
    if (!cover(primary)) return outcome::no_sample;
    // Another reader must have replayed what the own one has shown, too.
    monitor::wal_position others = floor_;
    bool others_known = true;
    if (reader_ != nullptr && read_at_ > covered_until_) {
        const monitor::wal_sample* sample = first_since(primary, read_at_);
        others_known = sample != nullptr;
        if (others_known) others = sample->at;
    }
    for (const auto& c : readers) {
        const bool own = c.server == reader_;
        if (c.server != avoid && (own || others_known) &&
            covers(view, c.server, own ? floor_ : others))
            suitable.push_back(c);
    }
    if (!suitable.empty()) return outcome::reader;
    return others_known ? outcome::lag : outcome::no_sample;
}

}  // namespace howdah::proxy
