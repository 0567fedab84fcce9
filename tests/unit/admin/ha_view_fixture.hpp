#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/ha/commands.hpp"
#include "admin/ha/store.hpp"
#include "admin/ha/tables.hpp"
#include "tests/unit/admin/catalog_fixture.hpp"

namespace howdah::admin {

inline const ha::endpoint pg1{"pg1", 5432}, pg2{"pg2", 5432}, pg3{"pg3", 5432};

/// An administration over a view of two clusters: "main" (alias shop) with pg1, which pg2 follows,
/// which pg3 follows; and "other" with two servers on host db and one at an IPv6 address, which
/// nobody has reached yet. Orders are written down and answered as `said`.
class ha_view_fixture : public catalog_fixture {
protected:
    static constexpr ha::time_us now = 1'000'000'000;
    static constexpr std::uint64_t identifier = 18'000'000'000'000'000'001U;

    ha_view_fixture() {
        main_.name = "main";
        main_.alias = "shop";
        main_.writer_hostgroup = 10;
        for (const ha::endpoint& at : {pg1, pg2, pg3})
            main_.servers.emplace_back().at = at;
        main_.servers[1].name = "east";
        main_.servers[1].rule = ha::promotion_rule::prefer;
        main_.servers[1].data_center = "dc1";
        main_.servers[1].tags = {{"rack", "r\"1"}};
        other_.name = "other";
        other_.writer_hostgroup = 20;
        for (const ha::endpoint& at : {ha::endpoint{"db", 5432}, ha::endpoint{"db", 5433},
                                       ha::endpoint{"2001:db8::1", 5432}})
            other_.servers.emplace_back().at = at;

        ha::server_facts& primary = facts_[pg1] = common();
        primary.in_recovery = false;
        primary.flush_lsn = 0x5000100;
        ha::wal_sender sender;
        sender.application_name = "a2";
        sender.streaming = true;
        sender.flush_lsn = 0x5000060;
        sender.sync_state = "async";
        primary.senders = {sender};
        ha::replication_slot slot;
        slot.name = "howdah_east";
        primary.slots = {slot};
        facts_[pg2] = standby("pg1", "a2", 0x5000060);
        facts_[pg2].settings.primary_slot_name = "howdah_east";
        facts_[pg2].replay_lag_ms = 12;
        facts_[pg3] = standby("pg2", "a3", 0x5000000);
        facts_[pg3].replay_paused = true;

        record_.cluster = "main";
        record_.system_identifier = identifier;
        record_.epoch = 4;
        record_.primary = pg1;
        record_.timeline = record_.known_timeline = 3;
        record_.flush_lsn = 0x5000100;

        const ha_view_source view = [this] { return seen(); };
        for (live_table& t : ha_tables(view, kept_))
            environment_.tables.push_back(std::move(t));
        environment_.commands.add(ha_commands(orders(), view, kept_, patience));
        // As the administration has it: whatever stands behind ENABLE is a database.
        environment_.commands.add(
            {"ENABLE <database>", "", role::admin,
             [](const command_call&) -> sql_result<command_result> { return tagged("ENABLE"); },
             ""});
    }

    static ha::server_facts common() {
        ha::server_facts f;
        f.reach = ha::reachability::up;
        f.reach_since_us = 1;
        f.read_at_us = now - 200'000;
        f.system_identifier = identifier;
        f.version_num = 150'004;
        f.timeline = 3;
        f.may = ha::privileges::all();
        return f;
    }
    static ha::server_facts standby(const std::string& of, const std::string& name,
                                    std::uint64_t at) {
        ha::server_facts f = common();
        f.in_recovery = true;
        f.receive_lsn = f.replay_lsn = at;
        f.settings.primary_conninfo =
            "host=" + of + " port=5432 password=secret application_name=" + name;
        ha::wal_receiver receiver;
        receiver.streaming = true;
        receiver.sender_host = of;
        receiver.timeline = f.timeline;
        receiver.last_message_us = now - 100'000;
        f.receiver = receiver;
        return f;
    }

    void primary_dies() {
        ha::server_facts& f = facts_[pg1];
        f.reach = ha::reachability::dead;
        f.refused = true;
        f.reach_since_us = now - 3'000'000;
        f.read_at_us = now - 4'000'000;
        f.reach_detail = "Connection refused";
        facts_[pg2].receiver.reset();
    }

