#include "monitor/auth_query_source.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "conf/settings.hpp"
#include "monitor/login.hpp"
#include "monitor/monitor.hpp"
#include "monitor/password_cache.hpp"
#include "monitor/pq_connection.hpp"

namespace howdah::monitor {
namespace {

using clock = std::chrono::steady_clock;

/// Every name with its schema: whoever may create objects in a schema of the search_path must not
/// be asked who may log in. A password past VALID UNTIL is none.
constexpr const char* default_query =
    "SELECT rolname, CASE WHEN rolvaliduntil OPERATOR(pg_catalog.<) pg_catalog.now() THEN NULL"
    " ELSE rolpassword END FROM pg_catalog.pg_authid"
    " WHERE rolname OPERATOR(pg_catalog.=) $1 AND rolcanlogin";

/// PostgreSQL's names are shorter; it would cut a longer one and find somebody else.
constexpr std::size_t longest_name = 63;
constexpr std::size_t max_waiting_users = 1000;
constexpr std::size_t max_attempts = 3;
constexpr std::chrono::seconds keep_connection{30};
constexpr std::chrono::minutes report_again_after{1};

password_answer unavailable() {
    return {password_answer::kind::unavailable, {}};
}

password_answer to_answer(const password_cache::answer& known) {
    return {known.exists ? password_answer::kind::found : password_answer::kind::unknown,
            known.password};
}

}  // namespace

class auth_query_source::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
         const monitor& servers)
        : io_(io),
          settings_(std::move(settings)),
          servers_(servers),
          names_(std::make_shared<resolver_cache>(io)),
          connection_(std::make_shared<pq_connection>(io, names_)),
          idle_(io) {}

    void look_up(std::string user, callback done) {
        boost::asio::post(io_, [weak = weak_from_this(), user = std::move(user),
                                done = std::move(done)]() mutable {
            if (const auto self = weak.lock()) self->wanted(user, std::move(done));
        });
    }

    void forget(std::string user) {
        boost::asio::post(io_, [weak = weak_from_this(), user = std::move(user)] {
            if (const auto self = weak.lock()) self->cache_.forget(user, clock::now());
        });
    }

    void reload(std::shared_ptr<const conf::settings> settings) {
        if (stopped_) return;
        settings_ = std::move(settings);
        cache_.clear();
        reported_.clear();
        connection_->close();
        if (!queue_.empty()) begin();
    }

    void stop() {
        stopped_ = true;
        waiting_.clear();
        queue_.clear();
        idle_.cancel();
        connection_->close();
        names_->stop();
    }

