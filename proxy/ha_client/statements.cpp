#include "proxy/ha_client/statements.hpp"

#include <fmt/format.h>

namespace howdah::proxy::ha_client {

std::string literal(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out += c;
        out += c;
    }
    return out + "'";
}

std::string order_of(const request& asked, const std::string& cluster) {
    if (asked.what == "ack")
        return "ACK RECOVERIES " +
               (asked.cluster.empty() ? "" : "FOR " + literal(asked.cluster) + " ") + "COMMENT " +
               literal(asked.comment);
    std::string out = asked.what == "recover"      ? "RECOVER "
                      : asked.what == "failover"   ? "FAILOVER "
                      : asked.what == "switchover" ? "SWITCHOVER "
                      : asked.what == "rewire"     ? "REWIRE "
                                                   : "REJOIN ";
    out += literal(asked.what == "failover" ? cluster : asked.subject);
    if (!asked.to.empty()) out += " TO " + literal(asked.to);
    if (asked.allow_data_loss) out += " ALLOW DATA LOSS";
    if (asked.dry_run) out += " DRY RUN";
    return out;
}

std::string history_of(const request& asked) {
    std::string where;
    if (asked.recovery != 0)
        where = fmt::format("WHERE id = {} ", asked.recovery);
    else if (!asked.cluster.empty())
        where = fmt::format("WHERE cluster = {0} OR alias = {0} ", literal(asked.cluster));
    return "SELECT id, substr(started_at, 1, 19) AS \"started (UTC)\", kind, cluster, failed AS "
           "server, successor, CASE WHEN ended_at IS NULL THEN 'under way' WHEN successful THEN "
           "'done' ELSE 'failed' END AS outcome, writable_after_ms AS writable_ms, took_ms, "
           "loss_bytes, coalesce(ordered_by, 'Howdah') AS \"by\", acknowledge_comment AS "
           "acknowledged, sentence FROM ha.recoveries " +
           where + fmt::format("ORDER BY id DESC LIMIT {}", asked.limit);
}

std::string steps_of(const request& asked) {
    return fmt::format(
        "SELECT substr(at, 12, 12) AS at, took_ms, coalesce(server, 'Howdah') AS server, outcome, "
        "what, detail FROM ha.recovery_steps WHERE recovery_id = {} ORDER BY id",
        asked.recovery);
}

}  // namespace howdah::proxy::ha_client
