#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <set>
#include <stop_token>

#include "ha/configured.hpp"
#include "ha/coordination/coordinator.hpp"
#include "ha/coordination/shared_state.hpp"
#include "ha/executor.hpp"
#include "ha/fact_watcher.hpp"
#include "ha/hooks.hpp"
#include "ha/supervisor.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::ha {

/// Inside of `supervisor`. One coroutine runs the cycles: facts -> topology -> decision -> record
/// -> ruling. What takes longer (a failover, asking quiet standbys, fencing) is a coroutine of its
/// own, started by a cycle; while one is at work on a cluster (`busy`), that cluster's record is
/// its.
class supervisor::impl {
public:
    impl(boost::asio::io_context& io, boost::asio::thread_pool& threads, store& kept,
         std::shared_ptr<const conf::settings> settings, supervisor_hooks hooks);

    void start();
    void stop();
    void reload(std::shared_ptr<const conf::settings> settings);
    void server_dead(const endpoint& at);
    [[nodiscard]] std::shared_ptr<const ha_view> view() const { return view_.load(); }

    enum class order_kind : std::uint8_t { failover, switchover };
    void order(order_kind kind, std::string cluster, recovery_order what, answer done);
    void rewire(endpoint standby, endpoint upstream, std::string by, answer done);
    void adopt(endpoint writer, std::string by, answer done);
    /// Looks at all servers of its cluster first.
    void begin_rejoin(endpoint server, std::string by, answer done);
    [[nodiscard]] std::string dry_run_rejoin(const endpoint& server) const;
    void acknowledge(history_filter which, std::string by, std::string comment, answer done);
    void note(std::function<void(operator_notes&)> change, audit_entry entry, answer done);
    void look(std::function<void()> done);
    [[nodiscard]] std::string dry_run(const std::string& hint, bool planned,
                                      const recovery_order& what) const;

private:
    class run_hands;

    /// How long quiet standbys have to notice; see plan_confirmation.
    static constexpr time_us confirm_time_us = 6'000'000;
    /// How long those that were asked get at least, while the primary is silent.
    static constexpr time_us answer_time_us = 2'000'000;

    struct watched_cluster {
        std::optional<cluster_record> record;   ///< as it is on disk, but for positions
        std::optional<failover_intent> intent;  ///< as it is on disk
        std::vector<recovery> past;             ///< within the block, newest last
        std::optional<recovery> under_way;
        recovery_tallies ended;
        bool busy = false;         ///< a coroutine works on it
        bool holding = false;      ///< between the decision and the new epoch: nobody writes
        bool confirming = false;   ///< quiet standbys are being asked
        bool writer_seen = false;  ///< judge_options::watched
        time_us record_kept_us = 0;
        time_us confirmed_us = 0;            ///< the last asking ended
        time_us failed_us = 0;               ///< the last failover promoted nobody
        time_us resumed_us = 0;              ///< the last going on began
        std::map<endpoint, time_us> tended;  ///< fenced or rewired: not again soon
        std::set<endpoint> rejoining;        ///< an agent works on them; the cluster does not wait
        /// As soon as there is a writer: who was switched over from, or was being rejoined when
        /// Howdah ended; and by whose order.
        std::map<endpoint, std::string> to_rejoin;
        std::string said;       ///< the last sentence in the log, without quantities
        std::string said_held;  ///< why it is not stored
        problem known_problem = problem::none;
        std::optional<decision> last;
        std::size_t to_confirm = 0;
        // Several Howdahs:
        std::uint64_t system_identifier = 0;
        std::int64_t agreed_token = 0;      ///< the leadership that began with what etcd has
        std::int64_t agreed_revision = -1;  ///< of what etcd has, as it was taken over last
        std::string disagreement;           ///< why what etcd has could not be taken over
        std::string said_leader;            ///< who acts, as it was logged last
    };
    struct waiting_order {
        order_kind kind;
        std::string cluster;
        recovery_order what;
        answer done;
        time_us until_us;
    };

