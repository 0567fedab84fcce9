#include "proxy/pool/pool.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/pool/retirement.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

/// Before a server is asked again that could not be connected to. A dead one refuses within
/// microseconds, and the monitor needs a moment to find that out.
constexpr std::chrono::milliseconds retry_pause{50};

// How often idle connections are aged and failed attempts repeated.
constexpr std::chrono::milliseconds housekeeping{100};
// How far down the stack of idle connections a match of settings is looked for.
constexpr std::size_t settings_search = 8;

}  // namespace

pool::pool(worker& w) : worker_(w), orphans_(w), drawn_(sql::statement_cache::random_key()) {}
pool::~pool() = default;

void pool::start() {
    worker_.wheel.arm(*this, housekeeping);
}
void pool::stop() {
    disarm();
}

const server_entry* pool::choose(std::span<const pool_book::candidate> candidates,
                                 const server_entry* avoid, std::uint64_t draw) const {
    if (worker_.now->vars().load_balance == conf::load_balance::least_connections)
        return choose_least_busy(candidates, avoid, busy_, draw);
    return choose_by_weight(candidates, avoid, draw);
}

std::uint32_t& pool::busy_count(const server_entry* server) {
    if (busy_.size() <= server->id) busy_.resize(server->id + 1);
    return busy_[server->id];
}

const server_entry* pool::choose(const server_wish& wish) {
    if (wish.only != nullptr) return wish.only;
    return choose(worker_.now->usable(wish.hostgroup), wish.avoid, draw());
}

server_ptr pool::take_idle(const server_entry* server, const pool_login* login,
                           const settings_ptr& settings) {
    const auto it = idle_.find({server, login});
    if (it == idle_.end() || it->second.empty()) return nullptr;
    std::vector<server_ptr>& stack = it->second;
    std::size_t chosen = stack.size() - 1;
    for (std::size_t i = 0; i < std::min(stack.size(), settings_search); ++i) {
        const std::size_t at = stack.size() - 1 - i;
        if (stack[at]->state().settings == settings) {
            chosen = at;
            break;
        }
    }
    server_ptr taken = std::move(stack[chosen]);
    stack.erase(stack.begin() + static_cast<std::ptrdiff_t>(chosen));
    idle_count_.fetch_sub(1);
    taken->begin_use(busy_count(server));
    return taken;
}

server_ptr pool::try_take(const server_wish& wish, const pool_login* login,
                          const settings_ptr& settings) {
    if (worker_.shared.book.waiting() > 0 && worker_.shared.book.anyone_waits_in(wish.hostgroup))
        return nullptr;
    const server_entry* server = choose(wish);
    if (server == nullptr || server == wish.avoid) return nullptr;
    const pool_login* as = login_in(wish.hostgroup, login);
    server_ptr taken = take_idle(server, as, settings);
    if (taken) note_use(wish.hostgroup, server, as);
    return taken;
}

void pool::wait(server_waiter& who, const server_wish& wish, const pool_login* login) {
    // A connection of its own does not begin as others do.
    const pool_login* as = wish.own != nullptr ? login : login_in(wish.hostgroup, login);
    pool_book::queued q =
        worker_.shared.book.enqueue(wish.hostgroup, as, worker_.index, choose(wish), wish.avoid,
                                    wish.only, wish.own != nullptr);
    who.ticket_ = q.ticket;
    who.attempts_ = 0;
    who.only_ = wish.only != nullptr;
    who.own_ = wish.own;
    who.last_failure_.clear();
    waiters_.emplace(q.ticket, &who);
    if (q.open) {
        dispatch(*q.open);
        return;
    }
    // No permit is left: an idle connection may be, here or with another worker.
    ask_for_idle();
}

void pool::ask_for_idle() {
    for (worker* other : worker_.shared.workers) {
        if (other->servers.idle_count() > 0)
            boost::asio::post(other->io, [other] { other->servers.offer_idle(); });
    }
}

