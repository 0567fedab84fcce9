#pragma once
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "proxy/client_report.hpp"
#include "proxy/on_control.hpp"
#include "proxy/process.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {

/// Calls ask(worker, done) for every worker and returns what they give to `done`, in their order.
/// Not from a worker's thread. Throws std::runtime_error where one does not answer.
template <class T, class Ask>
std::vector<T> gather_by(const process& shared, Ask ask) {
    std::vector<std::future<T>> answers;
    for (worker* w : shared.workers) {
        auto answer = std::make_shared<std::promise<T>>();
        answers.push_back(answer->get_future());
        ask(*w, [answer](T value) { answer->set_value(std::move(value)); });
    }
    std::vector<T> out;
    for (std::future<T>& answer : answers)
        out.push_back(await_answer(answer, "a worker"));
    return out;
}

/// What of(worker) returns on each worker's own thread.
template <class Of>
auto gather(const process& shared, Of of) {
    using T = std::invoke_result_t<Of, worker&>;
    return gather_by<T>(shared, [of](worker& w, auto done) {
        w.on_thread([of, done = std::move(done)](worker& self) { done(of(self)); });
    });
}

template <class T>
std::vector<T> joined(std::vector<std::vector<T>> parts) {
    std::vector<T> out;
    for (std::vector<T>& part : parts)
        std::move(part.begin(), part.end(), std::back_inserter(out));
    return out;
}

/// What all clients do.
inline std::vector<client_report> gather_clients(const process& shared) {
    return joined(gather_by<std::vector<client_report>>(
        shared, [](worker& w, auto done) { w.report_clients(std::move(done)); }));
}

/// All idle server connections.
inline std::vector<idle_report> gather_idle(const process& shared) {
    return joined(gather(shared, [](worker& w) { return w.servers.report_idle(); }));
}

/// What the clients of each login have done; a login is there once for each worker that had it.
inline std::vector<std::pair<const pool_login*, login_counters>> gather_logins(
    const process& shared) {
    return joined(gather(shared, [](worker& w) {
        return std::vector<std::pair<const pool_login*, login_counters>>(w.logins.begin(),
                                                                         w.logins.end());
    }));
}

inline std::vector<worker_counters> gather_counters(const process& shared) {
    return gather(shared, [](worker& w) { return w.all_counters(); });
}

}  // namespace howdah::proxy
