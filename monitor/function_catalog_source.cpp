#include "monitor/function_catalog_source.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "conf/settings.hpp"
#include "monitor/login.hpp"
#include "monitor/monitor.hpp"
#include "monitor/pq_connection.hpp"

namespace howdah::monitor {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds query_timeout{10000};
constexpr milliseconds no_server_retry{250};
/// After a failure: this many refresh intervals.
constexpr int failure_backoff = 4;
constexpr std::chrono::hours forget_after{1};

constexpr const char* fingerprint_sql =
    "SELECT pg_catalog.md5(pg_catalog.string_agg("
    "p.oid::text || p.provolatile::text || p.proname::text || p.pronamespace::text, ','"
    " ORDER BY p.oid) || (SELECT pg_catalog.string_agg(n.oid::text || n.nspname, ',' ORDER BY "
    "n.oid)"
    " FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_(temp|toast_temp)_'))"
    " FROM pg_catalog.pg_proc p";

constexpr const char* rows_sql =
    "SELECT n.nspname, p.proname, pg_catalog.max(p.provolatile::text)"
    " FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace"
    " GROUP BY n.nspname, p.proname";

std::vector<function_row> to_rows(const PGresult* answer) {
    std::vector<function_row> rows;
    const int count = PQntuples(answer);
    rows.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
        rows.push_back(
            {PQgetvalue(answer, i, 0), PQgetvalue(answer, i, 1), *PQgetvalue(answer, i, 2)});
    // Sorted here: the server's order depends on its collation.
    std::ranges::sort(rows, {},
                      [](const function_row& row) { return std::tie(row.schema, row.name); });
    return rows;
}

}  // namespace

class function_catalog_source::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
         const monitor& servers, publish notify)
        : io_(io),
          settings_(std::move(settings)),
          servers_(servers),
          notify_(std::move(notify)),
          names_(std::make_shared<resolver_cache>(io)) {}

    void request(std::string name) {
        boost::asio::post(io_, [weak = weak_from_this(), name = std::move(name)] {
            if (const auto self = weak.lock()) self->wanted(name);
        });
    }

    void reload(std::shared_ptr<const conf::settings> settings) {
        settings_ = std::move(settings);
        for (auto& [name, one] : databases_)
            one->reported = false;
    }

    void stop() {
        stopped_ = true;
        databases_.clear();
        names_->stop();
    }

