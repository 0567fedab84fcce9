#include "proxy/app.hpp"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <map>
#include <stdexcept>

#include "admin/ha/store.hpp"
#include "conf/loader.hpp"
#include "conf/reload.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/logging.hpp"
#include "proxy/session/client_identity.hpp"
#include "proxy/session/session.hpp"
#include "proxy/systemd.hpp"

namespace howdah::proxy {
namespace {

protocol::tls_context client_tls_of(const conf::variables& vars) {
    if (vars.client_sslmode == conf::client_sslmode::disable || vars.ssl_cert.empty())
        return nullptr;
    return protocol::make_server_tls({vars.ssl_cert, vars.ssl_key, vars.ssl_ca, vars.ssl_crl,
                                      vars.ssl_min_protocol_version == conf::tls_version::tls_1_3});
}

std::shared_ptr<const client_rules> client_access_of(const conf::settings& settings) {
    return std::make_shared<const client_rules>(settings.hba_rules, settings.user_maps,
                                                local_networks);
}

protocol::tls_context server_tls_of(const conf::variables& vars) {
    auto mode = protocol::sslmode::prefer;
    if (vars.server_sslmode == conf::server_sslmode::verify_ca) mode = protocol::sslmode::verify_ca;
    if (vars.server_sslmode == conf::server_sslmode::verify_full)
        mode = protocol::sslmode::verify_full;
    return protocol::make_client_tls(
        {vars.ssl_p2s_cert, vars.ssl_p2s_key, vars.ssl_p2s_ca, vars.ssl_p2s_crl}, mode);
}

/// Descriptors that clients leave to server connections, the monitor and files.
constexpr rlim_t reserved_descriptors = 64;

/// How long clients are kept waiting at the start for the servers' roles.
constexpr std::chrono::seconds role_wait{3};

/// Every client and every server connection is a descriptor; the usual soft limit of 1024 is for
/// programs that use select(). Returns how high a client's may be.
int raise_descriptor_limit(const conf::variables& vars) {
    constexpr rlim_t highest = std::numeric_limits<int>::max();
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return highest;
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < vars.max_connections)
        spdlog::warn(
            "max_connections is {}, but the system allows only {} open files: raise "
            "LimitNOFILE (systemd) or ulimit -n",
            vars.max_connections, limit.rlim_cur);
    const rlim_t all = std::min(limit.rlim_cur, highest);
    return static_cast<int>(all - std::min<rlim_t>(all / 4, reserved_descriptors));
}

bool same_rules(const conf::settings& a, const conf::settings& b) {
    return a.query_rules == b.query_rules && a.fast_routes == b.fast_routes &&
           a.firewall_users == b.firewall_users && a.firewall_rules == b.firewall_rules &&
           a.vars.firewall_whitelist_enabled == b.vars.firewall_whitelist_enabled &&
           a.vars.firewall_whitelist_errormsg == b.vars.firewall_whitelist_errormsg &&
           a.vars.query_processor_iterations == b.vars.query_processor_iterations;
}

unsigned worker_count(const conf::variables& vars) {
    const unsigned wanted =
        vars.threads != 0 ? vars.threads : std::max(1U, std::thread::hardware_concurrency());
    return std::min(wanted, worker::max_workers);
}

}  // namespace

void check_resources(const conf::settings& settings) {
    (void)client_tls_of(settings.vars);
    (void)server_tls_of(settings.vars);
    const compiled_rules rules(settings);
    const hostgroup_policies policies(settings);
    (void)client_access_of(settings);
}