    std::shared_ptr<const ha::ha_view> seen() {
        ha::topology_input input;
        input.clusters = {main_, other_};
        input.facts = facts_;
        input.records = {{"main", record_}};
        input.now_us = now;
        input.stale_after_us = 1'000'000;
        const ha::topology built = ha::build_topology(input);
        auto out = std::make_shared<ha::ha_view>();
        out->allowed = allowed_;
        out->notes = notes_;
        out->discovered = discovered_;
        out->looked_at_all = true;
        out->clock_us = now;
        out->seen_at = 1'700'000'000'000'000;
        for (const ha::cluster& subject : built.clusters) {
            ha::cluster_state one;
            one.subject = subject;
            one.decided = ha::decide(
                subject,
                subject.name == "main" ? std::optional<ha::cluster_record>(record_) : std::nullopt,
                allowed_);
            one.preflight = ha::check_preflight(subject, one.decided.writers, allowed_.candidates);
            one.seen_at = out->seen_at;
            if (subject.name == "main") one.under_way = under_way_;
            out->clusters.push_back(std::move(one));
        }
        return out;
    }

    /// What was ordered, in a line each; notes are changed as ordered.
    ha_orders orders() {
        ha_orders out;
        out.stopping = stop_.get_token();
        const auto primary = [this](std::string what) {
            return [this, what](const std::string& cluster, const ha::recovery_order& order,
                                const ha_orders::answer& done) {
                ordered_.push_back(what + " " + cluster +
                                   (order.to ? " to " + to_string(*order.to) : "") +
                                   (order.allow_data_loss ? " with loss" : "") + " by " + order.by);
                answer(done);
            };
        };
        out.fail_over = primary("failover");
        out.switch_over = primary("switchover");
        out.rewire = [this](const ha::endpoint& standby, const ha::endpoint& upstream,
                            const std::string& by, const ha_orders::answer& done) {
            ordered_.push_back("rewire " + to_string(standby) + " to " + to_string(upstream) +
                               " by " + by);
            answer(done);
        };
        out.adopt = [this](const ha::endpoint& writer, const std::string& by,
                           const ha_orders::answer& done) {
            ordered_.push_back("adopt " + to_string(writer) + " by " + by);
            answer(done);
        };
        out.rejoin = [this](const ha::endpoint& server, const std::string& by,
                            const ha_orders::answer& done) {
            ordered_.push_back("rejoin " + to_string(server) + " by " + by);
            answer(done);
        };
        out.dry_run_rejoin = [](const ha::endpoint& server) {
            return "rejoin " + to_string(server) + "\n\n 1. pg_rewind\n";
        };
        out.acknowledge = [this](const ha::history_filter& which, const std::string& by,
                                 const std::string& comment, const ha_orders::answer& done) {
            ordered_.push_back("ack \"" + which.cluster + "\" by " + by + ": " + comment);
            answer(done);
        };
        out.note = [this](const ha_orders::notes_change& change, const ha::audit_entry& entry,
                          const ha_orders::answer& done) {
            change(notes_);
            ordered_.push_back(entry.type + " " +
                               (entry.server.host.empty() ? "" : to_string(entry.server) + " ") +
                               "by " + entry.by);
            said_.sentence = entry.message;
            answer(done);
        };
        out.dry_run = [this](const std::string& cluster, bool planned,
                             const ha::recovery_order& order) {
            return std::string(planned ? "switchover" : "failover") + " of " + cluster +
                   (order.to ? " to " + to_string(*order.to) : "") + "\n\n 1. pg_promote\n";
        };
        return out;
    }

    /// The whole error of a statement that must fail.
    sql_error error_of_asking(std::string_view sql) {
        sql_session s(environment_, role::admin, "ann");
        auto prepared = s.prepare(sql);
        if (!prepared) return prepared.error();
        auto rows = (*prepared)->open({});
        if (!rows) return rows.error();
        ADD_FAILURE() << sql << " did not fail";
        return {};
    }
    std::string ask_as_ann(std::string_view sql) {
        sql_session s(environment_, role::admin, "ann");
        return ask(s, sql);
    }

    void answer(const ha_orders::answer& done) {
        // It may put another in its place.
        const auto answering = answering_;
        answering(done);
    }

    std::stop_source stop_;
    ha::cluster_config main_, other_;
    std::map<ha::endpoint, ha::server_facts> facts_;
    ha::cluster_record record_;
    ha::policy allowed_;
    ha::operator_notes notes_;
    std::vector<ha::discovered_server> discovered_;
    std::optional<ha::recovery> under_way_;
    ha_store kept_{""};
    std::vector<std::string> ordered_;
    ha::order_answer said_{true, "done", pg2, 7};
    std::function<void(const ha_orders::answer&)> answering_ =
        [this](const ha_orders::answer& done) { done(said_); };
    /// Only for orders that are never answered.
    static constexpr std::chrono::milliseconds patience{20'000};
};

}  // namespace howdah::admin
