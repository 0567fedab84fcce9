#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "ha/supervisor_impl.hpp"

// What the supervisor writes down beside records and journals, and takes up again at its start.
namespace howdah::ha {

using boost::asio::awaitable;

void supervisor::impl::take_up_history(std::vector<recovery> newest_first) {
    std::ranges::reverse(newest_first);
    for (auto& row : newest_first) {
        auto& w = clusters_[row.cluster];
        if (row.ended_at == 0 && w.intent && (row.kind == "failover" || row.kind == "switchover")) {
            w.under_way = row;
        } else if (row.ended_at == 0) {
            row.ended_at = unix_now_us();
            row.sentence = "Howdah ended in the middle of it";
            if (row.kind == "rejoin") w.to_rejoin[row.failed] = row.ordered_by;
            store_.save(row);
        }
        if (row.ended_at) w.ended[row.kind].last = row;
        w.past.push_back(std::move(row));
    }
}

awaitable<void> supervisor::impl::audit(audit_entry entry) {
    if (entry.at == 0) entry.at = unix_now_us();
    const std::function<void()> write = [this, &entry] { store_.add(entry); };
    const auto error = co_await keep(write);
    if (!error.empty()) spdlog::error("ha: the audit cannot be written: {}", error);
}

awaitable<void> supervisor::impl::forget_history() {
    const auto kept_for =
        std::chrono::duration_cast<std::chrono::microseconds>(settings_->vars.ha_history_retention);
    const std::function<void()> forget = [this, before = unix_now_us() - kept_for.count()] {
        store_.forget_before(before);
    };
    const auto error = co_await keep(forget);
    if (!error.empty()) spdlog::error("ha: old history cannot be deleted: {}", error);
}

void supervisor::impl::remember_servers() {
    auto fresh = watcher_.memories();
    std::erase_if(fresh, [this](const server_memory& one) {
        const auto known = memories_.find(one.at);
        return known != memories_.end() && known->second == one;
    });
    if (fresh.empty()) return;
    for (const auto& one : fresh)
        memories_[one.at] = one;
    spawn(keep_memories(std::move(fresh)));
}

awaitable<void> supervisor::impl::keep_memories(std::vector<server_memory> fresh) {
    const std::function<void()> write = [this, &fresh] {
        for (const auto& one : fresh)
            store_.save(one);
    };
    const auto error = co_await keep(write);
    if (!error.empty()) spdlog::error("ha: what servers are like cannot be written: {}", error);
}

awaitable<void> supervisor::impl::keep_detection(detection row, hook_occasion occasion) {
    const std::function<void()> write = [this, &row] { store_.save(row); };
    const auto error = co_await keep(write);
    if (!error.empty()) spdlog::error("ha: a detection cannot be written: {}", error);
    auto command = settings_->vars.ha_on_failure_detection;
    co_await run_hook("ha_on_failure_detection", std::move(command), std::move(occasion));
}

}  // namespace howdah::ha
