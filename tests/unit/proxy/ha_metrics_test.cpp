#include "proxy/admin/ha_metrics.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "tests/unit/admin/ha_view_fixture.hpp"

namespace howdah::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ha_metrics_test : public ha_view_fixture {
protected:
    std::string text() {
        const auto view = std::make_shared<ha::ha_view>(*seen());
        if (!ended_.empty()) view->clusters.front().ended = ended_;
        view->looked_at_all = looked_at_all_;
        proxy::metric_families out;
        proxy::add_ha_metrics(out, *view, now + 2'000'000);
        return out.text();
    }
    /// Lines of one family that are about the cluster main.
    std::string of(const std::string& family) {
        std::istringstream lines(text());
        std::string out;
        for (std::string line; std::getline(lines, line);)
            if (line.starts_with("howdah_ha_" + family + "{cluster=\"main\""))
                out += line.substr(("howdah_ha_" + family).size()) + "\n";
        return out;
    }

    ha::recovery_tallies ended_;
    bool looked_at_all_ = true;
};

TEST_F(ha_metrics_test, a_cluster_is_ready_until_a_grant_is_missing_and_again_when_it_is_there) {
    const auto ready = [&] { return of("cluster_ready"); };
    EXPECT_EQ(ready(), "{cluster=\"main\"} 1\n");
    EXPECT_THAT(of("failover_ready"),
                HasSubstr("{cluster=\"main\",server=\"pg2:5432\",reason=\"\"} 1\n"));
    facts_[pg2].may.promote = facts_[pg3].may.promote = false;
    EXPECT_EQ(ready(), "{cluster=\"main\"} 0\n");
    EXPECT_THAT(of("failover_ready"),
                HasSubstr("{cluster=\"main\",server=\"pg2:5432\",reason=\"grant_promote\"} 0\n"));
    EXPECT_THAT(of("failover_ready"), Not(HasSubstr("server=\"pg2:5432\",reason=\"\"")));
    facts_[pg2].may.promote = facts_[pg3].may.promote = true;
    EXPECT_EQ(ready(), "{cluster=\"main\"} 1\n");
    EXPECT_THAT(of("failover_ready"), Not(HasSubstr("grant_promote")));
}

TEST_F(ha_metrics_test, what_is_only_worse_is_a_warning_and_no_obstacle) {
    facts_[pg1].may.alter_fence = false;
    EXPECT_THAT(of("failover_warning"),
                HasSubstr("{cluster=\"main\",server=\"pg1:5432\",reason=\"grant_fence\"} 1\n"));
    EXPECT_THAT(of("failover_ready"), Not(HasSubstr("grant_fence")));
}

TEST_F(ha_metrics_test, nothing_is_found_before_every_server_was_looked_at) {
    looked_at_all_ = false;
    EXPECT_EQ(of("cluster_ready") + of("failover_ready") + of("problem"), "");
    EXPECT_EQ(of("epoch"), "{cluster=\"main\"} 4\n");
}

TEST_F(ha_metrics_test, a_problem_has_a_series_as_long_as_it_lasts) {
    EXPECT_EQ(of("problem"), "");
    const auto before = facts_;
    primary_dies();
    EXPECT_THAT(of("problem"), HasSubstr("{cluster=\"main\",server=\"pg1:5432\",problem="
                                         "\"DeadPrimary\",severity=\"critical\"} 1\n"));
    EXPECT_THAT(of("gate_open"), HasSubstr("{cluster=\"main\",gate=\"mode\"} 0\n"));
    EXPECT_THAT(of("writer"), Not(HasSubstr("} 1\n")));
    EXPECT_THAT(of("failover_ready"),
                HasSubstr("{cluster=\"main\",server=\"pg1:5432\",reason=\"not_reachable\"} 0\n"));
    facts_ = before;
    EXPECT_EQ(of("problem"), "");
    EXPECT_THAT(of("writer"), HasSubstr("{cluster=\"main\",server=\"pg1:5432\"} 1\n"));
}

TEST_F(ha_metrics_test, a_server_that_is_gone_leaves_no_series_behind) {
    EXPECT_THAT(text(), HasSubstr("pg3:5432"));
    main_.servers.pop_back();
    facts_.erase(pg3);
    EXPECT_THAT(text(), Not(HasSubstr("pg3:5432")));
}

