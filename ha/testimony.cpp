#include "ha/testimony.hpp"

#include <algorithm>

namespace howdah::ha {
namespace {

/// How old the last thing that a standby got may be to show that the primary lives now.
constexpr time_us sign_of_life_us = 3'000'000;

}  // namespace

testimony testify(const server& standby, std::size_t primary, time_us failed_at_us,
                  time_us slack_us) {
    const auto& facts = standby.facts;
    if (!standby.standing_by() || standby.foreign) return testimony::none;
    const bool read_since = facts.read_at_us > failed_at_us;
    const bool elsewhere = standby.upstream && *standby.upstream != primary;
    // A sign of life proves that the primary lived then, and a dead one gives none for long.
    const auto is_fresh = [&](time_us sign) {
        return sign > failed_at_us && facts.read_at_us - sign <= sign_of_life_us;
    };
    if (!facts.receiver || !facts.receiver->streaming) {
        if (!read_since || facts.upstream_conninfo().empty()) return testimony::none;
        // Below another standby it says nothing about the primary, cut or not.
        return elsewhere ? testimony::none : testimony::cut;
    }
    if (is_fresh(facts.receive_grew_after_us)) return testimony::streams;
    if (elsewhere) return testimony::none;
    if (is_fresh(facts.receiver->last_message_us)) return testimony::streams;
    if (!read_since) return testimony::quiet;
    const auto timeout_us = facts.settings.wal_receiver_timeout_ms * 1000;
    const auto asks_at_us =
        std::max(facts.receiver->last_message_us + timeout_us / 2, facts.receiver_timeout_since_us);
    const bool too_long = timeout_us > 0 && facts.read_at_us > asks_at_us + slack_us;
    return too_long ? testimony::cut : testimony::quiet;
}

}  // namespace howdah::ha
