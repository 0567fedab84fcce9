#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ha/plan.hpp"
#include "ha/server_link.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::ha {

/// How a step ended.
enum class step_outcome : std::uint8_t {
    done,
    already,  ///< it was so before
    failed,
    undone,
    unknown  ///< neither done nor not done
};
[[nodiscard]] std::string_view to_string(step_outcome value) noexcept;

/// What a plan works through, beside its own order.
class plan_hands {
public:
    virtual ~plan_hands() = default;
    virtual boost::asio::awaitable<sql_answer> ask(endpoint at, std::string sql,
                                                   std::chrono::milliseconds deadline) = 0;
    /// A step without SQL; an error says why it failed, the value is kept under `captured_as`.
    virtual boost::asio::awaitable<sql_answer> act(const step& what) = 0;
    /// The next thing sent is one that cannot be taken back: to be journalled. "" or why not.
    virtual boost::asio::awaitable<std::string> before_no_return(const step& what) = 0;
    /// A step has ended. `detail`: the error, or "".
    virtual void report(const step& what, step_outcome how, std::string detail,
                        std::int64_t took_us) = 0;
};

/// How a plan ended.
struct plan_report {
    enum class outcome : std::uint8_t {
        done,     ///< all steps that matter
        undone,   ///< a step failed, and what was done before was undone
        stuck,    ///< a step failed where nothing can be undone any more
        unknown,  ///< a step is neither done nor not done; ask again later
    };
    outcome how = outcome::done;
    std::vector<endpoint> lost;  ///< standbys that could not be stopped or rewired
    std::string sentence;        ///< why, if not `done`
};

/// Carries plans out: stage after stage, the steps of one stage at the same time. Control thread
/// only.
class executor {
public:
    /// `hands` must outlive it.
    executor(boost::asio::io_context& io, plan_hands& hands);

    /// `subject` lives until this ends. One plan at a time.
    [[nodiscard]] boost::asio::awaitable<plan_report> carry_out(const plan& subject);
    /// Undoes what `carry_out` did, in reverse order. For steps that were meant for a while only.
    [[nodiscard]] boost::asio::awaitable<void> undo_all();

private:
    struct progress {
        const step* what;
        step_outcome how = step_outcome::failed;
        std::string detail{};
        bool sent = false;  ///< something that changes the server
    };

    boost::asio::awaitable<void> run_stage(std::vector<progress*> stage);
    boost::asio::awaitable<void> run(progress& one);
    boost::asio::awaitable<void> run_sql(progress& one);
    /// Until `done_when` holds or `until_us` is over.
    boost::asio::awaitable<bool> await_done(const step& one, time_us until_us);
    boost::asio::awaitable<sql_answer> ask(const step& one, const std::string& sql,
                                           time_us until_us);
    [[nodiscard]] std::string filled_in(std::string sql) const;

    boost::asio::io_context& io_;
    plan_hands& hands_;
    protocol::task_gate tasks_;
    std::map<std::string, std::string> captured_;
    std::vector<const step*> done_;
};

}  // namespace howdah::ha
