#include "proxy/admin/pgbouncer_tables.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "admin/sql/show_commands.hpp"
#include "conf/options.hpp"
#include "conf/overrides.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/client_report.hpp"
#include "proxy/gather.hpp"
#include "proxy/operations.hpp"

namespace howdah::proxy {
namespace {

using admin::column_type;
using admin::live_column;
using admin::live_table;
using admin::row;
using admin::value;
using settings_source = std::function<std::shared_ptr<const conf::settings>()>;

constexpr column_type number = column_type::integer;
constexpr column_type text = column_type::text;
constexpr std::string_view schema = "pgbouncer";

std::int64_t microseconds(std::chrono::steady_clock::duration d) {
    return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
}

const conf::user* find_user(const conf::settings& s, const std::string& name) {
    const auto it = std::find_if(s.users.begin(), s.users.end(),
                                 [&](const conf::user& u) { return u.username == name; });
    return it == s.users.end() ? nullptr : &*it;
}

const conf::database* find_database(const conf::settings& s, const std::string& name) {
    const auto it = std::find_if(s.databases.begin(), s.databases.end(),
                                 [&](const conf::database& d) { return d.name == name; });
    return it == s.databases.end() ? nullptr : &*it;
}

std::string mode_of(const conf::settings& s, const pool_login& login) {
    static const conf::user unlisted;
    const conf::user* user = find_user(s, login.user);
    return std::string(conf::to_string(conf::in_force(conf::in_force_of::pool_mode,
                                                      user != nullptr ? *user : unlisted,
                                                      find_database(s, login.database), s.vars)));
}

/// What one pool is made of.
struct pool_numbers {
    std::int64_t active = 0;
    std::int64_t waiting = 0;
    std::int64_t server_active = 0;
    std::int64_t server_idle = 0;
    std::chrono::steady_clock::duration longest{};
};

std::map<const pool_login*, pool_numbers> pools_of(const process& shared) {
    std::map<const pool_login*, pool_numbers> out;
    for (const client_report& r : gather_clients(shared)) {
        pool_numbers& p = out[r.login];
        if (r.waiting) {
            ++p.waiting;
            p.longest = std::max(p.longest, r.since);
        } else {
            ++p.active;
        }
        if (r.server != nullptr) ++p.server_active;
    }
    for (const idle_report& r : gather_idle(shared))
        ++out[r.login].server_idle;
    return out;
}

live_table pools(const process& shared, boost::asio::io_context& control,
                 const settings_source& settings) {
    live_table t{schema, "pools", "Clients and server connections per database and user.", {}, {}};
    t.columns = {{"database", text, "Database."}, {"user", text, "User."}};
    for (const char* name :
         {"cl_active", "cl_waiting", "cl_active_cancel_req", "cl_waiting_cancel_req", "sv_active",
          "sv_active_cancel", "sv_being_canceled", "sv_idle", "sv_used", "sv_tested", "sv_login",
          "maxwait", "maxwait_us"})
        t.columns.push_back({name, number, "As in PgBouncer."});
    t.columns.push_back({"pool_mode", text, "transaction, session or statement."});
    t.columns.push_back({"load_balance_hosts", text, "Always NULL: hostgroups do that."});
    t.rows = [&shared, &control, settings] {
        const auto now = run_on(control, settings);
        std::vector<row> out;
        for (const auto& [login, p] : pools_of(shared)) {
            const std::int64_t us = microseconds(p.longest);
            const std::int64_t none = 0;
            out.push_back({login->database, login->user, p.active, p.waiting, none, none,
                           p.server_active, none, none, p.server_idle, none, none, none,
                           us / 1000000, us % 1000000, mode_of(*now, *login), value()});
        }
        return out;
    };
    return t;
}

std::vector<live_column> socket_columns() {
    std::vector<live_column> out;
    for (const char* name : {"type", "user", "database", "replication", "state", "addr"})
        out.push_back({name, text, "As in PgBouncer."});
    out.push_back({"port", number, "As in PgBouncer."});
    out.push_back({"local_addr", text, "Always NULL."});
    out.push_back({"local_port", number, "Always NULL."});
    out.push_back({"connect_time", text, "Always NULL."});
    out.push_back({"request_time", text, "Always NULL."});
    for (const char* name : {"wait", "wait_us", "close_needed"})
        out.push_back({name, number, "As in PgBouncer."});
    out.push_back({"ptr", text, "Number of the client, or pid of the server process."});
    out.push_back({"link", text, "The other side's."});
    out.push_back({"remote_pid", number, "pid of the server process."});
    out.push_back({"tls", text, "on where the connection is encrypted."});
    out.push_back({"application_name", text, "Always NULL."});
    out.push_back({"prepared_statements", number, "Always NULL."});
    out.push_back({"id", number, "As ptr."});
    return out;
}

/// "10.0.0.1:40112"; a unix socket has no port.
void add_address(row& to, const std::string& peer) {
    const std::size_t colon = peer.rfind(':');
    if (colon == peer.npos) {
        to.emplace_back(peer);
        to.emplace_back(std::int64_t{0});
        return;
    }
    to.emplace_back(peer.substr(0, colon));
    to.emplace_back(std::int64_t{std::atoll(peer.c_str() + colon + 1)});
}

row socket_row(std::string type, const pool_login& login, bool replication, std::string state,
               const std::string& address, std::chrono::steady_clock::duration wait) {
    row out{std::move(type), login.user, login.database,
            std::string(replication ? "logical" : "none"), std::move(state)};
    add_address(out, address);
    out.insert(out.end(), 4, value());
    const std::int64_t us = microseconds(wait);
    out.emplace_back(us / 1000000);
    out.emplace_back(us % 1000000);
    out.emplace_back(std::int64_t{0});
    return out;
}

live_table clients(const process& shared) {
    return {schema, "clients", "Every client.", socket_columns(), [&shared] {
                std::vector<row> out;
                for (const client_report& r : gather_clients(shared)) {
                    const char* state = r.waiting                          ? "waiting"
                                        : r.server != nullptr || r.running ? "active"
                                                                           : "idle";
                    row one =
                        socket_row("C", *r.login, r.replication, state, r.peer,
                                   r.waiting ? r.since : std::chrono::steady_clock::duration{});
                    one.emplace_back(std::to_string(r.pid));
                    one.push_back(r.server != nullptr ? value(std::to_string(r.server_pid))
                                                      : value(std::string()));
                    one.emplace_back(std::int64_t{r.server_pid});
                    one.emplace_back(std::string(r.tls ? "on" : ""));
                    one.insert(one.end(), 2, value());
                    one.emplace_back(std::int64_t{r.pid});
                    out.push_back(std::move(one));
                }
                return out;
            }};
}

live_table servers(const process& shared) {
    return {schema, "servers", "Every server connection.", socket_columns(), [&shared] {
                std::vector<row> out;
                const auto add = [&](const pool_login& login, const server_entry& server,
                                     const char* state, std::int32_t pid, std::int32_t client) {
                    row one = socket_row("S", login, false, state, to_string(server.at), {});
                    one.emplace_back(std::to_string(pid));
                    one.emplace_back(client != 0 ? std::to_string(client) : std::string());
                    one.emplace_back(std::int64_t{pid});
                    one.emplace_back(std::string());
                    one.insert(one.end(), 2, value());
                    one.emplace_back(std::int64_t{pid});
                    out.push_back(std::move(one));
                };
                for (const client_report& r : gather_clients(shared))
                    if (r.server != nullptr)
                        add(*r.login, *r.server, "active", r.server_pid, r.pid);
                for (const idle_report& r : gather_idle(shared))
                    add(*r.login, *r.server, "idle", r.pid, 0);
                return out;
            }};
}

live_table databases(const process& shared, boost::asio::io_context& control, operations& traffic,
                     const settings_source& settings) {
    live_table t{schema, "databases", "Databases that are configured or in use.", {}, {}};
    t.columns = {{"name", text, "Database."},
                 {"host", text, "The first server of the first writer hostgroup."},
                 {"port", number, "Its port."},
                 {"database", text, "Its name on the servers."},
                 {"force_user", text, "Always NULL."}};
    for (const char* name : {"pool_size", "min_pool_size", "reserve_pool_size", "server_lifetime"})
        t.columns.push_back({name, number, "Server connections are limited per server."});
    t.columns.push_back({"pool_mode", text, "Where it differs from everybody's."});
    t.columns.push_back({"load_balance_hosts", text, "Always NULL."});
    for (const char* name : {"max_connections", "current_connections", "max_client_connections",
                             "current_client_connections", "paused", "disabled"})
        t.columns.push_back({name, number, "As in PgBouncer."});
    t.rows = [&shared, &control, &traffic, settings] {
        const auto now = run_on(control, settings);
        const auto paused = run_on(control, [&traffic] { return traffic.current().pauses(); });
        std::map<std::string, pool_numbers> used;
        for (const conf::database& d : now->databases)
            used[d.name];
        for (const auto& [login, p] : pools_of(shared)) {
            pool_numbers& sum = used[login->database];
            sum.active += p.active + p.waiting;
            sum.server_active += p.server_active + p.server_idle;
        }
        std::vector<row> out;
        for (const auto& [name, p] : used) {
            const conf::database* d = find_database(*now, name);
            const std::string& there = d == nullptr ? name : d->on_servers();
            const bool is_paused =
                std::any_of(paused.begin(), paused.end(), [&, &n = name](const traffic_scope& s) {
                    return s.what == traffic_scope::kind::everything ||
                           (s.what == traffic_scope::kind::database && s.name == n);
                });
            const value host =
                now->servers.empty() ? value() : value(now->servers.front().hostname);
            const value port =
                now->servers.empty() ? value() : value(std::int64_t{now->servers.front().port});
            const std::int64_t pool =
                now->servers.empty() ? 0 : std::int64_t{now->servers.front().max_connections};
            const std::int64_t none = 0;
            out.push_back(
                {name, host, port, there, value(), pool, none, none,
                 now->vars.connection_max_age_ms.count() / 1000,
                 d != nullptr && d->pool_mode ? value(std::string(conf::to_string(*d->pool_mode)))
                                              : value(),
                 value(), pool, p.server_active,
                 d != nullptr && d->max_connections ? value(std::int64_t{*d->max_connections})
                                                    : value(none),
                 p.active, std::int64_t{is_paused}, none});
        }
        return out;
    };
    return t;
}

live_table users(const process& shared, boost::asio::io_context& control,
                 const settings_source& settings) {
    live_table t{schema, "users", "Users that are configured.", {}, {}};
    t.columns = {{"name", text, "User."}, {"pool_mode", text, "Where it differs."}};
    for (const char* name :
         {"pool_size", "reserve_pool_size", "max_user_connections", "current_connections",
          "max_user_client_connections", "current_client_connections"})
        t.columns.push_back({name, number, "As in PgBouncer."});
    t.rows = [&shared, &control, settings] {
        const auto now = run_on(control, settings);
        std::map<std::string, pool_numbers> used;
        for (const auto& [login, p] : pools_of(shared)) {
            used[login->user].active += p.active + p.waiting;
            used[login->user].server_active += p.server_active + p.server_idle;
        }
        std::vector<row> out;
        for (const conf::user& u : now->users) {
            const pool_numbers& p = used[u.username];
            out.push_back(
                {u.username,
                 u.pool_mode ? value(std::string(conf::to_string(*u.pool_mode))) : value(),
                 std::int64_t{0}, std::int64_t{0}, std::int64_t{0}, p.server_active,
                 std::int64_t{u.max_connections}, p.active});
        }
        return out;
    };
    return t;
}

live_table lists(const process& shared, boost::asio::io_context& control,
                 const settings_source& settings) {
    return {
        schema,
        "lists",
        "How many there are.",
        {{"list", text, "Of what."}, {"items", number, "How many."}},
        [&shared, &control, settings] {
            const auto now = run_on(control, settings);
            const auto idle = gather_idle(shared);
            const auto all = gather_clients(shared);
            std::set<std::string> names;
            std::set<const pool_login*> logins;
            std::int64_t used = 0;
            for (const client_report& r : all) {
                names.insert(r.login->database);
                logins.insert(r.login);
                if (r.server != nullptr) ++used;
            }
            const auto size = [](const auto& of) { return static_cast<std::int64_t>(of.size()); };
            const std::int64_t none = 0;
            return std::vector<row>{
                {"databases", size(names)},   {"users", size(now->users)}, {"pools", size(logins)},
                {"free_clients", none},       {"used_clients", size(all)}, {"login_clients", none},
                {"free_servers", size(idle)}, {"used_servers", used},      {"dns_names", none},
                {"dns_zones", none},          {"dns_queries", none},       {"dns_pending", none}};
        }};
}

live_table config(boost::asio::io_context& control, const settings_source& settings) {
    return {schema,
            "config",
            "Variables in force.",
            {{"key", text, "Name."},
             {"value", text, "Value; secrets are not shown."},
             {"default", text, "Its default."},
             {"changeable", text, "yes: without a restart."}},
            [&control, settings] {
                const auto now = run_on(control, settings);
                std::vector<row> out;
                for (const conf::option& o : conf::options())
                    out.push_back({std::string(o.name),
                                   o.secret ? std::string() : o.get(now->vars).value_or(""),
                                   o.secret ? std::string() : conf::default_of(o),
                                   std::string(o.reloadable ? "yes" : "no")});
                return out;
            }};
}

using sums_by_database = std::map<std::string, login_counters>;

/// In PgBouncer's order; times are averaged over what they belong to, the others per second.
struct stats_column {
    const char* name;
    std::uint64_t login_counters::*total;
    std::uint64_t login_counters::*per;  ///< null: seconds
};
constexpr stats_column stats_columns[] = {
    {"xact_count", &login_counters::transactions, nullptr},
    {"query_count", &login_counters::statements, nullptr},
    {"server_assignment_count", &login_counters::assignments, nullptr},
    {"received", &login_counters::received, nullptr},
    {"sent", &login_counters::sent, nullptr},
    {"xact_time", &login_counters::transaction_us, &login_counters::transactions},
    {"query_time", &login_counters::statement_us, &login_counters::statements},
    {"wait_time", &login_counters::wait_us, &login_counters::assignments},
    {"client_parse_count", &login_counters::client_parses, nullptr},
    {"bind_count", &login_counters::binds, nullptr},
};

sums_by_database sums(const process& shared) {
    sums_by_database out;
    for (const auto& [login, n] : gather_logins(shared))
        for (const stats_column& c : stats_columns)
            out[login->database].*c.total += n.*c.total;
    return out;
}

/// Averages are those since the sample before, which is a minute old or more.
class stats_samples {
public:
    struct sample {
        std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now();
        sums_by_database sums;
    };
    sample before(const sums_by_database& now) {
        const std::scoped_lock lock(mutex_);
        const auto time = std::chrono::steady_clock::now();
        if (time - latest_.at >= std::chrono::minutes(1)) {
            before_ = std::exchange(latest_, sample{time, now});
        }
        return before_;
    }

private:
    std::mutex mutex_;
    sample before_;
    sample latest_;
};

live_table stats(const process& shared) {
    live_table t{schema, "stats", "What the clients of each database have done.", {}, {}};
    t.columns = {{"database", text, "Database."}};
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const char* prefix : {"total_", "avg_"})
            for (const stats_column& c : stats_columns) {
                const bool short_name = *prefix == 'a' && std::string_view(c.name) == "received";
                all.push_back(prefix + std::string(short_name ? "recv" : c.name));
            }
        return all;
    }();
    for (const std::string& name : names)
        t.columns.push_back({name, number, "As in PgBouncer; times in microseconds."});
    auto samples = std::make_shared<stats_samples>();
    t.rows = [&shared, samples] {
        const sums_by_database now = sums(shared);
        const stats_samples::sample then = samples->before(now);
        const double seconds = std::max(
            1.0, std::chrono::duration<double>(std::chrono::steady_clock::now() - then.at).count());
        std::vector<row> out;
        for (const auto& [name, n] : now) {
            row r{name};
            for (const stats_column& c : stats_columns)
                r.emplace_back(static_cast<std::int64_t>(n.*c.total));
            const auto found = then.sums.find(name);
            const login_counters old = found == then.sums.end() ? login_counters{} : found->second;
            for (const stats_column& c : stats_columns) {
                const auto grown = static_cast<double>(n.*c.total - old.*c.total);
                const double by =
                    c.per == nullptr ? seconds : static_cast<double>(n.*c.per - old.*c.per);
                r.emplace_back(static_cast<std::int64_t>(by == 0 ? 0 : grown / by));
            }
            out.push_back(std::move(r));
        }
        return out;
    };
    return t;
}

