#pragma once
#include <functional>
#include <future>
#include <memory>
#include <vector>

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

/// The same by one of worker::report_...
template <class T>
std::vector<T> gather(const process& shared, void (worker::*ask)(std::function<void(T)>)) {
    return gather_by<T>(shared, [ask](worker& w, auto done) { (w.*ask)(std::move(done)); });
}

/// The same, joined to one list.
template <class T>
std::vector<T> gather_all(const process& shared,
                          void (worker::*ask)(std::function<void(std::vector<T>)>)) {
    std::vector<T> out;
    for (std::vector<T>& part : gather(shared, ask))
        std::move(part.begin(), part.end(), std::back_inserter(out));
    return out;
}

}  // namespace howdah::proxy
