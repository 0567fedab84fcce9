#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "admin/orchestrator/functions.hpp"

namespace howdah::admin::orchestrator {

api_functions functions_of(boost::asio::io_context& control, boost::asio::thread_pool& threads,
                           ha::supervisor& hands, ha::store& kept) {
    using ha::endpoint;
    using ha::history_filter;
    using answer = api_functions::answer;
    api_functions out;
    out.view = [&hands] { return hands.view(); };
    out.now = [] { return ha::unix_now_us(); };
    out.fail_over = [&hands](const std::string& cluster, ha::recovery_order order, answer done) {
        hands.fail_over(cluster, std::move(order), std::move(done));
    };
    out.switch_over = [&hands](const std::string& cluster, ha::recovery_order order, answer done) {
        hands.switch_over(cluster, std::move(order), std::move(done));
    };
    out.rewire = [&hands](const endpoint& standby, const endpoint& upstream, std::string by,
                          answer done) {
        hands.rewire(standby, upstream, std::move(by), std::move(done));
    };
    out.adopt = [&hands](const endpoint& writer, std::string by, answer done) {
        hands.adopt(writer, std::move(by), std::move(done));
    };
    out.rejoin = [&hands](const endpoint& server, std::string by, answer done) {
        hands.rejoin(server, std::move(by), std::move(done));
    };
    out.acknowledge = [&hands](history_filter which, std::string by, std::string comment,
                               answer done) {
        hands.acknowledge(std::move(which), std::move(by), std::move(comment), std::move(done));
    };
    out.note = [&hands](std::function<void(ha::operator_notes&)> change, ha::audit_entry entry,
                        answer done) {
        hands.note(std::move(change), std::move(entry), std::move(done));
    };
    out.look = [&hands](api_functions::work done) { hands.look(std::move(done)); };
    out.dry_run = [&hands](const std::string& cluster, bool planned,
                           const ha::recovery_order& order) {
        return hands.dry_run(cluster, planned, order);
    };
    out.recoveries = [&kept](const history_filter& which) { return kept.recoveries(which); };
    out.steps = [&kept](std::int64_t recovery) { return kept.steps(recovery); };
    out.detections = [&kept](const history_filter& which) { return kept.detections(which); };
    out.audit = [&kept](const history_filter& which) { return kept.audit(which); };
    out.offload = [&threads](api_functions::work work) {
        boost::asio::post(threads, std::move(work));
    };
    out.control = [&control](api_functions::work work) {
        boost::asio::post(control, std::move(work));
    };
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0) out.hostname = name.data();
    out.advertised = out.hostname;
    out.started_at = out.now();
    return out;
}

}  // namespace howdah::admin::orchestrator
