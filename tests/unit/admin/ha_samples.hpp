#pragma once
#include <cstdint>
#include <limits>

#include "ha/history.hpp"
#include "ha/intent.hpp"
#include "ha/record.hpp"

// Values in which every member says something, at the ends of its range where it has one.
namespace howdah::admin::test {

inline constexpr auto most_64 = std::numeric_limits<std::uint64_t>::max();
inline constexpr auto most_32 = std::numeric_limits<std::uint32_t>::max();
inline constexpr auto latest = std::numeric_limits<ha::unix_us>::max();
/// What a server can say: quotes, a line, UTF-8, and a byte that no UTF-8 has.
inline const std::string odd_text = "a'b\"c\\d\n\t{}[]; -- \xc3\xa9 \xff";

inline ha::cluster_record full_record(const std::string& cluster = "main") {
    ha::cluster_record r;
    r.cluster = cluster;
    r.system_identifier = most_64;
    r.epoch = most_64 - 1;
    r.primary = {"fe80::1%eth0", 65535};
    r.timeline = most_32;
    r.known_timeline = most_32 - 1;
    r.flush_lsn = most_64 - 2;
    r.sync_sets = {"", "ANY 1 (\"pg2\", pg3)", odd_text};
    r.sync_changed_at = most_64 - 3;
    r.fenced = {{{"10.0.0.1", 5432}, most_64, most_32, odd_text}, {{"pg9", 1}, 0, 0, ""}};
    r.left_timeline = most_32 - 2;
    r.fork_lsn = most_64 - 4;
    return r;
}

inline ha::failover_intent full_intent(const std::string& cluster = "main") {
    ha::failover_intent i;
    i.cluster = cluster;
    i.epoch = most_64;
    i.from = {"pg1", 5432};
    i.candidate = ha::endpoint{"pg2", 65535};
    i.phase = ha::intent_phase::promoting;
    i.base_timeline = most_32;
    i.conninfo_before_freeze = {{{"pg2", 5432}, "host=pg1 password='x'' y'"},
                                {{"pg2", 5433}, ""},
                                {{"2001:db8::1", 5432}, odd_text}};
    i.fork_lsn = most_64 - 5;
    i.stopped = true;
    return i;
}

inline ha::operator_notes full_notes() {
    ha::operator_notes n;
    n.global_recoveries = false;
    n.downtimes = {{{"pg1", 5432}, {"ann", odd_text, 1, latest}}};
    n.maintenance = {{{"pg2", 5432}, {"bob", "disk", 2, 3}}};
    n.promotion_rules = {{{"pg1", 5432}, {ha::promotion_rule::must_not, 0}},
                         {{"pg2", 5432}, {ha::promotion_rule::must, latest}}};
    n.tags = {{{"pg3", 5432}, {{"rack", "r'1"}, {"old", ""}, {odd_text, odd_text}}}};
    n.aliases = {{"main", "the \"main\" one"}};
    n.forgotten = {{"gone", 1}, {"gone", 2}};
    return n;
}

inline ha::recovery full_recovery() {
    ha::recovery r;
    r.uid = "u-1";
    r.kind = "failover";
    r.cluster = "main";
    r.alias = "m";
    r.problem = "DeadPrimary";
    r.failed = {"pg1", 5432};
    r.successor = ha::endpoint{"pg2", 65535};
    r.epoch = most_64;
    r.automatic = true;
    r.ordered_by = "ann";
    r.started_at = 1000;
    r.writable_at = 2000;
    r.ended_at = latest;
    r.successful = true;
    r.sentence = odd_text;
    r.loss_bytes = most_64;
    r.lost = {{"pg3", 5432}};
    r.participants = {{"pg1", 5432}, {"pg2", 65535}, {"pg3", 5432}};
    r.acknowledged = true;
    r.acknowledged_by = "bob";
    r.acknowledge_comment = odd_text;
    r.acknowledged_at = latest - 1;
    return r;
}

inline ha::recovery_step full_step(std::int64_t recovery_id) {
    ha::recovery_step s;
    s.recovery_id = recovery_id;
    s.recovery_uid = "u-1";
    s.at = latest;
    s.took_us = std::numeric_limits<std::int64_t>::min();
    s.server = "pg2";
    s.what = "promote pg2";
    s.outcome = "unknown";
    s.detail = odd_text;
    return s;
}

inline ha::detection full_detection() {
    ha::detection d;
    d.cluster = "main";
    d.alias = "m";
    d.problem = "DeadPrimary";
    d.server = {"pg1", 5432};
    d.at = latest;
    d.sentence = odd_text;
    d.recovery_id = 7;
    return d;
}

inline ha::audit_entry full_entry() {
    ha::audit_entry a;
    a.at = latest;
    a.type = "begin-downtime";
    a.server = {"pg1", 5432};
    a.cluster = "main";
    a.by = "ann";
    a.message = odd_text;
    return a;
}

}  // namespace howdah::admin::test