void pool::forget(server_waiter& who) {
    if (who.ticket_ == 0) return;
    // Served already: the connection is on its way and will find nobody (deliver).
    (void)worker_.shared.book.cancel(who.ticket_);
    waiters_.erase(who.ticket_);
    who.ticket_ = 0;
    who.hold_.leave();
}

void pool::dispatch(const pool_book::open_order& order) {
    if (order.worker == worker_.index) {
        carry_out(order);
        return;
    }
    worker* other = worker_.shared.workers[order.worker];
    boost::asio::post(other->io, [other, order] { other->servers.carry_out(order); });
}

boost::asio::awaitable<void> pool::dispatch_later(pool_book::open_order order) {
    boost::asio::steady_timer pause(worker_.io, retry_pause);
    co_await pause.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (worker_.now->is_usable(order.server)) {
        dispatch(order);
        co_return;
    }
    // It was replaced meanwhile: whom it was for may use the new one.
    const auto result = worker_.shared.book.open_failed(order.ticket, order.server);
    if (result.other) dispatch(*result.other);
    if (result.retry) {
        dispatch(*result.retry);
    } else if (result.still_waiting) {
        retry_.push_back(order.ticket);
    }
}

void pool::carry_out(const pool_book::open_order& order) {
    if (!may_open(order)) return;
    worker_.gate.spawn(order.own ? open_own(order) : open(order));
}

boost::asio::awaitable<void> pool::open(pool_book::open_order order) {
    server_login_request request = worker_.server_login(order.server, order.login);
    server_login_result result =
        co_await log_in_to_server(worker_.io, worker_.buffers, worker_.wheel, std::move(request));
    if (auto* parts = std::get_if<server_connection::parts>(&result)) {
        count_opened(order.server);
        note_use(order.hostgroup, order.server, order.login);
        worker_.shared.book.opened(order.ticket);
        server_ptr fresh(new server_connection(std::move(*parts), worker_.buffers, *this));
        hand_out(std::move(fresh), true);
        // If it went to an older waiter, or its server changed roles meanwhile, the ticket that it
        // was opened for still needs one.
        if (const auto again = worker_.shared.book.order_again(order.ticket)) dispatch(*again);
    } else {
        open_failed(order, std::get<server_login_error>(result));
    }
}

boost::asio::awaitable<void> pool::open_own(pool_book::open_order order) {
    const auto waiter = waiters_.find(order.ticket);
    if (waiter == waiters_.end()) {
        return_permit(order.server);
        co_return;
    }
    server_login_request request = worker_.server_login(order.server, order.login);
    request.parameters = *waiter->second->own_;
    server_login_result result =
        co_await log_in_to_server(worker_.io, worker_.buffers, worker_.wheel, std::move(request));
    auto* parts = std::get_if<server_connection::parts>(&result);
    if (parts == nullptr) {
        open_failed(order, std::get<server_login_error>(result));
        co_return;
    }
    count_opened(order.server);
    server_ptr fresh(new server_connection(std::move(*parts), worker_.buffers, *this));
    if (worker_.shared.book.cancel(order.ticket)) {
        deliver(order.ticket, std::move(fresh));
    } else {
        discard(std::move(fresh));
    }
}

void pool::count_opened(const server_entry* server) {
    ++worker_.counters.server_connections_created;
    ++worker_.server_traffic.connections[server].opened;
}

void pool::count_failed(const server_entry* server, const server_login_error& why) {
    ++worker_.counters.server_connections_failed;
    ++worker_.server_traffic.connections[server].failed;
    if (why.server_fault && !why.full) worker_.report_failure(server, why.message);
}

