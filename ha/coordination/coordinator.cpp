#include "ha/coordination/coordinator.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <stdexcept>
#include <utility>

#include "ha/hooks.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::ha {
namespace {

using boost::asio::awaitable;

etcd_login login_for(const conf::variables& vars) {
    auto parsed = parse_endpoints(vars.ha_etcd_endpoints);
    if (!parsed.error.empty()) throw std::runtime_error(parsed.error);
    if (parsed.all.empty()) throw std::runtime_error("ha_etcd_endpoints names no endpoint");
    if (vars.ha_etcd_cert_file.empty() != vars.ha_etcd_key_file.empty())
        throw std::runtime_error("ha_etcd_cert_file and ha_etcd_key_file belong together");
    etcd_login out;
    out.endpoints = std::move(parsed.all);
    out.user = vars.ha_etcd_username;
    out.password = vars.ha_etcd_password;
    out.tls.ca = vars.ha_etcd_ca_file;
    out.tls.cert = vars.ha_etcd_cert_file;
    out.tls.key = vars.ha_etcd_key_file;
    out.timeout = vars.ha_etcd_timeout;
    return out;
}

std::string name_for(const conf::variables& vars) {
    if (!vars.ha_name.empty()) return vars.ha_name;
    if (vars.ha_api_ifaces.empty()) return own_host_name();
    return fmt::format("{}:{}", own_host_name(), vars.ha_api_ifaces.front().port);
}

}  // namespace

coordinator::coordinator(boost::asio::io_context& io,
                         std::shared_ptr<monitor::resolver_cache> names,
                         const conf::variables& vars)
    : names_(std::move(names)),
      login_(login_for(vars)),
      client_(io, names_, login_),
      prefix_(vars.ha_etcd_prefix),
      name_(name_for(vars)),
      asked_s_(vars.ha_lease.count()) {}

void coordinator::lost_lease() {
    lease_ = {};
    for (auto& [id, seat] : seats_)
        seat.token = 0;
}

awaitable<etcd_answer> coordinator::ask(etcd_request what) {
    auto answer = co_await client_.ask(std::move(what));
    trouble_ = answer.error;
    co_return answer;
}

awaitable<void> coordinator::renew() {
    const auto sent = boot_now_us();
    if (lease_.id && lease_.is_due(sent)) {
        auto what = keep_alive(lease_.id);
        const auto answer = co_await ask(std::move(what));
        if (!answer.ok() || resigned_) co_return;
        if (answer.ttl > 0) {
            lease_.renewed(sent, answer.ttl, asked_s_);
            co_return;
        }
        spdlog::warn("ha: etcd has ended this Howdah's lease: it was not renewed in time");
        lost_lease();
    }
    if (lease_.id) co_return;
    const auto asked = boot_now_us();
    auto what = grant_lease(asked_s_);
    const auto answer = co_await ask(std::move(what));
    if (!answer.ok() || resigned_ || answer.lease == 0) co_return;
    lease_.id = answer.lease;
    lease_.renewed(asked, answer.ttl, asked_s_);
}

void coordinator::take(cluster_seat& seat, const etcd_keys_seen& seen) const {
    seat.read = true;
    seat.leader.clear();
    seat.token = 0;
    seat.state.clear();
    seat.revision = 0;
    if (seen.leader) {
        seat.leader = seen.leader->value;
        if (lease_.id && seen.leader->lease == lease_.id) seat.token = seen.leader->create_revision;
    }
    if (seen.state) {
        seat.state = seen.state->value;
        seat.revision = seen.state->mod_revision;
    }
}

awaitable<bool> coordinator::look(std::uint64_t cluster, bool fit) {
    auto& seat = seats_[cluster];
    const auto where = keys(cluster);
    const auto changes = seat.changes;
    const auto leader = seat.leader;
    const auto token = seat.token;
    const auto revision = seat.revision;
    auto what = read_keys(where);
    auto answer = co_await ask(std::move(what));
    // What was read beside a write of ours may be from before or after it.
    if (!answer.ok() || resigned_ || changes != seat.changes) co_return false;
    auto seen = answer.of(where);
    if (!seen.leader && fit && lease_.holds(boot_now_us())) {
        auto lead = take_lead(where, name_, lease_.id);
        answer = co_await ask(std::move(lead));
        if (!answer.ok() || resigned_ || changes != seat.changes) co_return false;
        seen = answer.of(where);
    }
    take(seat, seen);
    if (seat.token && !fit) {
        auto go = give_up_lead(where, seat.token);
        seat.token = 0;
        seat.leader.clear();
        co_await ask(std::move(go));
    }
    co_return seat.leader != leader || seat.token != token || seat.revision != revision;
}

