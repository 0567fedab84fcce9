#include <algorithm>
#include <tuple>

#include "admin/pgbouncer/translator.hpp"

// The section [databases]: databases on other hosts are other hostgroups.
namespace howdah::admin::pgbouncer {
namespace {

constexpr int first_writer = 10;
/// Readers of a hostgroup, where somebody adds them, are ten above it: 10 and 20, 30 and 40, ...
constexpr int pair_step = 20;
constexpr int reader_step = 10;
constexpr std::int64_t most_connections = 1'000'000;

const setting* item_of(const database_entry& d, std::string_view name) {
    const auto found = std::ranges::find_if(
        d.items, [&](const setting& s) { return s.known != nullptr && s.known->name == name; });
    return found == d.items.end() ? nullptr : &*found;
}

std::int64_t amount(const database_entry& d, std::string_view name, std::int64_t otherwise) {
    const setting* s = item_of(d, name);
    return s == nullptr ? otherwise : integer_of(s->value).value_or(otherwise);
}

}  // namespace

void translator::dbname(const setting& s) {
    if (s.database->row.name == s.value)
        return report(s, outcome::translated, s.value, "The same name.");
    if (s.database->fallback) return impossible(s, std::string(s.known->note));
    s.database->row.server_database = s.value;
    report(s, outcome::translated, std::string(s.known->target));
}

void translator::host(const setting& s) {
    s.database->hosts = list_of(s.value);
    const bool abstract = std::ranges::any_of(
        s.database->hosts, [](const std::string& h) { return h.starts_with('@'); });
    if (abstract || s.database->hosts.empty()) {
        s.database->reachable = false;
        return impossible(s,
                          "Howdah does not know sockets in the abstract namespace: let the "
                          "server listen in a folder (unix_socket_directories).");
    }
    report(s, outcome::translated, std::string(s.known->target),
           s.database->hosts.size() > 1 ? std::string(s.known->note) : std::string());
}

void translator::port(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n || *n < 1 || *n > 65535) return impossible(s, "is no port.");
    s.database->port = static_cast<std::uint16_t>(*n);
    report(s, outcome::translated, std::string(s.known->target));
}

void translator::load_balance_hosts(const setting& s) {
    if (s.value != "disable" && s.value != "round-robin")
        return impossible(s, "is neither round-robin nor disable.");
    s.database->balanced = s.value == "round-robin";
    report(s, outcome::translated, std::string(s.known->target), std::string(s.known->note));
}

void translator::target_session_attrs(const setting& s) {
    if (s.value == "any") return report(s, outcome::ignored, {}, "As in Howdah.");
    if (s.value != "read-write" && s.value != "primary")
        return impossible_because(s,
                                  "List these servers in the reader hostgroup of their primary.");
    s.database->wants_primary = true;
    report(s, outcome::translated, std::string(s.known->target), std::string(s.known->note));
}

void translator::forced_user(const setting& s) {
    const auto listed =
        std::ranges::count_if(users_, [](const auto& named) { return named.second.listed; });
    const bool only = listed == 1 && listed_user(s.value) != nullptr &&
                      general("auth_user") == nullptr && value_of("auth_type", "md5") != "any";
    if (!only)
        return impossible(s,
                          std::string(s.known->note) + " Let clients log in as " + s.value + ".");
    s.database->is_forced = true;
    report(s, outcome::translated, "pgsql_users: " + s.value, "Nobody else may log in.");
}

void translator::forced_password(const setting& s) {
    const setting* user = item_of(*s.database, "user");
    if (user == nullptr) return report(s, outcome::ignored, {}, "Nothing without user=.");
    const auto found = users_.find(user->value);
    if (!s.database->is_forced || found == users_.end())
        return report(s, outcome::ignored, {}, "As user=.");
    conf::user& row = found->second.row;
    if (row.password == s.value) return report(s, outcome::translated, "pgsql_users.password");
    if (row.server_password && *row.server_password != s.value)
        return impossible(s, "Another entry has another password for this user.");
    row.server_password = s.value;
    report(s, outcome::translated, std::string(s.known->target));
}

void translator::database_auth(const setting& s) {
    const setting* all = general(s.known->name);
    if (all == nullptr || all->value != s.value) return impossible(s, std::string(s.known->note));
    report(s, outcome::translated,
           std::string(find_setting(scope::general, s.known->name)->target));
}

void translator::database_server_lifetime(const setting& s) {
    const auto wanted = milliseconds_of(s.value);
    if (!wanted || wanted != milliseconds_of(value_of("server_lifetime", "3600")))
        return impossible(s, std::string(s.known->note));
    report(s, outcome::translated, "pgsql-connection_max_age_ms");
}

