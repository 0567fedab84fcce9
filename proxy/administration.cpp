#include "proxy/administration.hpp"

#include <spdlog/spdlog.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>
#include <stdexcept>

#include "admin/catalog/catalog_tables.hpp"
#include "admin/catalog/dialect.hpp"
#include "admin/catalog/functions.hpp"
#include "admin/ha/commands.hpp"
#include "admin/ha/orders.hpp"
#include "admin/ha/tables.hpp"
#include "admin/pgbouncer/import_command.hpp"
#include "admin/sql/registry_tables.hpp"
#include "admin/sql/show_commands.hpp"
#include "monitor/monitor.hpp"
#include "protocol/io/listener.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/admin/metrics.hpp"
#include "proxy/admin/pgbouncer_tables.hpp"
#include "proxy/admin/statistics_tables.hpp"
#include "proxy/admin/status_tables.hpp"
#include "proxy/admin/traffic_commands.hpp"
#include "proxy/on_control.hpp"

namespace howdah::proxy {
namespace {

constexpr std::int64_t most_memory = 512 << 20;

/// SQLite databases in memory are told apart by their name, also between tests of one process.
std::string memory_uri() {
    static std::atomic<int> number{0};
    return "file:/howdah-" + std::to_string(++number) + "?vfs=memdb";
}

void add_accounts(admin::admin_access& to, std::string_view credentials, std::string_view built_in,
                  admin::role as) {
    for (auto& [user, password] : split_credentials(credentials)) {
        const bool local_only = user + ":" + password == built_in;
        to.accounts[user] = {std::move(password), as, local_only};
    }
}

}  // namespace

std::vector<std::pair<std::string, std::string>> split_credentials(std::string_view text) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        const std::size_t colon = one.find(':');
        if (colon == one.npos || colon == 0) continue;
        out.emplace_back(one.substr(0, colon), one.substr(colon + 1));
    }
    return out;
}

administration::administration(administered what)
    : what_(std::move(what)), history_timer_(what_.control) {
    const auto now = what_.settings();
    // Of all connections together: a statement that wants more fails (53200).
    sqlite3_hard_heap_limit64(most_memory);
    environment_.memory_uri = memory_uri();
    environment_.disk_path = admin::disk_path(*now);
    if (!now->vars.datadir.empty())
        environment_.history_path = now->vars.datadir + "/howdah_stats.db";
    environment_.statement_timeout = now->vars.admin_statement_timeout;
    layers_ = std::make_unique<admin::config_layers>(
        admin::runtime_access{
            [this] { return run_on(what_.control, [this] { return what_.settings(); }); },
            [this](std::shared_ptr<const conf::settings> fresh) {
                return run_on(what_.control, [this, fresh] { return what_.apply(fresh); });
            },
            what_.started_from_disk},
        now->source, !environment_.disk_path.empty());
    environment_.tables = layers_->tables();
    add_status_tables(environment_.tables, what_.control, what_.shared, what_.watcher,
                      what_.settings);
    add_statistics_tables(environment_.tables, what_.control, what_.shared, what_.watcher);
    add_pgbouncer_tables(environment_.tables, what_.control, what_.shared, what_.traffic_control,
                         what_.settings);
    const admin::ha_view_source view = [this] { return what_.clusters.view(); };
    for (admin::live_table& t : admin::ha_tables(view, what_.kept_of_clusters))
        environment_.tables.push_back(std::move(t));
    for (admin::live_table& t : admin::registry_tables(environment_))
        environment_.tables.push_back(std::move(t));
    const auto catalog = std::make_shared<const admin::catalog>(environment_, [this] {
        std::vector<std::pair<std::string, admin::role>> out;
        for (const auto& [name, account] :
             run_on(what_.control, [this] { return access(); }).accounts)
            out.emplace_back(name, account.as);
        return out;
    });
    for (admin::live_table& t : admin::catalog_tables(catalog, environment_.tables))
        environment_.tables.push_back(std::move(t));
    environment_.add_functions = [catalog](sqlite3* db, const std::string& user, admin::role who) {
        admin::add_catalog_functions(db, catalog, user, who, HOWDAH_VERSION);
    };
    environment_.translate = admin::translated;
    environment_.commands.add(
        admin::ha_commands(admin::orders_of(what_.control, what_.clusters, closing_.get_token()),
                           view, what_.kept_of_clusters));
    environment_.commands.add(layers_->commands());
    environment_.commands.add(admin::import_commands());
    environment_.commands.add(admin::show_commands(environment_));
    environment_.commands.add(pgbouncer_commands());
    environment_.commands.add(statistics_commands(what_.shared));
    environment_.commands.add({.syntax = "SAVE PGSQL DIGEST TO DISK",
                               .doc = "Moves stats_pgsql_query_digest to stats_history.",
                               .needs = admin::role::admin,
                               .run = [this](const admin::command_call&) { return keep_digests(); },
                               .group = "Looking around"});
    environment_.commands.add(traffic_commands(what_.control, what_.shared, what_.traffic_control));
    environment_.commands.add(process_commands(what_.control, what_.commands));
    environment_.commands.add(
        {.syntax = "SHOW PROMETHEUS METRICS",
         .doc = "What Prometheus scrapes.",
         .needs = admin::role::stats,
         .run =
             [this](const admin::command_call&) {
                 admin::command_result r;
                 r.tag = "SHOW";
                 r.columns = {{"Data", admin::column_type::text}};
                 r.rows = {{metrics_text(what_.shared, what_.control, what_.watcher,
                                         *what_.clusters.view())}};
                 return admin::sql_result<admin::command_result>(std::move(r));
             },
         .group = "Looking around"});
    environment_.commands.add(admin::show_anything());

    keeper_ = std::make_unique<admin::database>(environment_.memory_uri);
    if (!environment_.disk_path.empty()) {
        if (const auto done = keeper_->attach_file(environment_.disk_path, "disk"); !done)
            throw std::runtime_error("cannot open " + environment_.disk_path + ": " +
                                     done.error().message);
        // It holds passwords.
        (void)::chmod(environment_.disk_path.c_str(), 0600);
        (void)keeper_->query("PRAGMA disk.journal_mode = WAL");
    }
    if (!environment_.history_path.empty())
        history_ = std::make_unique<admin::history>(environment_.history_path, environment_.tables);
    layers_->create(*keeper_, *now);
    server_ = std::make_unique<admin::admin_server>(what_.control, environment_,
                                                    [this] { return access(); });
    http_ = std::make_unique<admin::http_server>(what_.control, server_->threads());
    http_->add("/metrics", [this](const admin::http_request&) {
        admin::http_answer answer;
        answer.type = "text/plain; version=0.0.4; charset=utf-8";
        answer.body =
            metrics_text(what_.shared, what_.control, what_.watcher, *what_.clusters.view());
        return answer;
    });
}