awaitable<bool> coordinator::round(std::set<std::uint64_t> clusters, std::set<std::uint64_t> fit) {
    const auto before = trouble_;
    bool news = false;
    co_await renew();
    for (const auto cluster : clusters) {
        if (resigned_ || !trouble_.empty()) break;
        news |= co_await look(cluster, fit.contains(cluster));
    }
    if (before != trouble_) {
        news = true;
        if (trouble_.empty())
            spdlog::info("ha: etcd answers");
        else
            spdlog::error("ha: etcd does not answer, nobody may act without it: {}", trouble_);
    }
    co_return news;
}

const cluster_seat* coordinator::seat(std::uint64_t cluster) const {
    const auto found = seats_.find(cluster);
    return found == seats_.end() ? nullptr : &found->second;
}

std::string coordinator::may_not_act(std::uint64_t cluster) const {
    if (resigned_) return "this Howdah is being stopped";
    const auto* known = seat(cluster);
    if (known && known->token && lease_.holds(boot_now_us())) return {};
    if (!trouble_.empty()) return "etcd does not answer: nobody may act: " + trouble_;
    if (known && known->token) return "this Howdah could not renew its lease in etcd in time";
    if (known && !known->leader.empty())
        return fmt::format("Howdah {} acts for this cluster", known->leader);
    return "no Howdah acts for this cluster yet";
}

std::string coordinator::sentence(std::uint64_t cluster) const {
    auto out = may_not_act(cluster);
    if (out.empty()) out = fmt::format("Howdah {}, this one, acts for this cluster", name_);
    return out;
}

awaitable<std::string> coordinator::write(std::uint64_t cluster, std::string text) {
    auto& seat = seats_[cluster];
    const auto where = keys(cluster);
    if (auto why = may_not_act(cluster); !why.empty()) co_return why;
    const auto token = seat.token;
    ++seat.changes;
    if (seat.uncertain) {
        auto what = read_keys(where);
        const auto answer = co_await ask(std::move(what));
        if (!answer.ok()) co_return "etcd: " + answer.error;
        const auto seen = answer.of(where);
        if (!seen.leader || seen.leader->create_revision != token) {
            seat.token = 0;
            co_return "another Howdah acts for this cluster now";
        }
        seat.revision = 0;
        if (seen.state) seat.revision = seen.state->mod_revision;
        ++seat.changes;
    }
    seat.uncertain = true;
    auto what = write_state(where, token, seat.revision, text);
    const auto answer = co_await ask(std::move(what));
    ++seat.changes;
    if (!answer.ok()) co_return "etcd: " + answer.error;
    if (!answer.succeeded)
        co_return "another Howdah has written to etcd, or acts for this cluster now";
    seat.uncertain = false;
    seat.revision = answer.revision;
    seat.state = std::move(text);
    co_return may_not_act(cluster);
}

void coordinator::resign() {
    if (std::exchange(resigned_, true) || lease_.id == 0) return;
    const auto id = lease_.id;
    lost_lease();
    struct revoking {
        static awaitable<void> run(etcd_client* client, std::int64_t lease) {
            auto what = revoke_lease(lease);
            co_await client->ask(std::move(what));
        }
    };
    try {
        boost::asio::io_context own;
        auto names = std::make_shared<monitor::resolver_cache>(own);
        etcd_client client(own, names, login_);
        protocol::task_gate task(own, [](std::exception_ptr) {});
        task.spawn(revoking::run(&client, id));
        own.run_for(login_.timeout);
    } catch (const std::exception& e) {
        spdlog::warn("ha: the lease in etcd could not be given up: {}", e.what());
    }
}

}  // namespace howdah::ha
