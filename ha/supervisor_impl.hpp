#pragma once
#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <deque>

#include "ha/configured.hpp"
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
    void acknowledge(history_filter which, std::string by, std::string comment, answer done);
    void note(std::function<void(operator_notes&)> change, audit_entry entry, answer done);
    void look(std::function<void()> done);
    [[nodiscard]] std::string dry_run(const std::string& hint, bool planned,
                                      const recovery_order& what) const;

private:
    class run_hands;

    /// How long quiet standbys have to notice; see plan_confirmation.
    static constexpr time_us confirm_time_us = 6'000'000;

    struct watched_cluster {
        std::optional<cluster_record> record;   ///< as it is on disk, but for positions
        std::optional<failover_intent> intent;  ///< as it is on disk
        std::vector<recovery> past;             ///< within the block, newest last
        std::optional<recovery> under_way;
        bool busy = false;         ///< a coroutine works on it
        bool holding = false;      ///< between the decision and the new epoch: nobody writes
        bool confirming = false;   ///< quiet standbys are being asked
        bool writer_seen = false;  ///< judge_options::watched
        time_us record_kept_us = 0;
        time_us confirmed_us = 0;            ///< the last asking ended
        time_us failed_us = 0;               ///< the last failover promoted nobody
        time_us resumed_us = 0;              ///< the last going on began
        std::map<endpoint, time_us> tended;  ///< fenced or rewired: not again soon
        std::string said;                    ///< the last sentence in the log
        std::string said_held;               ///< why it is not stored
        problem known_problem = problem::none;
        std::optional<decision> last;
        std::size_t to_confirm = 0;
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
    boost::asio::awaitable<void> audit(audit_entry entry);
    /// Runs a command of the configuration; "" or why it failed. An empty command succeeds.
    boost::asio::awaitable<std::string> run_hook(std::string name, std::string command,
                                                 hook_occasion what);
    boost::asio::awaitable<void> keep_detection(detection row);
    boost::asio::awaitable<void> forget_history();
    /// The failover of the intent was published before Howdah ended; only survivors were left.
    [[nodiscard]] static bool epoch_begun(const watched_cluster& w);

    // supervisor_runs.cpp: what takes longer
    boost::asio::awaitable<void> confirm(std::string name, std::vector<std::size_t> quiet);
    boost::asio::awaitable<void> fail_over(std::string name, recovery_order what, bool ordered,
                                           answer done);
    boost::asio::awaitable<void> switch_over(std::string name, recovery_order what, answer done);
    boost::asio::awaitable<void> go_on(std::string name, resumption how);
    boost::asio::awaitable<void> small_plan(std::string name, std::string kind, plan what,
                                            endpoint about, std::string by, answer done);
    /// Opens the row of history that everything below belongs to. False: it could not be written.
    boost::asio::awaitable<bool> open_recovery(watched_cluster& w, recovery row);
    boost::asio::awaitable<void> close_recovery(watched_cluster& w, bool successful,
                                                std::string sentence);
    /// Journal, hold, drop, freeze. "" or why it went no further.
    boost::asio::awaitable<std::string> freeze(watched_cluster& w, const cluster& subject,
                                               std::size_t old_primary, executor& hands);
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

    // supervisor_orders.cpp, beside the orders above
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
    boost::asio::steady_timer news_;    ///< cancelled to begin a cycle
    boost::asio::steady_timer cycled_;  ///< never expires; cancelled after every cycle
    std::uint64_t begun_ = 0;
    std::uint64_t ended_ = 0;
    bool wanted_ = false;  ///< something happened since the last cycle began
    bool stopped_ = false;
    bool started_ = false;
    operator_notes notes_;
    address_book addresses_;
    time_us resolved_us_ = 0;
    time_us forgot_us_ = 0;
    std::map<std::string, watched_cluster> clusters_;  ///< by name; none is ever removed
    std::deque<waiting_order> orders_;
    monitor::ruling ruling_;
    std::atomic<std::shared_ptr<const ha_view>> view_;
};

}  // namespace howdah::ha