void pool::open_failed(const pool_book::open_order& order, const server_login_error& why) {
    count_failed(order.server, why);
    if (why.full) spdlog::warn("{}; the client waits", why.message);
    pool_book::failure_result result = worker_.shared.book.open_failed(order.ticket, order.server);
    const bool dead = why.server_fault && !why.full;
    if (result.other && dead) {
        // It would be refused as well, at once, and then this one again.
        worker_.gate.spawn(dispatch_later(*result.other));
    } else if (result.other) {
        dispatch(*result.other);
    }
    if (!result.still_waiting) return;
    const auto it = waiters_.find(order.ticket);
    if (it == waiters_.end()) return;
    server_waiter& who = *it->second;
    who.last_failure_ = why.message;
    // Who needs a connection of its own hears what the server says at once: that it has too many
    // replication connections does not change because others leave.
    const bool refused = order.own && !why.raw.empty();
    const bool hopeless = refused || !why.server_fault ||
                          ++who.attempts_ > worker_.now->vars().connect_retries_on_failure;
    // A full server is not a failed attempt: somebody will leave.
    if (!hopeless && !why.full && who.only_ && who.on_attempt_failed(order.server)) {
        if (result.retry) return_permit(result.retry->server);
        return;
    }
    if (!hopeless || (why.full && !refused)) {
        if (result.retry) {
            worker_.gate.spawn(dispatch_later(*result.retry));
        } else {
            retry_.push_back(order.ticket);
            ask_for_idle();
        }
        return;
    }
    if (result.retry) return_permit(result.retry->server);
    forget(who);
    who.on_no_server(why);
}

void pool::return_permit(const server_entry* server) {
    if (const auto order = worker_.shared.book.closed(server)) dispatch(*order);
}

bool pool::pass_on(server_ptr& connection, bool just_opened) {
    const pool_book::claim_result claim =
        worker_.shared.book.claim(connection->server(), connection->login(), just_opened);
    switch (claim.action) {
        case pool_book::claim_result::what::keep:
            return false;
        case pool_book::claim_result::what::serve: {
            if (claim.worker == worker_.index) {
                boost::asio::post(
                    worker_.io, [this, ticket = claim.ticket, c = std::move(connection)]() mutable {
                        deliver(ticket, std::move(c));
                    });
                return true;
            }
            worker* other = worker_.shared.workers[claim.worker];
            server_connection::parts parts = std::move(connection->state());
            connection->close();
            connection.reset();
            parts.stream = std::move(parts.stream).move_to(other->io);
            boost::asio::post(other->io,
                              [other, ticket = claim.ticket, p = std::move(parts)]() mutable {
                                  other->servers.receive(ticket, std::move(p));
                              });
            return true;
        }
        case pool_book::claim_result::what::replace:
            connection->close();
            connection.reset();
            if (claim.open) dispatch(*claim.open);
            return true;
    }
    return false;
}

void pool::receive(pool_book::ticket_id ticket, server_connection::parts parts) {
    server_ptr moved(new server_connection(std::move(parts), worker_.buffers, *this));
    deliver(ticket, std::move(moved));
}

void pool::deliver(pool_book::ticket_id ticket, server_ptr connection) {
    const auto it = waiters_.find(ticket);
    // It may have been closed by the server, and discarded, while it was on its way.
    if (connection->closed()) connection.reset();
    if (it == waiters_.end()) {
        if (connection) release(std::move(connection));
        return;
    }
    server_waiter& who = *it->second;
    waiters_.erase(it);
    who.ticket_ = 0;
    who.hold_.leave();
    if (connection) connection->begin_use(busy_count(connection->server()));
    who.on_server(std::move(connection));
}

void pool::release(server_ptr connection) {
    hand_out(std::move(connection), false);
}