app::app(std::shared_ptr<const conf::settings> settings, std::vector<std::string> command,
         std::vector<std::string> started_from_disk)
    : settings_(std::move(settings)),
      signals_(control_, SIGTERM, SIGINT, SIGHUP),
      drain_limit_(control_),
      accept_timer_(control_),
      client_tls_(client_tls_of(settings_->vars)),
      server_tls_(server_tls_of(settings_->vars)),
      rules_(std::make_shared<const compiled_rules>(*settings_)),
      policies_(std::make_shared<const hostgroup_policies>(*settings_)),
      client_access_(client_access_of(*settings_)),
      hostgroups_(std::make_shared<const monitor::hostgroups>()),
      monitor_(control_, settings_,
               {[this](std::shared_ptr<const monitor::hostgroups> fresh) {
                    const auto before = std::exchange(hostgroups_, std::move(fresh));
                    publish();
                    replace_connections_to_old_addresses(*before);
                    sampler_.servers_changed();
                    if (hostgroups_->settled) accept_clients();
                },
                [this](const monitor::endpoint& at) {
                    server_dead(at);
                    if (supervisor_) supervisor_->server_dead(at);
                }}),
      catalog_source_(control_, settings_, monitor_,
                      [this](const std::string& database, monitor::function_rows rows) {
                          on_catalog(database, rows);
                      }),
      auth_source_(control_, settings_, monitor_),
      sampler_(control_, settings_, monitor_,
               [this](const monitor::wal_samples& fresh) { on_samples(fresh); }),
      command_(std::move(command)),
      successor_(
          control_,
          {[this] { hand_over(); },
           [](const std::string& why) {
               spdlog::error("the new process did not take over: {}; this one goes on", why);
           },
           [this](std::int32_t pid, std::string_view key) { process_.cancel_client(pid, key); }}) {
    std::signal(SIGPIPE, SIG_IGN);
    signals_.add(SIGUSR2);
    process_.client_descriptors = raise_descriptor_limit(settings_->vars);
    process_.mock_secret.resize(32);
    if (RAND_bytes(reinterpret_cast<unsigned char*>(process_.mock_secret.data()), 32) != 1)
        throw std::runtime_error("the system gives no random numbers");
    process_.report_failure = [this](const monitor::endpoint& at) { monitor_.report_failure(at); };
    process_.request_catalog = [this](const std::string& database) {
        catalog_source_.request(database);
    };
    process_.look_up_password = [this](std::string user,
                                       monitor::auth_query_source::callback done) {
        auth_source_.look_up(std::move(user), std::move(done));
    };
    process_.forget_password = [this](std::string user) { auth_source_.forget(std::move(user)); };
    if (predecessor_.exists())
        process_.cancel_elsewhere = [this](std::int32_t pid, std::string_view key) {
            predecessor_.cancel(pid, key);
        };
    process_.hurry_samples = [this](monitor::wal_sampler::urgency how) { sampler_.hurry(how); };
    process_.log.configure(settings_->vars);
    const snapshot_ptr first = make_snapshot();
    for (unsigned i = 0; i < worker_count(settings_->vars); ++i)
        workers_.push_back(std::make_unique<worker>(i, process_, first));
    for (const auto& w : workers_)
        process_.workers.push_back(w.get());
    const std::string& datadir = settings_->vars.datadir;
    ha_store_ = std::make_unique<admin::ha_store>(datadir.empty() ? "" : datadir + "/howdah_ha.db");
    supervisor_ = std::make_unique<ha::supervisor>(
        control_, ha_threads_, *ha_store_, settings_,
        ha::supervisor_hooks{[this](monitor::ruling r) { monitor_.rule(std::move(r)); },
                             [this](const monitor::endpoint& at) { server_dead(at); }});
    open_listeners();
    administration_ = std::make_unique<administration>(
        administered{control_,
                     process_,
                     monitor_,
                     operations_,
                     *supervisor_,
                     *ha_store_,
                     [this] { return settings_; },
                     [this](std::shared_ptr<const conf::settings> wanted) { return apply(wanted); },
                     {[this] { return reload(); }, [this] { return apply(settings_); },
                      [this] {
                          if (!stopping_) begin_shutdown();
                      }},
                     std::move(started_from_disk),
                     [this] { return client_tls_; },
                     [this](const conf::listen_address& at) { return open_admin_socket(at); }});
    administration_->listen();
    ha_api_ = std::make_unique<ha_api>(
        control_, api_threads_, *supervisor_, *ha_store_, [this] { return settings_; },
        [this](const conf::listen_address& at) { return open_admin_socket(at); },
        [this](conf::ha_mode mode) { return set_ha_mode(mode); });
}

