#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "monitor/observation.hpp"

namespace howdah::monitor {

/// What one probe of a server ended with.
enum class probe_result : std::uint8_t {
    ok,         ///< connected, or answered the ping
    failed,     ///< refused, reset, no answer in time, no such host
    not_ready,  ///< 57P03: it answers, and refuses sessions
    alive,      ///< it answers, and does not let the monitor in (password, 53300, TLS, ...)
};

/// Decides, from the monitor's own probes, whether one server can be used. A pure state machine.
///
/// Dead after `max_failures` consecutive failures of one channel; not ready at the first 57P03;
/// up again after `recovery_checks` consecutive good pings and a fresh look at its role, so that
/// a server that came back as something else is never used as what it was.
class verdict {
public:
    struct limits {
        std::uint32_t max_failures = 3;
        std::uint32_t recovery_checks = 2;
    };

    /// Pings go over a kept connection; `connect` opens a new one. Each has its own count of
    /// failures: a server that answers old connections and takes no new ones is dead, too.
    enum class channel : std::uint8_t { ping, connect };

    enum class change : std::uint8_t { none, died, became_not_ready, recovered };

    struct outcome {
        enum change change = change::none;
        bool probe_soon = false;  ///< do not wait for the next tick

        bool operator==(const outcome&) const = default;
    };

    explicit verdict(limits bounds) : limits_(bounds) {}

    [[nodiscard]] outcome on_probe(channel from, probe_result result);

    /// The role was read from the server itself, just now.
    [[nodiscard]] outcome on_role_seen();

    /// The data plane reports trouble. True: probe now; false: that was done a moment ago.
    /// `now_ms` is of any steady clock.
    [[nodiscard]] bool on_report(std::int64_t now_ms);

    void set_limits(limits bounds) { limits_ = bounds; }

    [[nodiscard]] enum health health() const { return health_; }
    [[nodiscard]] std::uint32_t failures() const;
    /// True while a failure is not yet followed by a success or a decision.
    [[nodiscard]] bool suspect() const { return health_ == health::up && failures() > 0; }

private:
    outcome succeed(channel from);
    outcome fail(channel from);
    outcome readmit_if_due();

    limits limits_;
    enum health health_ = health::up;
    std::array<std::uint32_t, 2> failures_{};
    std::uint32_t successes_ = 0;
    bool role_seen_ = false;
    std::optional<std::int64_t> last_report_ms_;
};

}  // namespace howdah::monitor
