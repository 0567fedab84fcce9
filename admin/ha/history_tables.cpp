#include "admin/ha/tables.hpp"
#include "admin/ha/values.hpp"

namespace howdah::admin {
namespace {

constexpr column_type number = column_type::integer;
constexpr column_type real = column_type::real;
constexpr column_type text = column_type::text;
constexpr column_type boolean = column_type::boolean;

/// Milliseconds between two moments; NULL where one of them has not come.
value span(ha::unix_us from, ha::unix_us to) {
    return from == 0 || to == 0 ? value() : value((to - from) / 1000);
}

live_table recoveries(ha::store& kept) {
    using item = ha::recovery;
    return ha_table<item>(
        "recoveries", "Failovers, switchovers and other acts, also those that failed.",
        {
            {"id", number, "Number, grows.", [](const item& r) { return value(r.id); }},
            {"uid", text, "Never given twice, also by another Howdah.",
             [](const item& r) { return text_value(r.uid); }},
            {"kind", text, "failover, switchover, rewire, rejoin or fence.",
             [](const item& r) { return text_value(r.kind); }},
            {"cluster", text, "Its name.", [](const item& r) { return text_value(r.cluster); }},
            {"alias", text, "Its alias.", [](const item& r) { return text_or_null(r.alias); }},
            {"problem", text, "What it answers, as in ha.analysis; NULL: planned.",
             [](const item& r) { return text_or_null(r.problem); }},
            {"failed", text, "The server that was replaced, or that it is about.",
             [](const item& r) { return server_value(r.failed); }},
            {"successor", text, "Who took its place.",
             [](const item& r) { return server_value(r.successor); }},
            {"epoch", number, "Which began with it; NULL: none.",
             [](const item& r) { return r.epoch == 0 ? value() : number_value(r.epoch); }},
            {"automatic", boolean, "Howdah decided it.",
             [](const item& r) { return flag(r.automatic); }},
            {"ordered_by", text, "Who ordered it; NULL: Howdah itself.",
             [](const item& r) { return text_or_null(r.ordered_by); }},
            {"started_at", text, "When it began (UTC).",
             [](const item& r) { return time_value(r.started_at); }},
            {"ended_at", text, "When it ended; NULL: it is under way.",
             [](const item& r) { return time_value(r.ended_at); }},
            {"writable_after_ms", number, "Writers could go on after so long.",
             [](const item& r) { return span(r.started_at, r.writable_at); }},
            {"took_ms", number, "How long it took in all.",
             [](const item& r) { return span(r.started_at, r.ended_at); }},
            {"successful", boolean, "Whether it did what it was to do.",
             [](const item& r) { return flag(r.successful); }},
            {"sentence", text, "How it ended, or what it does.",
             [](const item& r) { return text_value(r.sentence); }},
            {"loss_bytes", number, "At most so much WAL was lost; NULL: not known.",
             [](const item& r) { return r.loss_bytes ? number_value(*r.loss_bytes) : value(); }},
            {"lost", text, "Standbys that could not be taken along.",
             [](const item& r) { return server_list(r.lost); }},
            {"participants", text, "The cluster's servers when it began.",
             [](const item& r) { return server_list(r.participants); }},
            {"acknowledged", boolean, "Somebody has seen it: it blocks no further one.",
             [](const item& r) { return flag(r.acknowledged); }},
            {"acknowledged_by", text, "Who.",
             [](const item& r) { return text_or_null(r.acknowledged_by); }},
            {"acknowledge_comment", text, "What that one said.",
             [](const item& r) { return text_or_null(r.acknowledge_comment); }},
            {"acknowledged_at", text, "When.",
             [](const item& r) { return time_value(r.acknowledged_at); }},
        },
        [&kept](const auto& each) {
            for (const item& r : kept.recoveries({}))
                each(r);
        });
}

live_table steps(ha::store& kept) {
    using item = ha::recovery_step;
    return ha_table<item>(
        "recovery_steps", "What each of ha.recoveries did, in the order in which it ended.",
        {
            {"id", number, "Number, grows.", [](const item& s) { return value(s.id); }},
            {"recovery_id", number, "Of which recovery.",
             [](const item& s) { return value(s.recovery_id); }},
            {"recovery_uid", text, "The same.",
             [](const item& s) { return text_value(s.recovery_uid); }},
            {"at", text, "When (UTC).", [](const item& s) { return time_value(s.at); }},
            {"took_ms", real, "How long it took.",
             [](const item& s) { return value(static_cast<double>(s.took_us) / 1000); }},
            {"server", text, "Where; NULL: in Howdah.",
             [](const item& s) { return text_or_null(s.server); }},
            {"what", text, "What it is for.", [](const item& s) { return text_value(s.what); }},
            {"outcome", text, "done, already, failed, undone or unknown.",
             [](const item& s) { return text_value(s.outcome); }},
            {"detail", text, "The error, or the SQL without passwords.",
             [](const item& s) { return text_or_null(s.detail); }},
        },
        [&kept](const auto& each) {
            for (const ha::recovery& r : kept.recoveries({}))
                for (const item& s : kept.steps(r.id))
                    each(s);
        });
}

live_table detections(ha::store& kept) {
    using item = ha::detection;
    return ha_table<item>(
        "detections", "Problems that began.",
        {
            {"id", number, "Number, grows.", [](const item& d) { return value(d.id); }},
            {"at", text, "When (UTC).", [](const item& d) { return time_value(d.at); }},
            {"cluster", text, "Its name.", [](const item& d) { return text_value(d.cluster); }},
            {"alias", text, "Its alias.", [](const item& d) { return text_or_null(d.alias); }},
            {"hostname", text, "The server in trouble; NULL: the cluster.",
             [](const item& d) { return host_value(d.server); }},
            {"port", number, "Its port.", [](const item& d) { return port_value(d.server); }},
            {"problem", text, "As in ha.analysis.",
             [](const item& d) { return text_value(d.problem); }},
            {"sentence", text, "In words.", [](const item& d) { return text_value(d.sentence); }},
            {"recovery_id", number, "The recovery that followed; NULL: none.",
             [](const item& d) { return d.recovery_id == 0 ? value() : value(d.recovery_id); }},
        },
        [&kept](const auto& each) {
            for (const item& d : kept.detections({}))
                each(d);
        });
}

live_table audit(ha::store& kept) {
    using item = ha::audit_entry;
    return ha_table<item>(
        "audit", "What was ordered, and what Howdah did by itself.",
        {
            {"id", number, "Number, grows.", [](const item& a) { return value(a.id); }},
            {"at", text, "When (UTC).", [](const item& a) { return time_value(a.at); }},
            {"type", text, "recover, begin-downtime, ack, ...",
             [](const item& a) { return text_value(a.type); }},
            {"cluster", text, "Of which cluster.",
             [](const item& a) { return text_or_null(a.cluster); }},
            {"hostname", text, "The server that it is about.",
             [](const item& a) { return host_value(a.server); }},
            {"port", number, "Its port.", [](const item& a) { return port_value(a.server); }},
            {"ordered_by", text, "Who; NULL: Howdah itself.",
             [](const item& a) { return text_or_null(a.by); }},
            {"message", text, "What.", [](const item& a) { return text_value(a.message); }},
        },
        [&kept](const auto& each) {
            for (const item& a : kept.audit({}))
                each(a);
        });
}

}  // namespace

std::vector<live_table> ha_history_tables(ha::store& kept) {
    return {recoveries(kept), steps(kept), detections(kept), audit(kept)};
}

}  // namespace howdah::admin