    // supervisor.cpp: the cycle
    boost::asio::awaitable<void> run_cycles();
    boost::asio::awaitable<void> cycle();
    boost::asio::awaitable<void> settle(watched_cluster& w, const cluster& subject, decision& made);
    void act_on(watched_cluster& w, const cluster& subject, const decision& made);
    void tend(watched_cluster& w, const cluster& subject, const decision& made);
    void note_problem(watched_cluster& w, const cluster& subject, const decision& made);
    [[nodiscard]] decision decide_now(const watched_cluster& w, const cluster& subject,
                                      const std::optional<recovery_order>& what) const;
    void add_ruling(monitor::ruling& out, const watched_cluster& w, const cluster& subject,
                    const decision& made) const;
    void show(const topology& seen);
    void follow_servers();
    void resolve_names();
    [[nodiscard]] topology look_at_facts() const;
    [[nodiscard]] std::optional<cluster> cluster_now(const std::string& name) const;
    void wake();
    /// Until a cycle that began after the call has ended.
    boost::asio::awaitable<void> next_cycle();
    /// Runs it where blocking is allowed; returns "" or what went wrong. Name the function before
    /// the call, see conventions.
    boost::asio::awaitable<std::string> keep(const std::function<void()>& work);
    void spawn(boost::asio::awaitable<void> task) { tasks_.spawn(std::move(task)); }
    /// Runs a command of the configuration; "" or why it failed. An empty command succeeds.
    boost::asio::awaitable<std::string> run_hook(std::string name, std::string command,
                                                 hook_occasion what);
    /// What a hook is told of a recovery, with what its cluster shows now.
    [[nodiscard]] hook_occasion occasion_now(const recovery& what) const;
    /// The failover of the intent was published before Howdah ended; only survivors were left.
    [[nodiscard]] static bool epoch_begun(const watched_cluster& w);

    // supervisor_history.cpp: what is written down besides
    /// Closes what was under way when Howdah ended, but for what the journal goes on with.
    void take_up_history(std::vector<recovery> newest_first);
    boost::asio::awaitable<void> audit(audit_entry entry);
    boost::asio::awaitable<void> keep_detection(detection row, hook_occasion occasion);
    boost::asio::awaitable<void> forget_history();
    /// Keeps what is new in `server_memory` of any server.
    void remember_servers();
    boost::asio::awaitable<void> keep_memories(std::vector<server_memory> fresh);

    // supervisor_runs.cpp: what takes longer
    boost::asio::awaitable<void> confirm(std::string name, std::vector<std::size_t> quiet);
    boost::asio::awaitable<void> fail_over(std::string name, recovery_order what, bool ordered,
                                           answer done);
    boost::asio::awaitable<void> switch_over(std::string name, recovery_order what, answer done);
    boost::asio::awaitable<void> go_on(std::string name, resumption how);
    boost::asio::awaitable<void> small_plan(std::string name, std::string kind, plan what,
                                            endpoint about, std::string by, answer done);
    /// With the agent, beside everything else: copying a server may take hours.
    boost::asio::awaitable<void> rejoin(std::string name, plan what, endpoint about, std::string by,
                                        answer done);
    /// A row of history: it gets its id, resp. its end. False: it could not be written.
    boost::asio::awaitable<bool> open_row(recovery& row);
    boost::asio::awaitable<void> close_row(recovery& row, bool successful, std::string sentence);
    /// Opens the row of history that everything below belongs to. False: it could not be written.
    boost::asio::awaitable<bool> open_recovery(watched_cluster& w, recovery row);
    boost::asio::awaitable<void> close_recovery(watched_cluster& w, bool successful,
                                                std::string sentence);
    /// Journal, hold, drop, freeze. "" or why it went no further.
    boost::asio::awaitable<std::string> freeze(watched_cluster& w, const cluster& subject,
                                               std::size_t old_primary, executor& hands);
    /// Reads until what is read of the frozen standbys says so, too, but not for long.
    boost::asio::awaitable<void> see_frozen(const std::string& name, const plan& frozen,
                                            const std::vector<endpoint>& failed);
    boost::asio::awaitable<std::string> promote(watched_cluster& w, const std::string& name,
                                                const recovery_order& what, time_us frozen_at,
                                                executor& hands);
    /// Lets standbys follow again, removes the intent, lets the old writer go on.
    boost::asio::awaitable<void> give_up(watched_cluster& w, const std::string& name,
                                         executor& hands);
    boost::asio::awaitable<void> end_journal(const std::string& name);
    boost::asio::awaitable<sql_answer> begin_epoch(watched_cluster& w, const std::string& name,
                                                   endpoint promoted);
    [[nodiscard]] recovery row_for(const watched_cluster& w, const cluster& subject,
                                   std::string kind, const std::string& by) const;
    boost::asio::awaitable<bool> begin_journal(watched_cluster& w, const cluster& subject,
                                               std::size_t old_primary);
    [[nodiscard]] static bool is_unknown(const watched_cluster& w, const std::string& name,
                                         const std::string& why);
    boost::asio::awaitable<bool> keep_intent(watched_cluster& w, failover_intent intent);
    static void answer_order(const answer& done, const recovery& row);

