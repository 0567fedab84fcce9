#include "ha/testimony.hpp"

namespace howdah::ha {

testimony testify(const server& standby, std::size_t primary, time_us failed_at_us,
                  time_us slack_us) {
    const auto& facts = standby.facts;
    if (!standby.standing_by() || standby.foreign) return testimony::none;
    if (facts.receive_grew_after_us > failed_at_us) return testimony::streams;
    const bool read_since = facts.read_at_us > failed_at_us;
    if (!facts.receiver || !facts.receiver->streaming) {
        if (!read_since || facts.upstream_conninfo().empty()) return testimony::none;
        // Below another standby it says nothing about the primary, cut or not.
        return standby.upstream && *standby.upstream != primary ? testimony::none : testimony::cut;
    }
    if (standby.upstream && *standby.upstream != primary) return testimony::none;
    if (facts.receiver->last_message_us > failed_at_us) return testimony::streams;
    if (!read_since) return testimony::quiet;
    const auto timeout_us = facts.settings.wal_receiver_timeout_ms * 1000;
    const auto silence_us = facts.read_at_us - facts.receiver->last_message_us;
    const bool too_long = timeout_us > 0 && silence_us > timeout_us / 2 + slack_us;
    return too_long ? testimony::cut : testimony::quiet;
}

}  // namespace howdah::ha
