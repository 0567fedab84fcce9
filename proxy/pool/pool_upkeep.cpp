#include <algorithm>

#include "proxy/pool/pool.hpp"
#include "proxy/worker.hpp"

// What hostgroup_attributes say of connections: how they begin, how many are opened and when, and
// how many are kept.
namespace howdah::proxy {
namespace {

// Of connections that were used within this time the pool has none too many: they come and go with
// the load.
constexpr std::chrono::seconds unused_for{1};
constexpr std::uint32_t unthrottled = 1'000'000;

}  // namespace

const pool_login* pool::login_in(int hostgroup, const pool_login* login) {
    const auto& policies = worker_.now->policies;
    if (!policies->any_init()) return login;
    const hostgroup_policy* policy = policies->find(hostgroup);
    if (policy == nullptr || !policy->init) return login;
    if (logins_by_ != policies) {
        logins_in_.clear();
        logins_by_ = policies;
    }
    const pool_login*& known = logins_in_[{hostgroup, login}];
    if (known == nullptr) known = worker_.shared.names.login(login, policy->init);
    return known;
}

bool pool::may_open(const pool_book::open_order& order) {
    const hostgroup_policy* policy = worker_.now->policy(order.hostgroup);
    if (policy == nullptr) return true;
    const std::uint32_t rate = policy->configured.throttle_connections_per_sec;
    if (rate >= unthrottled ||
        worker_.shared.throttle.take(order.hostgroup, rate, std::chrono::steady_clock::now()))
        return true;
    throttled_.push_back(order);
    // Another worker may have what this one must not open yet.
    ask_for_idle();
    return false;
}

void pool::open_throttled() {
    for (const pool_book::open_order& order : std::exchange(throttled_, {})) {
        if (waiters_.contains(order.ticket)) {
            carry_out(order);
        } else {
            // Served meanwhile by a connection that became free.
            return_permit(order.server);
        }
    }
}

void pool::note_use(int hostgroup, const server_entry* server, const pool_login* login) {
    const hostgroup_policy* policy = worker_.now->policy(hostgroup);
    if (policy != nullptr && policy->configured.connection_warming)
        to_warm_.emplace(hostgroup, server, login);
}

void pool::warm_up() {
    std::erase_if(to_warm_, [this](const auto& entry) {
        const auto& [hostgroup, server, login] = entry;
        const hostgroup_policy* policy = worker_.now->policy(hostgroup);
        const auto& usable = worker_.now->usable(hostgroup);
        const auto here = std::ranges::find(usable, server, &pool_book::candidate::server);
        if (policy == nullptr || !policy->configured.connection_warming || here == usable.end() ||
            !worker_.now->wants(*login, *server))
            return true;
        const std::uint32_t rate = policy->configured.throttle_connections_per_sec;
        // Those who wait come first: then there is no permit to spare.
        if (!worker_.shared.book.reserve_spare(server, policy->idle_share(here->max_connections)))
            return true;
        if (rate < unthrottled &&
            !worker_.shared.throttle.take(hostgroup, rate, std::chrono::steady_clock::now())) {
            return_permit(server);
            return false;
        }
        worker_.gate.spawn(open_spare(server, login));
        return false;
    });
}

boost::asio::awaitable<void> pool::open_spare(const server_entry* server, const pool_login* login) {
    server_login_request request = worker_.server_login(server, login);
    server_login_result result =
        co_await log_in_to_server(worker_.io, worker_.buffers, worker_.wheel, std::move(request));
    if (auto* parts = std::get_if<server_connection::parts>(&result)) {
        count_opened(server);
        server_ptr fresh(new server_connection(std::move(*parts), worker_.buffers, *this));
        hand_out(std::move(fresh), true);
        co_return;
    }
    const auto& why = std::get<server_login_error>(result);
    count_failed(server, why);
    // Whoever uses it next tries again.
    std::erase_if(to_warm_, [&](const auto& entry) { return std::get<1>(entry) == server; });
    return_permit(server);
}

void pool::close_surplus() {
    for (const auto& [server, most] : worker_.now->kept_idle) {
        const auto is_unused = [this, which = server](server_connection& c) {
            return c.server() == which && worker_.coarse_now - c.state().idle_since >= unused_for;
        };
        std::uint32_t unused = 0;
        for (const auto& [k, stack] : idle_)
            unused += static_cast<std::uint32_t>(
                std::ranges::count_if(stack, [&](const server_ptr& p) { return is_unused(*p); }));
        std::uint32_t closing = worker_.shared.book.surplus(server, worker_.index, unused, most);
        if (closing == 0) continue;
        close_idle_if([&](server_connection& c) {
            if (closing == 0 || !is_unused(c)) return false;
            --closing;
            return true;
        });
    }
}

}  // namespace howdah::proxy
