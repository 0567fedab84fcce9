#include "admin/ha/orders.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>

namespace howdah::admin {
namespace {

constexpr std::chrono::seconds patience{10};

}  // namespace

ha_orders orders_of(boost::asio::io_context& control, ha::supervisor& hands,
                    std::stop_token stopping) {
    using answer = ha_orders::answer;
    const auto post = [&control](auto work) { boost::asio::post(control, std::move(work)); };
    ha_orders out;
    out.stopping = std::move(stopping);
    out.fail_over = [post, &hands](std::string cluster, ha::recovery_order order, answer done) {
        post([&hands, cluster = std::move(cluster), order = std::move(order),
              done = std::move(done)] { hands.fail_over(cluster, order, done); });
    };
    out.switch_over = [post, &hands](std::string cluster, ha::recovery_order order, answer done) {
        post([&hands, cluster = std::move(cluster), order = std::move(order),
              done = std::move(done)] { hands.switch_over(cluster, order, done); });
    };
    out.rewire = [post, &hands](ha::endpoint standby, ha::endpoint upstream, std::string by,
                                answer done) {
        post([&hands, standby = std::move(standby), upstream = std::move(upstream),
              by = std::move(by),
              done = std::move(done)] { hands.rewire(standby, upstream, by, done); });
    };
    out.adopt = [post, &hands](ha::endpoint writer, std::string by, answer done) {
        post([&hands, writer = std::move(writer), by = std::move(by), done = std::move(done)] {
            hands.adopt(writer, by, done);
        });
    };
    out.rejoin = [post, &hands](ha::endpoint server, std::string by, answer done) {
        post([&hands, server = std::move(server), by = std::move(by), done = std::move(done)] {
            hands.rejoin(server, by, done);
        });
    };
    out.acknowledge = [post, &hands](ha::history_filter which, std::string by, std::string comment,
                                     answer done) {
        post([&hands, which = std::move(which), by = std::move(by), comment = std::move(comment),
              done = std::move(done)] { hands.acknowledge(which, by, comment, done); });
    };
    out.note = [post, &hands](ha_orders::notes_change change, ha::audit_entry entry, answer done) {
        post([&hands, change = std::move(change), entry = std::move(entry),
              done = std::move(done)] { hands.note(change, entry, done); });
    };
    const auto ask = [post](std::function<std::string()> question) {
        auto told = std::make_shared<std::promise<std::string>>();
        std::future<std::string> text = told->get_future();
        post([told, question = std::move(question)] {
            try {
                told->set_value(question());
            } catch (...) {
                told->set_exception(std::current_exception());
            }
        });
        told.reset();
        if (text.wait_for(patience) != std::future_status::ready)
            throw std::runtime_error("the control thread does not answer");
        try {
            return text.get();
        } catch (const std::future_error&) {
            throw std::runtime_error("Howdah is shutting down");
        }
    };
    out.dry_run = [ask, &hands](std::string cluster, bool planned, ha::recovery_order order) {
        return ask([&hands, cluster = std::move(cluster), planned, order = std::move(order)] {
            return hands.dry_run(cluster, planned, order);
        });
    };
    out.dry_run_rejoin = [ask, &hands](ha::endpoint server) {
        return ask([&hands, server = std::move(server)] { return hands.dry_run_rejoin(server); });
    };
    return out;
}

}  // namespace howdah::admin