void pool::hand_out(server_ptr connection, bool just_opened) {
    connection->end_use();
    if (!connection->clean() || connection->closed() ||
        !worker_.now->is_usable(connection->server()) || unwanted(*connection)) {
        discard(std::move(connection));
        return;
    }
    connection->set_owner(*this);
    if (*connection->state().cancels > 0) {
        parked_.push_back(std::move(connection));
        return;
    }
    if (is_over(connection->state().since, std::chrono::steady_clock::now(),
                worker_.now->vars().connection_max_age_ms)) {
        discard(std::move(connection));
        return;
    }
    if (!connection->in.empty() && !process_idle_input(*connection)) {
        discard(std::move(connection));
        return;
    }
    if (!connection->in.empty()) {
        // Half a message: it could not be moved to another worker.
        discard(std::move(connection));
        return;
    }
    if (worker_.shared.book.waiting() > 0 && pass_on(connection, just_opened)) return;
    keep(std::move(connection));
}

void pool::keep(server_ptr connection) {
    connection->state().idle_since = worker_.coarse_now;
    connection->want_read();
    server_connection& kept = *connection;
    idle_[{kept.server(), kept.login()}].push_back(std::move(connection));
    idle_count_.fetch_add(1);
    // Somebody may have begun to wait after pass_on looked; one of the two sees the other.
    if (worker_.shared.book.waiting() > 0) offer_idle();
}

void pool::offer_idle() {
    if (worker_.shared.book.waiting() == 0) return;
    for (auto& [k, stack] : idle_) {
        while (!stack.empty() && worker_.shared.book.waiting() > 0) {
            server_ptr connection = stack.back();
            if (!pass_on(connection, false)) break;
            stack.pop_back();
            idle_count_.fetch_sub(1);
        }
    }
}

void pool::remove_idle(server_connection& connection) {
    const auto it = idle_.find({connection.server(), connection.login()});
    if (it == idle_.end()) return;
    const auto found = std::find_if(it->second.begin(), it->second.end(),
                                    [&](const server_ptr& p) { return p.get() == &connection; });
    if (found == it->second.end()) return;
    it->second.erase(found);
    idle_count_.fetch_sub(1);
}

void pool::discard(server_ptr connection) {
    const server_entry* server = connection->server();
    connection->close();
    connection.reset();
    return_permit(server);
}

void pool::close_idle_if(const std::function<bool(server_connection&)>& chosen) {
    std::vector<server_ptr> closing;
    for (auto& [k, stack] : idle_) {
        const auto kept = std::stable_partition(stack.begin(), stack.end(),
                                                [&](const server_ptr& p) { return !chosen(*p); });
        idle_count_.fetch_sub(static_cast<int>(stack.end() - kept));
        std::move(kept, stack.end(), std::back_inserter(closing));
        stack.erase(kept, stack.end());
    }
    for (server_ptr& p : closing)
        discard(std::move(p));
}

void pool::close_idle(const server_entry* server) {
    close_idle_if([=](const server_connection& c) { return c.server() == server; });
    orphans_.close(server);
}

void pool::close_idle(std::string_view database) {
    close_idle_if([=](const server_connection& c) { return c.login()->database == database; });
}

void pool::close_unwanted() {
    close_idle_if([this](server_connection& c) { return unwanted(c); });
}

void pool::close_all_idle() {
    close_idle_if([](const server_connection&) { return true; });
    orphans_.close(nullptr);
}

bool pool::unwanted(server_connection& connection) const {
    return worker_.now->orders.unwanted(*connection.login(), *connection.server(),
                                        connection.state().since) ||
           !worker_.now->wants(*connection.login(), *connection.server()) ||
           worker_.now->server_database(connection.login()->database) !=
               connection.state().database;
}

std::size_t pool::count_idle(const traffic_scope& scope) const {
    std::size_t n = orphans_.count(scope);
    for (const auto& [k, stack] : idle_)
        if (scope.covers(*k.login, *k.server)) n += stack.size();
    for (const server_ptr& p : parked_)
        if (scope.covers(*p->login(), *p->server())) ++n;
    return n;
}

std::vector<idle_report> pool::report_idle() const {
    const auto now = std::chrono::steady_clock::now();
    std::vector<idle_report> out;
    for (const auto& [where, connections] : idle_)
        for (const server_ptr& c : connections)
            out.push_back({where.server, where.login->plain, c->state().pid,
                           now - c->state().idle_since, where.login->init.get()});
    return out;
}