administration::~administration() {
    // Threads first: what they run is for both.
    closing_.request_stop();
    server_->threads().join();
    http_.reset();
    server_.reset();
}

void administration::keep_history() {
    // The interval may change meanwhile: the clock is looked at more often than samples are taken.
    constexpr std::chrono::seconds tick{1};
    history_timer_.expires_after(tick);
    history_timer_.async_wait([this](const boost::system::error_code& ec) {
        if (ec) return;
        const auto interval = what_.settings()->vars.admin_stats_history_interval;
        const auto now = std::chrono::steady_clock::now();
        if (interval.count() > 0 && now - history_kept_ >= interval && !keeping_history_) {
            history_kept_ = now;
            take_sample();
        }
        keep_history();
    });
}

void administration::take_sample() {
    keeping_history_ = true;
    const auto retention = what_.settings()->vars.admin_stats_history_retention.count();
    boost::asio::post(server_->threads(), [this, retention] {
        const std::int64_t now = std::time(nullptr);
        try {
            auto done = history_->sample(now);
            if (done) done = history_->forget_before(now - retention);
            if (!done) spdlog::warn("stats_history: {}", done.error().message);
        } catch (const std::exception& e) {
            spdlog::warn("stats_history: {}", e.what());
        }
        boost::asio::post(what_.control, [this] { keeping_history_ = false; });
    });
}

admin::sql_result<admin::command_result> administration::keep_digests() const {
    if (!history_)
        return admin::sql_error(protocol::sqlstate::object_not_in_prerequisite_state,
                                "there is no stats_history",
                                "Set datadir in the configuration file.");
    const auto& all = admin::history::kept();
    const auto digests = std::ranges::find(all, false, &admin::kept_table::periodic);
    const auto kept = history_->keep(*digests, std::time(nullptr));
    if (!kept) return kept.error();
    return admin::tagged("SAVE " + std::to_string(*kept));
}

int administration::open(const conf::listen_address& at, const char* what) const {
    const int fd = what_.open_socket(at);
    conf::listen_address bound = at;
    if (!at.is_unix()) bound.port = protocol::bound_port(fd);
    spdlog::info("{} on {}", what, bound.to_string());
    return fd;
}

void administration::listen() {
    if (history_) keep_history();
    const auto now = what_.settings();
    for (const conf::listen_address& at : now->vars.admin_pgsql_ifaces) {
        const int fd = open(at, "admin interface");
        if (port_ == 0 && !at.is_unix()) port_ = protocol::bound_port(fd);
        server_->listen(fd);
    }
    for (const conf::listen_address& at : now->vars.admin_metrics_ifaces)
        http_->listen(open(at, "metrics"));
    if (now->vars.admin_admin_credentials.find("admin:admin") != std::string::npos &&
        !now->vars.admin_pgsql_ifaces.empty())
        spdlog::warn(
            "admin-admin_credentials has the built-in admin:admin, which may connect from "
            "this machine only; set another password");
}

void administration::stop_listening() {
    server_->stop_listening();
    http_->stop_listening();
}

void administration::stop(std::function<void()> stopped) {
    history_timer_.cancel();
    closing_.request_stop();
    http_->stop([this, stopped = std::move(stopped)] { server_->stop(stopped); });
}

void administration::follow(std::shared_ptr<const conf::settings> settings) {
    change_memory([this, settings = std::move(settings)](admin::database& db) {
        return layers_->follow(db, *settings);
    });
}

void administration::follow(std::string variable, std::string value) {
    change_memory([variable = std::move(variable), value = std::move(value)](admin::database& db) {
        return admin::config_layers::set_variable(db, variable, value);
    });
}

void administration::change_memory(
    std::function<admin::sql_result<void>(admin::database&)> change) {
    boost::asio::post(server_->threads(), [this, change = std::move(change)] {
        try {
            admin::database db(environment_.memory_uri);
            const auto done = change(db);
            if (!done) spdlog::warn("admin: MEMORY keeps its state: {}", done.error().message);
        } catch (const std::exception& e) {
            spdlog::warn("admin: MEMORY keeps its state: {}", e.what());
        }
    });
}

admin::admin_access administration::access() const {
    const auto now = what_.settings();
    admin::admin_access out;
    add_accounts(out, now->vars.admin_stats_credentials, "stats:stats", admin::role::stats);
    add_accounts(out, now->vars.admin_admin_credentials, "admin:admin", admin::role::admin);
    out.tls = what_.client_tls();
    out.failed_login_delay = now->vars.failed_login_delay;
    return out;
}

}  // namespace howdah::proxy