app::~app() {
    administration_.reset();
    ha_api_.reset();
    supervisor_->stop();
    ha_threads_.join();
    api_threads_.join();
    monitor_.stop();
    catalog_source_.stop();
    auth_source_.stop();
    sampler_.stop();
    for (const auto& w : workers_)
        w->stop();
    for (std::thread& t : threads_)
        if (t.joinable()) t.join();
    // What it was asked for is answered to workers.
    process_.helpers.stop();
    process_.helpers.join();
    for (const auto& [w, fd] : sockets_)
        ::close(fd);
    close_passed_sockets();
    for (const std::string& path : unix_sockets_)
        ::unlink(path.c_str());
}

void app::open_listeners() {
    for (const conf::listen_address& configured : settings_->vars.interfaces) {
        protocol::listen_address at{configured.host, configured.port};
        std::vector<int> fds = predecessor_.take(configured.to_string());
        if (fds.empty()) fds.push_back(protocol::open_listening_socket(at));
        const int first = fds.front();
        if (configured.is_unix()) {
            unix_sockets_.push_back(protocol::unix_socket_path(at));
        } else {
            // The others join the port that the system chose for the first.
            at.port = protocol::bound_port(first);
            if (port_ == 0) port_ = at.port;
        }
        listening_on_.push_back(configured.is_unix()
                                    ? protocol::unix_socket_path(at)
                                    : conf::listen_address{at.host, at.port}.to_string());
        while (fds.size() < workers_.size())
            fds.push_back(configured.is_unix() ? ::fcntl(first, F_DUPFD_CLOEXEC, 0)
                                               : protocol::open_listening_socket(at));
        for (std::size_t i = 0; i < fds.size(); ++i) {
            // Those of a unix socket are one and the same.
            if (i == 0 || !configured.is_unix())
                to_pass_.push_back({configured.to_string(), ::fcntl(fds[i], F_DUPFD_CLOEXEC, 0)});
            sockets_.emplace_back(workers_[i % workers_.size()].get(), fds[i]);
        }
    }
}

int app::open_admin_socket(const conf::listen_address& configured) {
    const protocol::listen_address at{configured.host, configured.port};
    const std::vector<int> taken = predecessor_.take(configured.to_string());
    const int fd = taken.empty() ? protocol::open_listening_socket(at) : taken.front();
    if (configured.is_unix()) unix_sockets_.push_back(protocol::unix_socket_path(at));
    to_pass_.push_back({configured.to_string(), ::fcntl(fd, F_DUPFD_CLOEXEC, 0)});
    return fd;
}

void app::accept_clients() {
    // The process before this one acts until it hears that this one is ready.
    if (predecessor_.exists()) supervisor_->start();
    for (const auto& [w, fd] : std::exchange(sockets_, {}))
        boost::asio::post(w->io, [w = w, fd = fd] { w->listen(fd); });
    for (const std::string& where : std::exchange(listening_on_, {}))
        spdlog::info("listening on {}", where);
    predecessor_.ready();
}