void pool::cancel(server_connection& connection) {
    ++*connection.state().cancels;
    worker_.gate.spawn(run_cancel(connection.server(), connection.state().pid,
                                  connection.state().cancel_key, connection.state().cancels));
}

boost::asio::awaitable<void> pool::run_cancel(const server_entry* server, std::int32_t pid,
                                              std::string secret, std::shared_ptr<int> cancels) {
    const auto limit = worker_.now->vars().connect_timeout_server;
    std::string address = worker_.now->address_of(*server);
    co_await send_cancel(worker_.io, worker_.wheel, server, std::move(address), pid,
                         std::move(secret), limit);
    if (--*cancels > 0) co_return;
    std::vector<server_ptr> parked = std::exchange(parked_, {});
    for (server_ptr& p : parked)
        release(std::move(p));
}

bool pool::process_idle_input(server_connection& connection) {
    for (;;) {
        const std::string_view data = connection.in.data();
        const auto f = protocol::peek_frame(data);
        if (!f) return true;
        if (!f->valid() || f->size() > protocol::buffer_pool::chunk_size) return false;
        if (data.size() < f->size()) return true;
        const std::string_view body = data.substr(protocol::frame_header_size, f->body_size());
        if (f->type == 'S') {
            if (const auto p = protocol::parse_parameter_status(body))
                connection.state().parameters.set(p->name, p->value);
        } else if (f->type != 'N' && f->type != 'A') {
            return false;
        }
        connection.in.consume(f->size());
    }
}

void pool::on_server_readable(server_connection& from) {
    const server_ptr guard(&from);
    const std::span<char> space = from.in.prepare(protocol::buffer_pool::chunk_size);
    const protocol::io_result got = from.stream().read(space.data(), space.size());
    bool alive = !got.closed();
    if (got.ok()) {
        from.in.commit(got.bytes);
        alive = process_idle_input(from);
    }
    if (from.in.empty()) from.in.reset();
    if (alive) {
        from.want_read();
        return;
    }
    const auto parked = std::find(parked_.begin(), parked_.end(), guard);
    if (parked != parked_.end()) {
        parked_.erase(parked);
    } else {
        remove_idle(from);
    }
    worker_.report_failure(from.server(), "an idle connection was closed by the server");
    discard(guard);
}

void pool::on_server_writable(server_connection&) {}

void pool::on_deadline() {
    worker_.wheel.arm(*this, housekeeping);
    worker_.coarse_now = std::chrono::steady_clock::now();
    const std::vector<pool_book::ticket_id> due = std::exchange(retry_, {});
    for (const pool_book::ticket_id ticket : due) {
        if (!waiters_.contains(ticket)) continue;
        if (const auto order = worker_.shared.book.order_again(ticket)) {
            dispatch(*order);
        } else {
            retry_.push_back(ticket);
        }
    }
    open_throttled();
    warm_up();
    close_surplus();
    const conf::variables& vars = worker_.now->vars();
    if (vars.server_idle_timeout_ms.count() == 0 && vars.connection_max_age_ms.count() == 0) return;
    std::vector<server_ptr> old;
    for (auto& [k, stack] : idle_) {
        const auto retired = std::stable_partition(stack.begin(), stack.end(), [&](const auto& p) {
            const server_connection::parts& state = p->state();
            return !is_over(state.idle_since, worker_.coarse_now, vars.server_idle_timeout_ms) &&
                   !is_over(state.since, worker_.coarse_now, vars.connection_max_age_ms);
        });
        idle_count_.fetch_sub(static_cast<int>(stack.end() - retired));
        std::move(retired, stack.end(), std::back_inserter(old));
        stack.erase(retired, stack.end());
    }
    for (server_ptr& p : old)
        discard(std::move(p));
}

}  // namespace howdah::proxy