TEST_F(ha_metrics_test, standbys_show_how_far_behind_they_are_and_how_old_that_knowledge_is) {
    EXPECT_EQ(of("missing_wal_bytes"),
              "{cluster=\"main\",server=\"pg2:5432\"} 160\n"
              "{cluster=\"main\",server=\"pg3:5432\"} 256\n");
    EXPECT_EQ(of("replay_lag_seconds"), "{cluster=\"main\",server=\"pg2:5432\"} 0.012\n")
        << "of pg3 it is not known, the primary has none";
    facts_[pg2].receive_lsn = *facts_[pg2].replay_lsn + 64;
    EXPECT_EQ(of("replay_backlog_bytes"),
              "{cluster=\"main\",server=\"pg2:5432\"} 64\n"
              "{cluster=\"main\",server=\"pg3:5432\"} 0\n");
    // Read 0.2 s before the view was made, and the view is 2 s old.
    EXPECT_THAT(of("facts_age_seconds"), HasSubstr("{cluster=\"main\",server=\"pg2:5432\"} 2.2\n"));
    EXPECT_THAT(text(), HasSubstr("\nhowdah_ha_cycle_age_seconds 2\n"));
    facts_[pg2].reach = ha::reachability::dead;
    EXPECT_THAT(of("replay_lag_seconds"), Not(HasSubstr("pg2")));
    EXPECT_THAT(of("facts_age_seconds"), HasSubstr("pg2"));
}

TEST_F(ha_metrics_test, recoveries_are_counted_from_zero_and_the_last_one_is_described) {
    EXPECT_THAT(of("recoveries_total"),
                HasSubstr("{cluster=\"main\",kind=\"failover\",outcome=\"successful\"} 0\n"));
    EXPECT_EQ(of("last_recovery_duration_seconds"), "");
    ha::recovery row;
    row.kind = "failover";
    row.started_at = 1'700'000'000'000'000;
    row.writable_at = row.started_at + 700'000;
    row.ended_at = row.started_at + 1'500'000;
    row.successful = true;
    row.lost = {pg3};
    count_recovery(ended_, row);
    EXPECT_EQ(of("last_recovery_loss_bytes"), "") << "not known is not zero";
    row.loss_bytes = 4096;
    count_recovery(ended_, row);
    EXPECT_THAT(of("recoveries_total"),
                HasSubstr("{cluster=\"main\",kind=\"failover\",outcome=\"successful\"} 2\n"));
    EXPECT_THAT(of("recoveries_total"),
                HasSubstr("{cluster=\"main\",kind=\"failover\",outcome=\"failed\"} 0\n"));
    const std::string failover = "{cluster=\"main\",kind=\"failover\"} ";
    EXPECT_EQ(of("last_recovery_duration_seconds"), failover + "1.5\n");
    EXPECT_EQ(of("last_recovery_until_writable_seconds"), failover + "0.7\n");
    EXPECT_EQ(of("last_recovery_loss_bytes"), failover + "4096\n");
    EXPECT_EQ(of("last_recovery_lost_standbys"), failover + "1\n");
    EXPECT_EQ(of("last_recovery_success"), failover + "1\n");
    row.successful = false;
    row.writable_at = 0;
    count_recovery(ended_, row);
    EXPECT_THAT(of("recoveries_total"),
                HasSubstr("{cluster=\"main\",kind=\"failover\",outcome=\"failed\"} 1\n"));
    EXPECT_EQ(of("last_recovery_success"), failover + "0\n");
    EXPECT_EQ(of("last_recovery_until_writable_seconds"), "");
}

TEST_F(ha_metrics_test, what_is_under_way_and_what_is_switched_off_is_seen) {
    EXPECT_EQ(of("recovery_under_way"), "{cluster=\"main\"} 0\n");
    under_way_.emplace();
    EXPECT_EQ(of("recovery_under_way"), "{cluster=\"main\"} 1\n");
    EXPECT_THAT(text(), HasSubstr("\nhowdah_ha_mode{mode=\"manual\"} 1\n"));
    EXPECT_THAT(text(), HasSubstr("\nhowdah_ha_mode{mode=\"automatic\"} 0\n"));
    EXPECT_THAT(text(), HasSubstr("\nhowdah_ha_recoveries_enabled 1\n"));
    notes_.global_recoveries = false;
    EXPECT_THAT(text(), HasSubstr("\nhowdah_ha_recoveries_enabled 0\n"));
}

TEST_F(ha_metrics_test, every_family_is_there_without_a_cluster_and_in_the_documentation) {
    proxy::metric_families out;
    proxy::add_ha_metrics(out, {}, now);
    const auto text = out.text();
    std::ifstream in(HOWDAH_DOCS_DIR "/high-availability.md");
    std::ostringstream docs;
    docs << in.rdbuf();
    std::string rows;
    for (const auto& one : proxy::ha_metric_table()) {
        EXPECT_THAT(text, HasSubstr(fmt::format("# TYPE {} ", one.name)));
        rows += fmt::format("| `{}` | {} | {} |\n", one.name, one.labels, one.help);
    }
    EXPECT_THAT(docs.str(), HasSubstr("|---|---|---|\n" + rows))
        << "docs/high-availability.md must have:\n"
        << rows;
}

}  // namespace
}  // namespace howdah::admin