snapshot_ptr app::make_snapshot() {
    auto s = std::make_shared<snapshot>();
    s->settings = settings_;
    s->hostgroups = hostgroups_;
    s->client_tls = client_tls_;
    s->server_tls = server_tls_;
    s->rules = rules_;
    s->policies = policies_;
    s->client_access = client_access_;
    s->catalogs = catalogs_;
    s->orders = operations_.current();
    for (const conf::user& user : settings_->users)
        if (user.active) s->users.emplace(user.username, &user);
    for (const conf::database& database : settings_->databases)
        s->databases.emplace(database.name, &database);
    for (const bool slow : {false, true}) {
        for (const monitor::member& m : hostgroups_->members) {
            // A server above its max_latency_ms is used where its hostgroup has no other.
            if (!m.serves() || m.slow != slow) continue;
            if (slow && !s->placement[m.hostgroup].empty()) continue;
            const server_entry* server = process_.names.server(m.at);
            if (s->orders.paused(*server)) continue;
            // Who waits there keeps its turn until the hold is over.
            if (hostgroups_->held_because(m.hostgroup) != nullptr) continue;
            s->placement[m.hostgroup].push_back({server, m.weight * m.share, m.max_connections});
        }
    }
    s->kept_idle = idle_limits(s->placement, *policies_);
    return s;
}

void app::publish() {
    const snapshot_ptr fresh = make_snapshot();
    for (const auto& w : workers_)
        w->publish(fresh);
    place_servers(*fresh);
}

void app::place_servers(const snapshot& s) {
    // After the snapshot, so that who opens a connection knows the server.
    for (const pool_book::open_order& order : process_.book.place(s.placement)) {
        worker* w = process_.workers[order.worker];
        boost::asio::post(w->io, [w, order] { w->servers.carry_out(order); });
    }
    // Idle connections to a server may serve another hostgroup now.
    for (const auto& w : workers_)
        boost::asio::post(w->io, [w = w.get()] { w->servers.offer_idle(); });
}

void app::replace_connections_to_old_addresses(const monitor::hostgroups& before) {
    for (const monitor::member& m : hostgroups_->members) {
        const monitor::member* known = before.find(m.hostgroup, m.at);
        if (known == nullptr || known->address.empty() || m.address.empty() ||
            known->address == m.address)
            continue;
        spdlog::info("{} is at {} now, it was at {}", to_string(m.at), m.address, known->address);
        operations_.reconnect({traffic_scope::kind::server, to_string(m.at)});
    }
}

void app::server_dead(const monitor::endpoint& at) {
    const server_entry* server = process_.names.server(at);
    for (const auto& w : workers_)
        w->server_dead(server);
}

void app::on_catalog(const std::string& database, const monitor::function_rows& rows) {
    if (!rows) {
        catalogs_.erase(database);
    } else {
        std::vector<sql::function_row> converted;
        converted.reserve(rows->size());
        for (const monitor::function_row& row : *rows)
            converted.push_back({row.schema, row.name, sql::volatility_from_char(row.volatility)});
        catalogs_[database] = std::make_shared<const sql::function_catalog>(converted);
        spdlog::info("database \"{}\": {} functions known", database, rows->size());
    }
    publish();
}

void app::on_samples(const monitor::wal_samples& fresh) {
    std::erase_if(positions_.servers,
                  [&](const wal_view::server& s) { return !fresh->contains(s.which->at); });
    for (const auto& [at, sample] : *fresh)
        positions_.add(process_.names.server(at), sample);
    const auto published = std::make_shared<const wal_view>(positions_);
    for (const auto& w : workers_)
        w->publish_positions(published);
}

void app::await_signal() {
    signals_.async_wait([this](const boost::system::error_code& ec, int number) {
        if (ec) return;
        if (number == SIGHUP) {
            reload();
        } else if (number == SIGUSR2) {
            begin_handover();
        } else if (!stopping_) {
            spdlog::info("signal {}: finishing open transactions, at most {} ms", number,
                         settings_->vars.shutdown_timeout.count());
            begin_shutdown();
        } else {
            spdlog::warn("signal {} again: stopping now", number);
            stop_now();
        }
        await_signal();
    });
}

