#include "proxy/statistics/digest_statistics.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace howdah::proxy {

void digest_counts::add(const statement_outcome& outcome, std::int64_t now) {
    if (count == 0) {
        first_seen = now;
        min_time = outcome.microseconds;
    }
    ++count;
    if (outcome.failed) ++errors;
    last_seen = now;
    sum_time += outcome.microseconds;
    min_time = std::min(min_time, outcome.microseconds);
    max_time = std::max(max_time, outcome.microseconds);
    rows_affected += outcome.rows_affected;
    rows_sent += outcome.rows_sent;
    times.add(outcome.microseconds);
}

void digest_counts::add(const digest_counts& other) {
    if (other.count == 0) return;
    if (count == 0) {
        *this = other;
        return;
    }
    count += other.count;
    errors += other.errors;
    first_seen = std::min(first_seen, other.first_seen);
    last_seen = std::max(last_seen, other.last_seen);
    sum_time += other.sum_time;
    min_time = std::min(min_time, other.min_time);
    max_time = std::max(max_time, other.max_time);
    rows_affected += other.rows_affected;
    rows_sent += other.rows_sent;
    times.add(other.times);
}

void digest_statistics::record(digest_key key, const sql::digested_ptr& digest,
                               const statement_outcome& outcome, std::int64_t now,
                               std::size_t capacity) {
    auto row = rows_.find(key);
    if (row == rows_.end()) {
        if (rows_.size() >= capacity) {
            ++dropped_;
            return;
        }
        row = rows_.emplace(std::move(key), value{digest, {}}).first;
    }
    row->second.counts.add(outcome, now);
}

digest_report digest_statistics::read() const {
    digest_report report;
    report.dropped = dropped_;
    report.rows.reserve(rows_.size());
    for (const auto& [key, v] : rows_)
        report.rows.push_back({key, v.digest, v.counts});
    return report;
}

digest_report digest_statistics::take() {
    digest_report report = read();
    rows_.clear();
    dropped_ = 0;
    return report;
}

digest_report merge(std::vector<digest_report> reports) {
    digest_report all;
    std::unordered_map<digest_key, std::size_t, digest_key_hash> index;
    for (digest_report& report : reports) {
        all.dropped += report.dropped;
        for (digest_row& row : report.rows) {
            const auto [at, fresh] = index.try_emplace(row.key, all.rows.size());
            if (fresh) {
                all.rows.push_back(std::move(row));
            } else {
                all.rows[at->second].counts.add(row.counts);
            }
        }
    }
    return all;
}

std::uint64_t rows_affected(std::string_view tag, std::uint64_t rows_sent) {
    constexpr std::array<std::string_view, 5> changing{"INSERT ", "UPDATE ", "DELETE ", "MERGE ",
                                                       "COPY "};
    const bool changes =
        std::any_of(changing.begin(), changing.end(),
                    [tag](std::string_view verb) { return tag.starts_with(verb); });
    if (!changes && !(tag.starts_with("SELECT ") && rows_sent == 0)) return 0;
    const std::string_view number = tag.substr(tag.rfind(' ') + 1);
    std::uint64_t rows = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rows);
    return error == std::errc{} && end == number.data() + number.size() ? rows : 0;
}

}  // namespace howdah::proxy
