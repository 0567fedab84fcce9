#include "proxy/worker.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/client_login.hpp"
#include "proxy/worker_client.hpp"

namespace howdah::proxy {
namespace {

/// So many clients in a row have to find a descriptor before the scarcity is over: each connection
/// that ends makes room for one, and saying so each time would fill the log.
constexpr int end_of_scarcity = 16;

/// The client gets to know before it has said anything, so as not to wait.
void turn_away(protocol::stream_socket socket) {
    protocol::stream s(std::move(socket));
    std::string out;
    protocol::append_error(out, protocol::severity::fatal, protocol::sqlstate::too_many_connections,
                           "sorry, too many clients already",
                           "Howdah has hardly any file descriptors left.");
    const iovec part{out.data(), out.size()};
    (void)s.write(&part, 1);
}

void log_escaped(std::exception_ptr error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& e) {
        spdlog::error("a connection task ended with an unexpected error: {}", e.what());
    }
}

protocol::sslmode to_sslmode(conf::server_sslmode mode) {
    switch (mode) {
        case conf::server_sslmode::disable:
            return protocol::sslmode::disable;
        case conf::server_sslmode::allow:
            return protocol::sslmode::allow;
        case conf::server_sslmode::prefer:
            return protocol::sslmode::prefer;
        case conf::server_sslmode::require:
            return protocol::sslmode::require;
        case conf::server_sslmode::verify_ca:
            return protocol::sslmode::verify_ca;
        case conf::server_sslmode::verify_full:
            return protocol::sslmode::verify_full;
    }
    return protocol::sslmode::prefer;
}

sql::statement_cache::options cache_options(const conf::variables& vars) {
    sql::statement_cache::options options;
    options.capacity = vars.max_stmts_cache;
    return options;
}

}  // namespace

worker::worker(unsigned i, process& p, snapshot_ptr first)
    : index(i),
      shared(p),
      wheel(io),
      gate(io, log_escaped),
      statements(cache_options(first->vars())),
      now(std::move(first)),
      servers(*this),
      work_(io.get_executor()) {}

worker::~worker() = default;

void worker::run() {
    servers.start();
    for (;;) {
        try {
            io.run();
            return;
        } catch (const std::exception& e) {
            // Out of memory in one session's event is no reason to end all others; what it had
            // collected must not go to their peers.
            spdlog::error("an event handler failed: {}", e.what());
            to_client.clear();
            to_server.clear();
            const auto failed = clients_.find(active);
            if (failed != clients_.end())
                failed->second->terminate("XX000", "internal error while handling this connection");
        }
    }
}

std::vector<boost::intrusive_ptr<worker_client>> worker::all_clients() const {
    std::vector<boost::intrusive_ptr<worker_client>> all;
    all.reserve(clients_.size());
    for (const auto& [pid, c] : clients_)
        all.emplace_back(c);
    return all;
}

void worker::publish(snapshot_ptr fresh) {
    boost::asio::post(io, [this, fresh = std::move(fresh)] {
        now = fresh;
        cache.shrink(cache_capacity());
        servers.close_unwanted();
        if (shared.book.waiting() == 0) return;
        for (const auto& c : all_clients())
            c->on_snapshot();
    });
}

void worker::server_dead(const server_entry* server) {
    boost::asio::post(io, [this, server] {
        servers.close_idle(server);
        mirrors.close(server);
        for (const auto& c : all_clients())
            c->on_server_dead(server);
    });
}

void worker::kill(const traffic_scope& scope) {
    boost::asio::post(io, [this, scope] { end_clients(scope); });
}

void worker::end_clients(const traffic_scope& scope) {
    for (const auto& c : all_clients())
        if (c->is_covered_by(scope))
            c->terminate(protocol::sqlstate::admin_shutdown,
                         "terminating connection due to administrator command");
}

void worker::end_client(std::int32_t pid, bool end, std::function<void(bool)> done) {
    boost::asio::post(io, [this, pid, end, done = std::move(done)] {
        const auto it = clients_.find(pid);
        const bool found = it != clients_.end();
        if (found && end) {
            const boost::intrusive_ptr<worker_client> kept(it->second);
            kept->terminate(protocol::sqlstate::admin_shutdown,
                            "terminating connection due to administrator command");
        } else if (found) {
            it->second->cancel_running();
        }
        done(found);
    });
}

