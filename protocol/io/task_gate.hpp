#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <exception>
#include <functional>
#include <utility>

namespace howdah::protocol {

/// The one place that starts coroutines. It knows how many run, so that shutdown can wait for
/// them, and hands every exception that escapes one to a handler instead of losing it.
/// Belongs to one io_context's thread and outlives its tasks.
class task_gate {
public:
    using error_handler = std::function<void(std::exception_ptr)>;

    task_gate(boost::asio::io_context& io, error_handler on_error)
        : io_(io), on_error_(std::move(on_error)) {}

    void spawn(boost::asio::awaitable<void> task) {
        ++running_;
        boost::asio::co_spawn(io_, std::move(task), [this](std::exception_ptr error) {
            --running_;
            if (error) on_error_(error);
            if (running_ == 0 && on_idle_) std::exchange(on_idle_, nullptr)();
        });
    }
    [[nodiscard]] std::size_t running() const { return running_; }
    /// Calls back once when no task runs; at once if that is so already.
    void when_idle(std::function<void()> callback) {
        if (running_ == 0) {
            callback();
        } else {
            on_idle_ = std::move(callback);
        }
    }

private:
    boost::asio::io_context& io_;
    error_handler on_error_;
    std::function<void()> on_idle_;
    std::size_t running_ = 0;
};

}  // namespace howdah::protocol