live_table state(boost::asio::io_context& control, operations& traffic) {
    return {schema,
            "state",
            "Whether clients get servers.",
            {{"key", text, "active, paused or suspended."}, {"value", text, "yes or no."}},
            [&control, &traffic] {
                const bool paused = run_on(control, [&traffic] {
                    const auto& all = traffic.current().pauses();
                    return std::ranges::find(all, traffic_scope{}) != all.end();
                });
                const auto yes = [](bool is) { return std::string(is ? "yes" : "no"); };
                return std::vector<row>{
                    {"active", yes(!paused)}, {"paused", yes(paused)}, {"suspended", "no"}};
            }};
}

}  // namespace

void add_pgbouncer_tables(std::vector<live_table>& tables, boost::asio::io_context& control,
                          process& shared, operations& traffic, const settings_source& settings) {
    tables.push_back(pools(shared, control, settings));
    tables.push_back(clients(shared));
    tables.push_back(servers(shared));
    tables.push_back(databases(shared, control, traffic, settings));
    tables.push_back(users(shared, control, settings));
    tables.push_back(lists(shared, control, settings));
    tables.push_back(stats(shared));
    tables.push_back(config(control, settings));
    tables.push_back(state(control, traffic));
}

std::vector<admin::command> pgbouncer_commands() {
    using admin::command_call;
    using admin::command_result;
    using admin::role;
    using admin::sql_result;
    constexpr std::string_view group = "PgBouncer's console";
    const auto table = [](const char* name) {
        return [sql = "SELECT * FROM pgbouncer." + std::string(name)](const command_call& call) {
            return admin::select(call, sql);
        };
    };
    const auto one = [](std::string name, std::string content) {
        return [name, content](const command_call&) -> sql_result<command_result> {
            command_result r;
            r.tag = "SHOW";
            r.columns = {{name, text}};
            r.rows = {{content}};
            return r;
        };
    };
    return {
        {"SHOW [EXTENDED] POOLS", "Clients and server connections per database and user.",
         role::stats, table("pools"), group},
        {"SHOW [EXTENDED] CLIENTS", "Every client.", role::stats, table("clients"), group},
        {"SHOW [EXTENDED] SERVERS", "Every server connection.", role::stats, table("servers"),
         group},
        {"SHOW [EXTENDED] DATABASES", "Databases.", role::stats, table("databases"), group},
        {"SHOW [EXTENDED] USERS", "Users.", role::stats, table("users"), group},
        {"SHOW [EXTENDED] LISTS", "How many there are of what.", role::stats, table("lists"),
         group},
        {"SHOW [EXTENDED] CONFIG", "Variables in force.", role::stats, table("config"), group},
        {"SHOW [EXTENDED] STATE", "Whether clients get servers.", role::stats, table("state"),
         group},
        {"SHOW {ACTIVE_SOCKETS|DNS_HOSTS|DNS_ZONES|FDS|MEM|PEERS|PEER_POOLS|SOCKETS}",
         "Of PgBouncer's insides; Howdah has nothing like it.", role::stats,
         [](const command_call&) -> sql_result<command_result> {
             return admin::sql_error(
                 protocol::sqlstate::feature_not_supported, "Howdah has no such thing to show",
                 "SHOW CLIENTS, SHOW SERVERS and monitor.pgsql_server_connect_log tell of "
                 "connections.");
         },
         group},
        {"SHOW STATS", "What the clients of each database have done, and averages.", role::stats,
         table("stats"), group},
        {"SHOW STATS_TOTALS", "The same without averages.", role::stats,
         [](const command_call& call) {
             std::string columns = "database";
             for (const stats_column& c : stats_columns)
                 columns += ", total_" + std::string(c.name);
             return admin::select(call, "SELECT " + columns + " FROM pgbouncer.stats");
         },
         group},
        {"SHOW STATS_AVERAGES", "The same without totals.", role::stats,
         [](const command_call& call) {
             std::string columns = "database";
             for (const stats_column& c : stats_columns)
                 columns += ", avg_" +
                            std::string(std::string_view(c.name) == "received" ? "recv" : c.name);
             return admin::select(call, "SELECT " + columns + " FROM pgbouncer.stats");
         },
         group},
        {"SHOW VERSION", "Howdah's version.", role::stats, one("version", "Howdah " HOWDAH_VERSION),
         group},
    };
}

}  // namespace howdah::proxy