admin::sql_result<std::vector<std::string>> app::reload() {
    notify_systemd("RELOADING=1");
    const auto refused = [](admin::sql_error why) {
        spdlog::error("reload refused: {}; the running configuration stays", why.message);
        notify_systemd("READY=1");
        return why;
    };
    const conf::load_result loaded = conf::load_file(settings_->source);
    for (const auto& w : loaded.warnings)
        spdlog::warn("{}", w.to_string());
    if (!loaded.value) {
        for (const auto& e : loaded.errors)
            spdlog::error("{}", e.to_string());
        return refused({protocol::sqlstate::config_file_error, loaded.errors.front().to_string()});
    }
    auto applied = apply(loaded.value);
    if (!applied) return refused(applied.error());
    administration_->follow(settings_);
    notify_systemd("READY=1");
    return applied;
}

std::string app::set_ha_mode(conf::ha_mode mode) {
    auto wanted = std::make_shared<conf::settings>(*settings_);
    wanted->vars.ha_mode = mode;
    const auto applied = apply(std::move(wanted));
    if (!applied) return applied.error().message;
    administration_->follow("ha-mode", std::string(conf::to_string(mode)));
    return {};
}

void app::leave_old_databases(const conf::settings& before) {
    struct move {
        std::string was, there;
    };
    std::map<std::string, move> names;
    for (const conf::database& d : before.databases)
        names[d.name] = {d.on_servers(), d.name};
    for (const conf::database& d : settings_->databases)
        names.try_emplace(d.name, move{d.name, {}}).first->second.there = d.on_servers();
    bool moved = false;
    for (const auto& [name, way] : names) {
        const auto& [was, there] = way;
        if (was == there) continue;
        moved = true;
        spdlog::info("database \"{}\": {} on the servers now, it was {}", name, there, was);
        catalog_source_.request(there);
    }
    // Connections are replaced by their pools; results of the database before would stay.
    if (moved)
        for (const auto& w : workers_)
            boost::asio::post(w->io, [w = w.get()] { w->cache.clear(); });
}

admin::sql_result<std::vector<std::string>> app::apply(
    const std::shared_ptr<const conf::settings>& wanted) {
    const conf::reload_report report = conf::compare(*settings_, *wanted);
    const auto fresh = conf::in_force_after_reload(*settings_, *wanted);
    bool another_certificate = false;
    try {
        protocol::tls_context client_tls = client_tls_of(fresh->vars);
        protocol::tls_context server_tls = server_tls_of(fresh->vars);
        // The same rules go on counting their hits.
        auto rules = same_rules(*settings_, *fresh)
                         ? rules_
                         : std::make_shared<const compiled_rules>(*fresh);
        auto policies = std::make_shared<const hostgroup_policies>(*fresh);
        auto client_access = client_access_of(*fresh);
        set_up_logging(fresh->vars);
        another_certificate =
            protocol::fingerprint(client_tls) != protocol::fingerprint(client_tls_);
        client_access_ = std::move(client_access);
        client_tls_ = std::move(client_tls);
        server_tls_ = std::move(server_tls);
        rules_ = std::move(rules);
        policies_ = std::move(policies);
    } catch (const std::exception& e) {
        return admin::sql_error(protocol::sqlstate::invalid_parameter_value, e.what());
    }
    const std::shared_ptr<const conf::settings> before = std::exchange(settings_, fresh);
    process_.log.configure(settings_->vars);
    process_.welcomes.clear();
    monitor_.reload(settings_);
    supervisor_->reload(settings_);
    catalog_source_.reload(settings_);
    auth_source_.reload(settings_);
    sampler_.reload(settings_);
    publish();
    leave_old_databases(*before);
    // Last: who reads it may count on it.
    std::vector<std::string> later;
    if (another_certificate) spdlog::info("reload: new clients are shown another certificate");
    for (const std::string& line : report.changed)
        spdlog::info("reload: {}", line);
    for (const std::string& line : report.needs_restart) {
        spdlog::warn("reload: needs a restart: {}", line);
        later.push_back("needs a restart: " + line);
    }
    if (report.changed.empty()) spdlog::info("reload: nothing has changed");
    return later;
}