void worker::count_servers(const traffic_scope& scope, std::function<void(std::size_t)> done) {
    boost::asio::post(io, [this, scope, done = std::move(done)] {
        std::size_t n = servers.count_idle(scope) + mirrors.count(scope);
        for (const auto& [pid, c] : clients_)
            if (c->holds_server(scope)) ++n;
        done(n);
    });
}

/// A report under way.
struct worker::reporting {
    std::vector<std::int32_t> pids;
    std::size_t at = 0;
    std::vector<client_report> out;
    std::function<void(std::vector<client_report>)> done;
};

void worker::report_clients(std::function<void(std::vector<client_report>)> done) {
    boost::asio::post(io, [this, done = std::move(done)]() mutable {
        auto r = std::make_shared<reporting>();
        r->done = std::move(done);
        r->pids.reserve(clients_.size());
        for (const auto& [pid, c] : clients_)
            r->pids.push_back(pid);
        report_some(std::move(r));
    });
}

void worker::report_some(std::shared_ptr<reporting> r) {
    constexpr std::size_t at_once = 200;
    const std::size_t end = std::min(r->at + at_once, r->pids.size());
    for (; r->at < end; ++r->at) {
        const auto it = clients_.find(r->pids[r->at]);
        if (it == clients_.end()) continue;
        r->out.push_back(it->second->report());
        r->out.back().worker = index;
    }
    if (r->at == r->pids.size()) {
        r->done(std::move(r->out));
        return;
    }
    boost::asio::post(io, [this, r = std::move(r)]() mutable { report_some(std::move(r)); });
}

void worker::on_thread(std::function<void(worker&)> what) {
    boost::asio::post(io, [this, what = std::move(what)] { what(*this); });
}

worker_counters worker::all_counters() const {
    worker_counters all = counters;
    all.cache = cache.counters();
    all.mirror = mirrors.counters();
    return all;
}

std::size_t worker::cache_capacity() const {
    const std::size_t all = std::size_t{now->vars().query_cache_size_mb} << 20;
    return all / std::max<std::size_t>(1, shared.workers.size());
}

void worker::leave_database(const std::string& database) {
    boost::asio::post(io, [this, database] { servers.close_idle(database); });
}

void worker::publish_positions(std::shared_ptr<const wal_view> fresh) {
    boost::asio::post(io, [this, fresh = std::move(fresh)]() mutable {
        positions = std::move(fresh);
        for (const std::int32_t pid : std::exchange(sample_waiters_, {})) {
            const auto it = clients_.find(pid);
            if (it != clients_.end()) it->second->on_sample();
        }
    });
}

void worker::await_sample(std::int32_t pid) {
    sample_waiters_.insert(pid);
}

void worker::listen(int fd) {
    auto on_accept = [this](protocol::stream_socket socket) { accepted(std::move(socket)); };
    auto on_error = [](const boost::system::error_code& ec) {
        if (ec) {
            spdlog::error("cannot accept connections: {}; new clients wait", ec.message());
        } else {
            spdlog::info("connections are accepted again");
        }
    };
    listeners_.push_back(
        std::make_unique<protocol::listener>(io, fd, std::move(on_accept), std::move(on_error)));
    listeners_.back()->start();
}

void worker::accepted(protocol::stream_socket socket) {
    // The lowest free number is taken: such a high one means that hardly any is left, and those
    // that have logged in need them for their servers.
    const int highest = shared.client_descriptors;
    const bool scarce = socket.native_handle() >= highest;
    if (scarce) {
        found_room_ = 0;
        if (!std::exchange(descriptors_scarce_, true))
            spdlog::error(
                "out of file descriptors: refusing clients; raise LimitNOFILE (systemd) or ulimit "
                "-n");
        ++counters.clients_over_limit;
        turn_away(std::move(socket));
        return;
    }
    if (descriptors_scarce_ && ++found_room_ >= end_of_scarcity) {
        descriptors_scarce_ = false;
        spdlog::info("enough file descriptors again: clients are accepted");
    }
    ++logins_;
    gate.spawn(log_in_client(*this, std::move(socket)));
}

void worker::drain(std::function<void()> on_empty) {
    boost::asio::post(io, [this, on_empty = std::move(on_empty)]() mutable {
        draining_ = true;
        on_empty_ = std::move(on_empty);
        for (auto& l : listeners_)
            l->stop();
        for (const auto& c : all_clients())
            c->drain();
        finish_drain_if_empty();
    });
}