    // supervisor_coordination.cpp: several Howdahs
    /// Throws std::runtime_error naming what is wrong with the settings.
    void begin_coordination();
    void reload_coordination(const conf::variables& before);
    boost::asio::awaitable<void> run_coordination();
    /// "": this Howdah may act for the cluster at this very moment; always so without etcd.
    [[nodiscard]] std::string may_not_act(const watched_cluster& w) const;
    [[nodiscard]] std::string who_acts(const watched_cluster& w) const;
    [[nodiscard]] bool another_acts(const watched_cluster& w) const;
    /// Writes to etcd what is about to be written to the disk; "" or why not. Without etcd: "".
    boost::asio::awaitable<std::string> share(watched_cluster& w, shared_state state);
    /// `share`, and then `keep`: whoever takes over has to know first.
    boost::asio::awaitable<std::string> keep_agreed(watched_cluster& w, shared_state state,
                                                    const std::function<void()>& work);
    /// Takes over what another Howdah wrote, or tells the others what only this one knows. Part of
    /// the cycle.
    boost::asio::awaitable<void> agree(watched_cluster& w, const cluster& subject);
    boost::asio::awaitable<void> take_over(watched_cluster& w, shared_state state,
                                           cluster_seat from);

    // supervisor_orders.cpp, beside the orders above
    /// The plan for a server that is to rejoin, or why there is none.
    [[nodiscard]] plan plan_rejoin_now(const topology& seen, const endpoint& server) const;
    /// "": it may be carried out.
    [[nodiscard]] std::string refuses_rejoin(const std::string& name, const endpoint& server,
                                             const plan& what) const;
    /// The same failover was carried out a moment ago.
    [[nodiscard]] std::optional<order_answer> done_before(const std::string& name,
                                                          const std::string& hint,
                                                          const cluster& subject) const;

    boost::asio::io_context& io_;
    boost::asio::thread_pool& threads_;
    store& store_;
    std::shared_ptr<const conf::settings> settings_;
    supervisor_hooks hooks_;
    std::shared_ptr<monitor::resolver_cache> names_;
    protocol::task_gate tasks_;
    link_pool links_;
    fact_watcher watcher_;
    std::shared_ptr<coordinator> coordinator_;  ///< null: this Howdah is the only one
    std::string coordination_error_;            ///< why there is none, where there should be
    boost::asio::steady_timer coordinated_;     ///< the pause between two rounds
    boost::asio::steady_timer news_;            ///< cancelled to begin a cycle
    boost::asio::steady_timer cycled_;          ///< never expires; cancelled after every cycle
    std::uint64_t begun_ = 0;
    std::uint64_t ended_ = 0;
    bool wanted_ = false;      ///< something happened since the last cycle began
    std::stop_source agents_;  ///< for the commands of agents under way
    bool stopped_ = false;
    bool started_ = false;
    operator_notes notes_;
    std::map<endpoint, server_memory> memories_;  ///< as on disk, or on their way there
    address_book addresses_;
    time_us resolved_us_ = 0;
    time_us forgot_us_ = 0;
    std::map<std::string, watched_cluster> clusters_;  ///< by name; none is ever removed
    std::deque<waiting_order> orders_;
    monitor::ruling ruling_;
    std::atomic<std::shared_ptr<const ha_view>> view_;
};

}  // namespace howdah::ha
