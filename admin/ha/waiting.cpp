#include "admin/ha/waiting.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <future>
#include <memory>

#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {

namespace sqlstate = protocol::sqlstate;

namespace {

using promise = std::promise<ha::order_answer>;

/// Nothing where it was told before: the answer and the end of Howdah may come together.
template <class Tell>
void tell_once(promise& told, const Tell& tell) {
    try {
        tell(told);
    } catch (const std::future_error&) {
        return;
    }
}

}  // namespace

sql_result<ha::order_answer> carry_out(const std::function<void(ha_orders::answer)>& begin,
                                       std::chrono::milliseconds patience,
                                       const std::stop_token& stopping, const std::string& hint) {
    // Only the order keeps the promise: where it is dropped, the future knows.
    auto told = std::make_shared<promise>();
    std::future<ha::order_answer> ended = told->get_future();
    const std::stop_callback wake(stopping, [weak = std::weak_ptr(told)] {
        if (const auto open = weak.lock())
            tell_once(*open, [](promise& p) {
                p.set_exception(
                    std::make_exception_ptr(std::future_error(std::future_errc::broken_promise)));
            });
    });
    begin([told](ha::order_answer said) {
        tell_once(*told, [&](promise& p) { p.set_value(std::move(said)); });
    });
    told.reset();
    if (ended.wait_for(patience) != std::future_status::ready)
        return sql_error(sqlstate::object_not_in_prerequisite_state,
                         fmt::format("the order has not ended after {}; it goes on", patience),
                         "SHOW HA and ha.recoveries say how far it is.");
    ha::order_answer said;
    try {
        said = ended.get();
    } catch (const std::future_error&) {
        return sql_error(sqlstate::admin_shutdown, "Howdah is shutting down",
                         "What was begun goes on after its next start.");
    }
    if (!said.done)
        return sql_error(sqlstate::object_not_in_prerequisite_state, said.sentence, hint);
    return said;
}

}  // namespace howdah::admin