private:
    [[nodiscard]] const conf::variables& vars() const { return settings_->vars; }

    void wanted(const std::string& user, callback done) {
        if (stopped_) return;
        if (const auto* known = cache_.find(user, clock::now())) return done(to_answer(*known));
        if (user.size() > longest_name) return done({password_answer::kind::unknown, {}});
        const auto same = waiting_.find(user);
        if (same != waiting_.end()) return same->second.push_back(std::move(done));
        if (waiting_.size() >= max_waiting_users) {
            report(
                fmt::format("auth_query: {} users wait to be looked up already", waiting_.size()));
            return done(unavailable());
        }
        waiting_[user].push_back(std::move(done));
        queue_.push_back(user);
        if (queue_.size() == 1) begin();
    }

    /// Online servers, those of writer hostgroups first.
    [[nodiscard]] std::deque<endpoint> candidates() const {
        std::deque<endpoint> found;
        const auto groups = servers_.current();
        if (!groups) return found;
        for (const bool writers : {true, false})
            for (const member& one : groups->members)
                if (one.state == status::online && groups->is_writer(one.hostgroup) == writers &&
                    std::ranges::find(found, one.at) == found.end())
                    found.push_back(one.at);
        if (found.size() > max_attempts) found.resize(max_attempts);
        return found;
    }

    /// Asks for the first user of the queue.
    void begin() {
        idle_.cancel();
        candidates_ = candidates();
        if (vars().auth_user.empty()) candidates_.clear();  // switched off while somebody waited
        if (candidates_.empty()) report("auth_query: no server is online");
        next();
    }

    void next() {
        if (candidates_.empty()) return give_up();
        const endpoint server = candidates_.front();
        if (connection_->idle() && server == server_) return send();
        candidates_.pop_front();
        server_ = server;
        server_login as{vars().auth_user, vars().auth_password, "howdah-auth"};
        connection_->connect(
            server,
            login_parameters(vars(), as, requires_tls(*settings_, server), vars().auth_database),
            vars().connect_timeout_server,
            [weak = weak_from_this()](std::optional<pq_error> error) {
                const auto self = weak.lock();
                if (!self || self->stopped_) return;
                if (!error) return self->send();
                self->report(fmt::format("auth_query: {}: cannot log in as \"{}\" to \"{}\": {}",
                                         to_string(self->server_), self->vars().auth_user,
                                         self->vars().auth_database, error->describe()));
                self->next();
            });
    }

    void send() {
        connection_->query(
            vars().auth_query.empty() ? default_query : vars().auth_query, {queue_.front()},
            vars().connect_timeout_server,
            [weak = weak_from_this()](const std::optional<pq_error>& error, const pq_result& rows) {
                const auto self = weak.lock();
                if (!self || self->stopped_) return;
                if (error) return self->failed(*error);
                self->finish(self->read(rows.get()));
            });
    }

    void failed(const pq_error& error) {
        // Not a name in the database's encoding: nobody has it.
        if (error.sqlstate.starts_with("22")) return finish({password_answer::kind::unknown, {}});
        report(fmt::format("auth_query: {}: {}", to_string(server_), error.describe()));
        if (classify(error) == probe_result::alive && connection_->idle())
            return finish(unavailable());
        next();
    }

    [[nodiscard]] password_answer read(const PGresult* rows) {
        const std::string& user = queue_.front();
        if (PQnfields(rows) < 2 || PQntuples(rows) > 1) {
            report(
                fmt::format("auth_query: {} rows of {} columns for one user; it must give at most "
                            "one row: name, password",
                            PQntuples(rows), PQnfields(rows)));
            return unavailable();
        }
        // A query may be careless about case or length; we are not.
        if (PQntuples(rows) == 0 || user != PQgetvalue(rows, 0, 0))
            return {password_answer::kind::unknown, {}};
        return {password_answer::kind::found,
                PQgetisnull(rows, 0, 1) ? "" : PQgetvalue(rows, 0, 1)};
    }

    void finish(const password_answer& answer) {
        const std::string user = queue_.front();
        if (answer.what != password_answer::kind::unavailable) {
            reported_.clear();
            cache_.store(user, {answer.what == password_answer::kind::found, answer.password},
                         clock::now(), vars().auth_query_cache_ttl);
        }
        queue_.pop_front();
        tell(user, answer);
        if (!queue_.empty()) return begin();
        idle_.expires_after(keep_connection);
        idle_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
            const auto self = weak.lock();
            if (!cancelled && self && self->queue_.empty()) self->connection_->close();
        });
    }

    /// Nobody answers: those who wait behind must not wait for the same timeouts again.
    void give_up() {
        connection_->close();
        for (const std::string& user : std::exchange(queue_, {}))
            tell(user, unavailable());
    }

    void tell(const std::string& user, const password_answer& answer) {
        const auto found = waiting_.find(user);
        const auto callbacks = std::move(found->second);
        waiting_.erase(found);
        for (const callback& done : callbacks)
            done(answer);
    }

    /// The same trouble once a minute.
    void report(const std::string& what) {
        const auto now = clock::now();
        if (what == reported_ && now - reported_at_ < report_again_after) return;
        reported_ = what;
        reported_at_ = now;
        spdlog::error("{}", what);
    }

    boost::asio::io_context& io_;
    std::shared_ptr<const conf::settings> settings_;
    const monitor& servers_;
    std::shared_ptr<resolver_cache> names_;
    std::shared_ptr<pq_connection> connection_;
    boost::asio::steady_timer idle_;
    endpoint server_;  ///< of the connection
    std::deque<endpoint> candidates_;
    std::deque<std::string> queue_;
    std::map<std::string, std::vector<callback>> waiting_;
    password_cache cache_;
    std::string reported_;
    clock::time_point reported_at_;
    bool stopped_ = false;
};

auth_query_source::auth_query_source(boost::asio::io_context& io,
                                     std::shared_ptr<const conf::settings> settings,
                                     const monitor& servers)
    : impl_(std::make_shared<impl>(io, std::move(settings), servers)) {}

auth_query_source::~auth_query_source() {
    impl_->stop();
}

void auth_query_source::look_up(std::string user, callback done) {
    impl_->look_up(std::move(user), std::move(done));
}
void auth_query_source::forget(std::string user) {
    impl_->forget(std::move(user));
}
void auth_query_source::reload(std::shared_ptr<const conf::settings> settings) {
    impl_->reload(std::move(settings));
}
void auth_query_source::stop() {
    impl_->stop();
}

}  // namespace howdah::monitor
