#include "monitor/verdict.hpp"

#include <algorithm>

namespace howdah::monitor {
namespace {

constexpr std::int64_t report_spacing_ms = 100;

}  // namespace

std::uint32_t verdict::failures() const {
    return std::max(failures_[0], failures_[1]);
}

verdict::outcome verdict::on_probe(channel from, probe_result result) {
    switch (result) {
        case probe_result::ok:
            return succeed(from);
        case probe_result::failed:
            return fail(from);
        case probe_result::not_ready: {
            failures_ = {};
            successes_ = 0;
            role_seen_ = false;
            const bool was_up = health_ == health::up;
            health_ = health::not_ready;
            return {.change = was_up ? change::became_not_ready : change::none};
        }
        case probe_result::alive:
            failures_[static_cast<std::size_t>(from)] = 0;
            successes_ = 0;
            return {};
    }
    return {};
}

verdict::outcome verdict::succeed(channel from) {
    failures_[static_cast<std::size_t>(from)] = 0;
    if (health_ == health::up || from != channel::ping) return {};
    ++successes_;
    return readmit_if_due();
}

verdict::outcome verdict::fail(channel from) {
    auto& count = failures_[static_cast<std::size_t>(from)];
    count = std::min(count + 1, limits_.max_failures);
    successes_ = 0;
    role_seen_ = false;
    if (health_ == health::down) return {};
    if (count < limits_.max_failures) return {.probe_soon = true};
    health_ = health::down;
    return {.change = change::died};
}

verdict::outcome verdict::on_role_seen() {
    if (health_ == health::up) return {};
    role_seen_ = true;
    return readmit_if_due();
}

verdict::outcome verdict::readmit_if_due() {
    if (!role_seen_ || successes_ < limits_.recovery_checks) return {};
    health_ = health::up;
    failures_ = {};
    successes_ = 0;
    role_seen_ = false;
    return {.change = change::recovered};
}

bool verdict::on_report(std::int64_t now_ms) {
    if (last_report_ms_ && now_ms - *last_report_ms_ < report_spacing_ms) return false;
    last_report_ms_ = now_ms;
    return true;
}

}  // namespace howdah::monitor