private:
    struct database {
        database(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names)
            : timer(io), connection(std::make_shared<pq_connection>(io, std::move(names))) {}
        ~database() { connection->close(); }
        database(const database&) = delete;
        database& operator=(const database&) = delete;

        boost::asio::steady_timer timer;
        std::shared_ptr<pq_connection> connection;
        endpoint server;
        clock::time_point requested;
        std::string fingerprint;
        bool reported = false;  ///< its failure is in the log
    };

    void wanted(const std::string& name) {
        if (stopped_) return;
        auto& one = databases_[name];
        const bool is_new = !one;
        if (is_new) one = std::make_unique<database>(io_, names_);
        one->requested = clock::now();
        if (is_new) refresh(name);
    }

    database* find(const std::string& name) {
        const auto found = databases_.find(name);
        return found == databases_.end() ? nullptr : found->second.get();
    }

    /// A handler that finds its database again, or does nothing after stop() or forgetting.
    template <class Member>
    auto then(const std::string& name, Member member) {
        return [weak = weak_from_this(), name, member](auto&&... arguments) {
            const auto self = weak.lock();
            if (!self || self->stopped_) return;
            if (auto* one = self->find(name))
                (self.get()->*member)(name, *one, std::forward<decltype(arguments)>(arguments)...);
        };
    }

    void schedule(const std::string& name, database& one, milliseconds delay) {
        one.timer.expires_after(delay);
        one.timer.async_wait(
            [weak = weak_from_this(), name](const boost::system::error_code& error) {
                const auto self = weak.lock();
                if (!error && self && !self->stopped_) self->refresh(name);
            });
    }

    std::optional<endpoint> choose_server() const {
        const auto groups = servers_.current();
        if (!groups || !groups->settled) return std::nullopt;
        const member* best = nullptr;
        for (const auto& one : groups->members) {
            if (one.state != status::online) continue;
            if (!best || (groups->is_writer(best->hostgroup) && !groups->is_writer(one.hostgroup)))
                best = &one;
        }
        return best ? std::optional(best->at) : std::nullopt;
    }

    void refresh(const std::string& name) {
        auto* one = find(name);
        if (!one) return;
        if (clock::now() - one->requested > forget_after) {
            const std::string gone = name;  // `name` may belong to what is erased
            databases_.erase(gone);
            return notify_(gone, nullptr);
        }
        const auto server = choose_server();
        if (!server) return schedule(name, *one, no_server_retry);
        one->server = *server;
        one->connection->connect(
            *server, login_parameters(settings_->vars, requires_tls(*settings_, *server), name),
            settings_->vars.monitor_connect_timeout, then(name, &impl::on_connected));
    }

    void on_connected(const std::string& name, database& one,
                      const std::optional<pq_error>& error) {
        if (error) return on_failure(name, one, *error);
        one.connection->query(fingerprint_sql, query_timeout, then(name, &impl::on_fingerprint));
    }

    void on_fingerprint(const std::string& name, database& one,
                        const std::optional<pq_error>& error, const pq_result& answer) {
        if (error) return on_failure(name, one, *error);
        const std::string fresh =
            PQntuples(answer.get()) == 1 ? PQgetvalue(answer.get(), 0, 0) : "";
        if (!fresh.empty() && fresh == one.fingerprint) return finish(name, one);
        one.fingerprint = fresh;
        one.connection->query(rows_sql, query_timeout, then(name, &impl::on_rows));
    }

    void on_rows(const std::string& name, database& one, const std::optional<pq_error>& error,
                 const pq_result& answer) {
        if (error) {
            one.fingerprint.clear();
            return on_failure(name, one, *error);
        }
        auto rows = std::make_shared<const std::vector<function_row>>(to_rows(answer.get()));
        spdlog::debug("{}: {} functions of database \"{}\" read", to_string(one.server),
                      rows->size(), name);
        finish(name, one);
        notify_(name, std::move(rows));
    }

    void finish(const std::string& name, database& one) {
        one.connection->close();
        one.reported = false;
        schedule(name, one, settings_->vars.catalog_refresh_interval);
    }

    void on_failure(const std::string& name, database& one, const pq_error& error) {
        one.connection->close();
        const auto interval = settings_->vars.catalog_refresh_interval;
        // A client named a database that is not there: it has been told so itself.
        const bool unknown = error.sqlstate == "3D000" && name != settings_->vars.monitor_dbname;
        if (classify(error) != probe_result::alive || unknown) {
            spdlog::debug("{}: functions of database \"{}\" not read: {}", to_string(one.server),
                          name, error.describe());
            const bool in_vain = error.timed_out || unknown;
            return schedule(name, one, in_vain ? interval : no_server_retry);
        }
        if (!std::exchange(one.reported, true))
            spdlog::warn(
                "{}; until then every function of database \"{}\" that is not known yet "
                "counts as volatile, and its callers go to the writer",
                login_advice(settings_->vars, one.server, name, error), name);
        schedule(name, one, interval * failure_backoff);
    }

    boost::asio::io_context& io_;
    std::shared_ptr<const conf::settings> settings_;
    const monitor& servers_;
    publish notify_;
    std::shared_ptr<resolver_cache> names_;
    std::map<std::string, std::unique_ptr<database>> databases_;
    bool stopped_ = false;
};

function_catalog_source::function_catalog_source(boost::asio::io_context& io,
                                                 std::shared_ptr<const conf::settings> settings,
                                                 const monitor& servers, publish notify)
    : impl_(std::make_shared<impl>(io, std::move(settings), servers, std::move(notify))) {}

function_catalog_source::~function_catalog_source() {
    impl_->stop();
}

void function_catalog_source::request(std::string database) {
    impl_->request(std::move(database));
}
void function_catalog_source::reload(std::shared_ptr<const conf::settings> settings) {
    impl_->reload(std::move(settings));
}
void function_catalog_source::stop() {
    impl_->stop();
}

}  // namespace howdah::monitor