void translator::database_clients(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n || *n < 0 || *n > most_connections) return impossible(s, "is no number of clients.");
    if (*n == 0) return report(s, outcome::ignored, {}, "No limit.");
    if (s.database->fallback)
        return impossible(s, "pgsql_databases has no row for all other databases: list them.");
    s.database->row.max_connections = static_cast<std::uint32_t>(*n);
    report(s, outcome::translated, std::string(s.known->target) + " = " + s.value);
}

void translator::place_databases() {
    using key = std::tuple<std::vector<std::string>, std::uint16_t, bool, bool>;
    std::map<key, int> known;
    for (database_entry& d : databases_) {
        // As whom the servers are used decides where other things of it go.
        std::ranges::stable_partition(d.items, [](const setting& s) {
            return s.known != nullptr && s.known->name == "user";
        });
        const std::int64_t clients = amount_of("max_db_client_connections", 0);
        if (clients > 0 && clients <= most_connections && !d.fallback)
            d.row.max_connections = static_cast<std::uint32_t>(clients);
        for (const setting& s : d.items)
            treat(s);
        if (d.hosts.empty() && d.reachable) d.hosts = {socket_dir_};
        if (!d.reachable || d.hosts.front().empty()) {
            report(d.entry, outcome::ignored, {}, "There is no server for it.");
            continue;
        }
        const key where{d.hosts, d.port, d.balanced, d.wants_primary};
        const int next = first_writer + pair_step * static_cast<int>(known.size());
        d.hostgroup = known.emplace(where, next).first->second;
        std::string servers;
        for (const std::string& h : d.hosts)
            servers.append(servers.empty() ? "" : ", ").append(h + ":" + std::to_string(d.port));
        report(d.entry, outcome::translated,
               "hostgroup " + std::to_string(d.hostgroup) + ": " + servers,
               "Adds " + std::to_string(connections_of(d)) + " connections.");
    }
}

std::int64_t translator::connections_of(const database_entry& d) const {
    const std::int64_t limit = amount(d, "max_db_connections", amount_of("max_db_connections", 0));
    if (limit > 0) return limit;
    const std::int64_t reserve = amount(d, "reserve_pool", amount_of("reserve_pool_size", 0));
    return amount(d, "pool_size", amount_of("default_pool_size", 20)) +
           amount(d, "reserve_pool_size", reserve);
}

void translator::make_servers() {
    using address = std::pair<std::string, std::uint16_t>;
    // A server has one account for all of its hostgroups.
    std::map<address, std::int64_t> connections;
    for (const database_entry& d : databases_) {
        if (d.hostgroup < 0) continue;
        const auto hosts = static_cast<std::int64_t>(d.hosts.size());
        const std::int64_t share =
            d.balanced ? (connections_of(d) + hosts - 1) / hosts : connections_of(d);
        for (const std::string& h : d.hosts) {
            std::int64_t& n = connections[{h, d.port}];
            n = std::min(n + share, most_connections);
        }
    }
    std::set<int> made;
    for (const database_entry& d : databases_) {
        if (d.hostgroup < 0 || !made.insert(d.hostgroup).second) continue;
        std::set<std::string> hosts;
        for (const std::string& h : d.hosts) {
            if (!hosts.insert(h).second) continue;
            conf::server s;
            s.hostgroup_id = d.hostgroup;
            s.hostname = h;
            s.port = d.port;
            s.weight = d.balanced || hosts.size() == 1 ? 1 : 0;
            s.max_connections = static_cast<std::uint32_t>(connections[{h, d.port}]);
            s.comment = "from pgbouncer.ini";
            out_.servers.push_back(std::move(s));
        }
        if (d.wants_primary)
            out_.replication_hostgroups.push_back(
                {d.hostgroup, d.hostgroup + reader_step, "from pgbouncer.ini"});
    }
}

int translator::home() const {
    const database_entry* first = nullptr;
    for (const database_entry& d : databases_) {
        if (d.hostgroup < 0) continue;
        if (d.fallback) return d.hostgroup;
        if (first == nullptr) first = &d;
    }
    return first == nullptr ? -1 : first->hostgroup;
}

void translator::make_routes() {
    const int usual = home();
    std::set<std::string> names;
    for (const database_entry& d : databases_) {
        if (d.fallback || d.hostgroup < 0) continue;
        conf::database nothing;
        nothing.name = d.row.name;
        if (!names.insert(d.row.name).second) {
            setting s = d.entry;
            s.name += " again";
            impossible(s, "The entry is there twice; the first one counts.");
            continue;
        }
        if (!(d.row == nothing)) {
            out_.databases.push_back(d.row);
            out_.databases.back().comment = "from pgbouncer.ini";
        }
        if (d.hostgroup != usual)
            out_.fast_routes.push_back({.username = "",
                                        .database = d.row.name,
                                        .flag_in = 0,
                                        .destination_hostgroup = d.hostgroup,
                                        .comment = "from pgbouncer.ini"});
    }
}

}  // namespace howdah::admin::pgbouncer