void worker::stop_listening(std::function<void()> on_empty) {
    boost::asio::post(io, [this, on_empty = std::move(on_empty)]() mutable {
        waits_for_end_ = true;
        on_empty_ = std::move(on_empty);
        for (auto& l : listeners_)
            l->stop();
        finish_drain_if_empty();
    });
}

void worker::login_ends() {
    --logins_;
    finish_drain_if_empty();
}

void worker::finish_drain_if_empty() {
    if (waits_for_end_ && !draining_ && clients_.empty() && logins_ == 0 && on_empty_)
        std::exchange(on_empty_, nullptr)();
    if (!draining_ || ending_last_) return;
    const bool only_last = std::ranges::all_of(
        clients_, [](const auto& entry) { return entry.second->leaves_last(); });
    if (!only_last) return;
    ending_last_ = true;
    end_clients({});
    if (on_empty_) std::exchange(on_empty_, nullptr)();
}

void worker::stop() {
    boost::asio::post(io, [this] {
        draining_ = true;
        on_empty_ = nullptr;
        for (auto& l : listeners_)
            l->stop();
        end_clients({});
        mirrors.stop();
        servers.close_all_idle();
        servers.stop();
        wheel.stop();
        work_.reset();
        io.stop();
    });
}

void process::cancel_client(std::int32_t pid, std::string_view key) const {
    if (pid <= 0) return;
    // The worker is encoded in the pid (worker::enroll).
    workers[static_cast<std::size_t>(pid) % workers.size()]->cancel_client(pid, std::string(key));
}

void worker::cancel_client(std::int32_t pid, std::string key) {
    boost::asio::post(io, [this, pid, key = std::move(key)] {
        const auto it = clients_.find(pid);
        if (it != clients_.end()) it->second->cancel(key);
    });
}

std::int32_t worker::enroll(worker_client& c) {
    const auto count = static_cast<std::uint32_t>(shared.workers.size());
    const std::uint32_t limit =
        static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max()) / count - 1;
    for (;;) {
        next_pid_ = next_pid_ % limit + 1;
        const auto pid = static_cast<std::int32_t>(next_pid_ * count + index);
        if (clients_.try_emplace(pid, &c).second) {
            if (draining_) c.drain();
            return pid;
        }
    }
}

void worker::leave(std::int32_t pid) {
    clients_.erase(pid);
    sample_waiters_.erase(pid);
    finish_drain_if_empty();
}

void worker::report_failure(const server_entry* server, const std::string& why) {
    spdlog::debug("server {}: {}", monitor::to_string(server->at), why);
    shared.report_failure(server->at);
}

server_login_request worker::server_login(const server_entry* server,
                                          const pool_login* login) const {
    const conf::variables& vars = now->vars();
    server_login_request r;
    r.server = server;
    r.login = login;
    r.database = now->server_database(login->database);
    r.address = now->address_of(*server);
    const conf::user* user = now->find_user(login->user);
    const std::optional<std::string> known = user != nullptr
                                                 ? user->server_password.value_or(user->password)
                                                 : shared.found.password(login->user);
    if (known) {
        const std::string& configured = *known;
        r.password = configured;
        r.keys = shared.secrets.keys(login->user, configured);
        r.on_keys = [this, login, configured](const protocol::scram_keys& keys) {
            shared.secrets.remember_keys(login->user, configured, keys);
        };
    }
    // A hash cannot be sent as a password; md5 hashes still serve md5 servers.
    if (protocol::parse_verifier(r.password)) r.password.clear();
    r.ssl = to_sslmode(vars.server_sslmode);
    for (const auto& m : now->hostgroups->members)
        if (m.at == server->at && m.use_ssl != 0 && r.ssl < protocol::sslmode::require)
            r.ssl = protocol::sslmode::require;
    r.tls = now->server_tls;
    r.timeout = vars.connect_timeout_server;
    r.keepalive_seconds =
        vars.use_tcp_keepalive ? static_cast<int>(vars.tcp_keepalive_time.count()) : 0;
    r.no_settings = shared.settings.none();
    if (login->init) {
        r.parameters = login->init->parameters;
        r.statements = login->init->statements;
    }
    return r;
}

}  // namespace howdah::proxy