void app::begin_handover() {
    if (stopping_ || handed_over_ || successor_.running()) {
        spdlog::warn("SIGUSR2: this process is being stopped or has a successor already");
        return;
    }
    if (command_.empty()) {
        spdlog::error("SIGUSR2: it is not known by what command this process was started");
        return;
    }
    const std::string error = successor_.start(command_, to_pass_);
    if (!error.empty()) {
        spdlog::error("SIGUSR2: no new process could be started: {}", error);
        return;
    }
    spdlog::info("SIGUSR2: started process {} to take over", successor_.pid());
}

void app::hand_over() {
    if (stopping_) return;
    handed_over_ = true;
    notify_systemd("MAINPID=" + std::to_string(successor_.pid()));
    // They are the successor's now; the paths of unix sockets, too.
    administration_->stop_listening();
    ha_api_->stop_listening();
    close_passed_sockets();
    unix_sockets_.clear();
    // So are the clusters: what it decides is not known here, but what the servers say is.
    supervisor_->stop();
    monitor_.rule({});
    const auto patience = settings_->vars.restart_drain_timeout;
    spdlog::info("process {} has taken over; this one ends with its clients, in {} s at the latest",
                 successor_.pid(), patience.count() / 1000);
    workers_busy_ = workers_.size();
    for (const auto& w : workers_)
        w->stop_listening([this] { boost::asio::post(control_, [this] { when_empty(); }); });
    drain_limit_.expires_after(patience);
    drain_limit_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec && !stopping_) begin_shutdown();
    });
}

void app::when_empty() {
    if (--workers_busy_ == 0) stop_now();
}

void app::close_passed_sockets() {
    for (const passed_socket& s : std::exchange(to_pass_, {}))
        ::close(s.fd);
}

void app::begin_shutdown() {
    stopping_ = true;
    close_passed_sockets();
    notify_systemd("STOPPING=1");
    process_.draining = true;
    workers_busy_ = workers_.size();
    for (const auto& w : workers_) {
        w->drain([this] { boost::asio::post(control_, [this] { when_empty(); }); });
    }
    drain_limit_.expires_after(settings_->vars.shutdown_timeout);
    drain_limit_.async_wait([this](const boost::system::error_code& ec) {
        if (ec) return;
        spdlog::warn("clients are still in transactions after {} ms: stopping now",
                     settings_->vars.shutdown_timeout.count());
        stop_now();
    });
}

void app::stop_now() {
    // Its threads wait for answers of the others.
    ha_api_->stop([this] { administration_->stop([this] { stop_rest(); }); });
}

void app::stop_rest() {
    operations_.stop();
    drain_limit_.cancel();
    accept_timer_.cancel();
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    supervisor_->stop();
    monitor_.stop();
    catalog_source_.stop();
    auth_source_.stop();
    sampler_.stop();
    for (const auto& w : workers_)
        w->stop();
    control_.stop();
}

void app::request_stop() {
    boost::asio::post(control_, [this] {
        if (!stopping_) begin_shutdown();
    });
}

int app::run() {
    await_signal();
    monitor_.start();
    if (!predecessor_.exists()) supervisor_->start();
    for (const auto& w : workers_)
        threads_.emplace_back([&w] { w->run(); });
    spdlog::info("howdah " HOWDAH_VERSION " is ready: {} workers, {} servers, {} users",
                 workers_.size(), settings_->servers.size(), settings_->users.size());
    // Clients wait in the listen queue until the roles are known: the configured writer may be a
    // standby by now. Servers that do not answer at all do not keep them out for long.
    accept_timer_.expires_after(role_wait);
    accept_timer_.async_wait([this](const boost::system::error_code& ec) {
        if (!ec) accept_clients();
    });
    notify_systemd("READY=1");
    control_.run();
    for (std::thread& t : threads_)
        t.join();
    spdlog::info("stopped");
    return 0;
}

}  // namespace howdah::proxy
