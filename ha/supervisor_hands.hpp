#pragma once
#include <string>
#include <vector>

#include "ha/supervisor_impl.hpp"

namespace howdah::ha {

/// The answer of something that was not done, and why.
[[nodiscard]] sql_answer failed_answer(std::string why);

/// Steps of one recovery: SQL over the pool, the rest by the supervisor, each into the history.
class supervisor::impl::run_hands final : public plan_hands {
public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    /// `row`: what is carried out, where it is not what the cluster waits for; it outlives this.
    run_hands(impl& owner, watched_cluster& w, std::string name, const recovery* row = nullptr)
        : owner_(owner), w_(w), name_(std::move(name)), row_(row) {}

    /// What is done can be undone whoever acts meanwhile.
    void always() { always_ = true; }

    awaitable<sql_answer> ask(endpoint at, std::string sql,
                              std::chrono::milliseconds deadline) override;
    awaitable<sql_answer> act(const step& what) override;
    awaitable<std::string> before_no_return(const step& what) override;
    void report(const step& what, step_outcome how, std::string detail,
                std::int64_t took_us) override;

    /// Does all of it and writes its steps down; "" or what was not done.
    awaitable<std::string> work_through(executor& steps, const plan& what);
    /// Writes down what was reported. Not between the freeze and the new epoch: nobody waits for a
    /// disk there.
    awaitable<void> keep_steps();

private:
    /// Waits for the transactions that are under way on the primary; those that take too long are
    /// broken off.
    awaitable<void> drain(time_us patience_us);
    /// The last line that it writes is its answer.
    awaitable<sql_answer> run_agent(const step& what);
    /// Where the agent stops or starts the primary that is being replaced: what `failover_intent`
    /// has to say of it. False: it could not be written.
    awaitable<bool> journal_stop(const step& what, bool stopped);
    /// Looked at before everything that is done: the right to act may have ended meanwhile.
    [[nodiscard]] std::string refused() const {
        return always_ ? std::string() : owner_.may_not_act(w_);
    }

    impl& owner_;
    watched_cluster& w_;
    std::string name_;
    const recovery* row_;
    std::vector<recovery_step> steps_;
    std::string failure_;
    bool always_ = false;
};

}  // namespace howdah::ha
