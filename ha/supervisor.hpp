#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/settings.hpp"
#include "ha/decision.hpp"
#include "ha/notes.hpp"
#include "ha/plan.hpp"
#include "ha/preflight.hpp"
#include "ha/recovery_tally.hpp"
#include "ha/store.hpp"
#include "monitor/engine.hpp"
#include "monitor/resolver_cache.hpp"

namespace howdah::ha {

/// One cluster as the last cycle saw it.
struct cluster_state {
    cluster subject;
    decision decided;
    preflight_report preflight;
    std::optional<recovery> under_way;  ///< what is carried out now
    unix_us seen_at = 0;
    recovery_tallies ended{};  ///< what was carried out before
};

/// All that people and programs are shown. Immutable.
struct ha_view {
    std::vector<cluster_state> clusters;
    std::vector<discovered_server> discovered;
    policy allowed;
    operator_notes notes;
    bool looked_at_all = false;  ///< every server's first reading has ended
    unix_us seen_at = 0;
    time_us clock_us = 0;  ///< the same moment on the clock of the facts

    /// By name, alias, host:port or bare host of a member; nullptr: none, or not the only one.
    [[nodiscard]] const cluster_state* find(std::string_view hint) const;
};

/// How an order ended.
struct order_answer {
    bool done = false;
    std::string sentence;               ///< what was done, or why not
    std::optional<endpoint> successor;  ///< the writer after a failover or switchover
    std::int64_t recovery_id = 0;       ///< 0: nothing was begun
};

/// What the rest of the process does for HA. Called on the control thread.
struct supervisor_hooks {
    /// Puts a ruling in force at once.
    std::function<void(monitor::ruling)> rule;
    /// Ends every server connection of clients to this server.
    std::function<void(const endpoint&)> close_connections;
};

/// Watches clusters, decides, and carries decisions out. Lives on the control thread: everything is
/// called there, but for `view`. `threads` runs what blocks (the store, hooks).
class supervisor {
public:
    using answer = std::function<void(order_answer)>;

    /// `io`, `threads` and `kept` must outlive it.
    supervisor(boost::asio::io_context& io, boost::asio::thread_pool& threads, store& kept,
               std::shared_ptr<const conf::settings> settings, supervisor_hooks hooks);
    ~supervisor();
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;

    /// Reads what is kept and begins; once. Throws std::runtime_error where the store cannot be
    /// read.
    void start();
    /// Nothing is begun any more; what is under way ends where a restart goes on.
    void stop();
    void reload(std::shared_ptr<const conf::settings> settings);
    /// Somebody saw it fail: look at once.
    void server_dead(const endpoint& at);

    /// Never null. Any thread.
    [[nodiscard]] std::shared_ptr<const ha_view> view() const;

    /// Replaces the dead primary of a cluster (name, alias or member). Answers at once with what
    /// was done where the same was done a moment ago.
    void fail_over(const std::string& cluster, recovery_order order, answer done);
    /// Planned: the primary answers.
    void switch_over(const std::string& cluster, recovery_order order, answer done);
    /// Lets a standby follow another server of its cluster.
    void rewire(const endpoint& standby, const endpoint& upstream, std::string by, answer done);
    /// An operator says who is right, where nobody may write.
    void adopt(const endpoint& writer, std::string by, answer done);
    /// Makes a server a streaming standby of the writer again; with the agent (ha_agent) where SQL
    /// is not enough. Answers when it streams, which takes as long as copying it.
    void rejoin(const endpoint& server, std::string by, answer done);
    /// Acknowledges recoveries, so that they block no further one.
    void acknowledge(history_filter which, std::string by, std::string comment, answer done);
    /// Changes what operators say. `entry` goes to the audit.
    void note(std::function<void(operator_notes&)> change, audit_entry entry, answer done);
    /// Looks at all servers now; answers when each was asked.
    void look(std::function<void()> done);
    /// What a failover or switchover would do now; nothing is done.
    [[nodiscard]] std::string dry_run(const std::string& cluster, bool planned,
                                      const recovery_order& order) const;
    [[nodiscard]] std::string dry_run_rejoin(const endpoint& server) const;

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace howdah::ha
