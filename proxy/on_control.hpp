#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace howdah::proxy {

/// How long an admin thread waits for the control thread or a worker. They answer within
/// milliseconds, unless the machine is overloaded or the process ends.
inline constexpr std::chrono::seconds answer_time{5};

/// For results that come from another thread: waits for the future, and throws
/// std::runtime_error where nothing comes.
template <class T>
T await_answer(std::future<T>& answer, const char* of) {
    if (answer.wait_for(answer_time) != std::future_status::ready)
        throw std::runtime_error(std::string(of) + " does not answer");
    try {
        return answer.get();
    } catch (const std::future_error&) {
        throw std::runtime_error("Howdah is shutting down");
    }
}

/// Runs `f` on the thread of `io` and returns its result. Not from that thread.
template <class F>
auto run_on(boost::asio::io_context& io, F f) -> std::invoke_result_t<F> {
    using result = std::invoke_result_t<F>;
    auto task = std::make_shared<std::packaged_task<result()>>(std::move(f));
    std::future<result> answer = task->get_future();
    boost::asio::post(io, [task = std::move(task)] { (*task)(); });
    return await_answer(answer, "the control thread");
}

}  // namespace howdah::proxy
