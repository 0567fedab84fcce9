#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace howdah::protocol {

/// Runs `work` on a thread of the pool and goes on, on `io`, when it is done. `work` must not
/// throw.
inline boost::asio::awaitable<void> offload(boost::asio::thread_pool& threads,
                                            boost::asio::io_context& io,
                                            std::function<void()> work) {
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        [&threads, &io, &work](auto handler) {
            // The handler is moved only; what is posted must be copyable.
            auto kept = std::make_shared<decltype(handler)>(std::move(handler));
            boost::asio::post(threads, [&io, &work, kept] {
                work();
                boost::asio::post(io, [kept] { std::move (*kept)(); });
            });
        },
        boost::asio::use_awaitable);
}

}  // namespace howdah::protocol
