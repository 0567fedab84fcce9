#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace howdah::proxy {

/// A value that another thread owes to a coroutine of a worker. Owned by the coroutine; an answer
/// that comes after its end is dropped.
template <class T>
class late_result {
public:
    /// `io` is the coroutine's and outlives whoever answers.
    explicit late_result(boost::asio::io_context& io)
        : io_(io), state_(std::make_shared<state>(io)) {}

    /// For the other thread, to be called at most once.
    [[nodiscard]] std::function<void(T)> answer() const {
        return [&io = io_, weak = std::weak_ptr<state>(state_)](T value) {
            boost::asio::post(io, [weak, value = std::move(value)]() mutable {
                const auto waiting = weak.lock();
                if (!waiting) return;
                waiting->value = std::move(value);
                waiting->timer.cancel();
            });
        };
    }

    /// The value; nothing if it does not come in time.
    [[nodiscard]] boost::asio::awaitable<std::optional<T>> wait(std::chrono::milliseconds limit) {
        const auto kept = state_;
        if (!kept->value) {
            kept->timer.expires_after(limit);
            boost::system::error_code ignored;
            co_await kept->timer.async_wait(
                boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        }
        co_return std::move(kept->value);
    }

private:
    struct state {
        explicit state(boost::asio::io_context& io) : timer(io) {}
        boost::asio::steady_timer timer;
        std::optional<T> value;
    };
    boost::asio::io_context& io_;
    std::shared_ptr<state> state_;
};

}  // namespace howdah::proxy
