#include "conf/columns.hpp"

#include <algorithm>
#include <map>

#include "conf/address.hpp"
#include "conf/hba_names.hpp"
#include "conf/hostgroup_values.hpp"
#include "conf/options.hpp"
#include "conf/rule_values.hpp"
#include "conf/tag_values.hpp"

namespace howdah::conf {
namespace {

constexpr limits hostgroup_range{0, std::numeric_limits<int>::max()};
constexpr limits flag_range = hostgroup_range;
/// What ProxySQL's unsigned columns of milliseconds can hold.
constexpr std::int64_t longest = std::numeric_limits<std::uint32_t>::max();

template <class Record>
field<Record> required(field<Record> column) {
    column.required = true;
    return column;
}

template <class Record>
field<Record> secret(field<Record> column) {
    column.secret = true;
    return column;
}

/// The columns that users and databases have in common; `doc` stands with each.
template <class Record>
void add_overrides(std::vector<field<Record>>& table, std::string_view doc) {
    const auto add = [&]<class T>(std::string_view name, std::optional<T> overrides::*member) {
        // The same values as for everybody.
        const option* general = find_option(name);
        table.push_back(make_field<Record, std::optional<T>>(name, member, doc, general->range));
    };
    add("pool_mode", &overrides::pool_mode);
    add("read_write_split", &overrides::read_write_split);
    add("read_consistency", &overrides::read_consistency);
    add("connect_timeout_server_max", &overrides::connect_timeout_server_max);
    add("query_wait_notify", &overrides::query_wait_notify);
    add("query_timeout", &overrides::query_timeout);
    add("transaction_timeout", &overrides::transaction_timeout);
    add("max_transaction_idle_time", &overrides::max_transaction_idle_time);
    add("wait_timeout", &overrides::wait_timeout);
    add("cancel_on_client_disconnect", &overrides::cancel_on_client_disconnect);
}

/// Only values that `check` finds nothing wrong with.
template <class Record>
field<Record> checked(field<Record> column, value_error (*check)(std::string_view)) {
    column.set = [set = column.set, check](Record& record, std::string_view text) {
        const auto error = check(text);
        return error ? error : set(record, text);
    };
    return column;
}

value_error check_digest(std::string_view text) {
    if (parse_digest(text)) return std::nullopt;
    return "is no digest (0x and up to 16 hex digits)";
}

value_error check_modifiers(std::string_view text) {
    if (parse_re_modifiers(text)) return std::nullopt;
    return "must be CASELESS, GLOBAL, both with ',' between them, or empty";
}

value_error check_attributes(std::string_view text) {
    if (parse_weighted_flags(text)) return std::nullopt;
    return R"(must be empty or JSON such as {"flagOUTs": [{"id": 1, "weight": 3}]})";
}

/// A list of names, kept in one string with ';' between them.
template <class Record>
field<Record> name_list(field<Record> column, value_error (*check)(std::string_view)) {
    column.kind = value_kind::list;
    column.set = [set = column.set, check](Record& record, std::string_view text) {
        std::string joined;
        for (const std::string_view entry : split_hba_names(text)) {
            if (const auto error = check(entry)) return error;
            joined.append(joined.empty() ? "" : ";").append(entry);
        }
        return joined.empty() ? value_error("names nobody and nothing") : set(record, joined);
    };
    return column;
}

}  // namespace

template <>
std::span<const field<server>> columns() {
    static const std::vector<field<server>> table{
        required(make_field("hostgroup_id", &server::hostgroup_id,
                            "Hostgroup of the server; of a replication pair, either one.",
                            hostgroup_range)),
        required(make_field("hostname", &server::hostname,
                            "Name or IP address; a directory ('/...') means its unix socket.")),
        make_field("port", &server::port, "Port.", {1, 65535}),
        make_field("status", &server::status,
                   "Given by the operator; ONLINE leaves it to the "
                   "monitor."),
        make_field("weight", &server::weight,
                   "Share of the hostgroup's queries; 0 is used only if there is no other.",
                   {0, 10'000'000}),
        make_field("max_connections", &server::max_connections,
                   "Connections to this server, over all threads and users.", {0, 1'000'000}),
        make_field("max_replication_lag", &server::max_replication_lag,
                   "Seconds a standby may lag behind before it is not read from; 0 means no limit.",
                   {0, 126'144'000}),
        make_field("use_ssl", &server::use_ssl,
                   "1 requires TLS where server_sslmode alone would not.", {0, 1}),
        make_field("max_latency_ms", &server::max_latency_ms,
                   "Ping time (ms) above which the server is avoided; 0 means no limit.",
                   {0, 3'600'000}),
        make_field("comment", &server::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<replication_hostgroup>> columns() {
    using r = replication_hostgroup;
    static const std::vector<field<r>> table{
        required(make_field("writer_hostgroup", &r::writer_hostgroup, "Hostgroup of the primary.",
                            hostgroup_range)),
        required(make_field("reader_hostgroup", &r::reader_hostgroup, "Hostgroup of the standbys.",
                            hostgroup_range)),
        make_field("comment", &r::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<hostgroup_attributes>> columns() {
    using a = hostgroup_attributes;
    static const std::vector<field<a>> table{
        required(make_field("hostgroup_id", &a::hostgroup_id, "The hostgroup.", hostgroup_range)),
        make_field(
            "max_num_online_servers", &a::max_num_online_servers,
            "With more servers online than this, none of them takes work (two writers, say).",
            {0, 1'000'000}),
        checked(make_field("autocommit", &a::autocommit,
                           "-1; ProxySQL's other values have no meaning in PostgreSQL.", {-1, 1}),
                check_autocommit),
        make_field("free_connections_pct", &a::free_connections_pct,
                   "Share (%) of a server's max_connections that stays open without being used for "
                   "a second.",
                   {0, 100}),
        make_field("init_connect", &a::init_connect,
                   "SQL with which every new server connection begins; parameters that it sets are "
                   "what RESET goes back to."),
        make_field("multiplex", &a::multiplex,
                   "false: a session keeps its server connection until it ends or needs another "
                   "hostgroup."),
        make_field("connection_warming", &a::connection_warming,
                   "true: once a login uses a server, connections are opened for it up to "
                   "free_connections_pct."),
        make_field("throttle_connections_per_sec", &a::throttle_connections_per_sec,
                   "New connections per second, over all threads.", {1, 1'000'000}),
        checked(make_field("ignore_session_variables", &a::ignore_session_variables,
                           "JSON list of parameters that clients have set and that are not carried "
                           "along to the connections."),
                check_ignored_variables),
        checked(make_field("hostgroup_settings", &a::hostgroup_settings,
                           "Empty or {}: what ProxySQL has there is about MySQL."),
                check_hostgroup_settings),
        checked(make_field("servers_defaults", &a::servers_defaults,
                           "JSON with weight, max_connections, use_ssl of a server that its role "
                           "has moved here and that has no row for this hostgroup."),
                check_servers_defaults),
        make_field("comment", &a::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<ha_server>> columns() {
    using h = ha_server;
    static const std::vector<field<h>> table = [] {
        auto tags = checked(make_field("tags", &h::tags,
                                       "Names with values, for people and programs; nofailover "
                                       "keeps the server from being promoted."),
                            check_tags);
        tags.kind = value_kind::map;
        return std::vector<field<h>>{
            required(make_field("hostname", &h::hostname, "As in servers.")),
            make_field("port", &h::port, "Port.", {1, 65535}),
            make_field("promotion_rule", &h::promotion_rule,
                       "Whether it should become the primary where several could: must (if any "
                       "server has it, only such a one), prefer, neutral, prefer_not, must_not "
                       "(never)."),
            make_field("data_center", &h::data_center,
                       "Where it stands; the old primary's is preferred (ha_same_data_center: "
                       "demanded)."),
            std::move(tags),
            make_field("comment", &h::comment, "Free text."),
        };
    }();
    return table;
}

template <>
std::span<const field<user>> columns() {
    static const std::vector<field<user>> table = [] {
        std::vector<field<user>> rows{
            required(make_field("username", &user::username, "Name of the role.")),
            secret(
                make_field("password", &user::password,
                           "Plain text, a SCRAM-SHA-256 verifier or an md5 hash as in pg_authid.")),
            secret(make_field("server_password", &user::server_password,
                              "Password towards the servers where `password` is not plain text.")),
            make_field("active", &user::active, "false: as if the user were not there."),
            make_field("use_ssl", &user::use_ssl, "true refuses the user without TLS."),
            make_field("default_hostgroup", &user::default_hostgroup,
                       "Where queries go that nothing else sends elsewhere.", hostgroup_range),
            make_field("max_connections", &user::max_connections, "Client connections of the user.",
                       {0, 1'000'000}),
            make_field("use_reserved_connections", &user::use_reserved_connections,
                       "true: may log in while only reserved_connections are left."),
        };
        add_overrides(rows, "As the variable, for this user.");
        rows.push_back(make_field("comment", &user::comment, "Free text."));
        return rows;
    }();
    return table;
}

template <>
std::span<const field<database>> columns() {
    static const std::vector<field<database>> table = [] {
        std::vector<field<database>> rows{
            required(make_field("name", &database::name, "Name that clients ask for.")),
            make_field("server_database", &database::server_database,
                       "Its name on the servers, where that is another."),
            make_field("max_connections", &database::max_connections,
                       "Client connections of the database; without it there is no limit.",
                       {0, 1'000'000}),
        };
        add_overrides(rows, "As the variable, for this database.");
        rows.push_back(make_field("comment", &database::comment, "Free text."));
        return rows;
    }();
    return table;
}

template <>
std::span<const field<query_rule>> columns() {
    using r = query_rule;
    static const std::vector<field<r>> table{
        required(make_field("rule_id", &r::rule_id, "Rules are looked at in this order.",
                            hostgroup_range)),
        make_field("active", &r::active, "false: as if the rule were not there."),
        make_field("username", &r::username, "Matches this user only."),
        make_field("database", &r::database, "Matches this database only."),
        make_field("flagIN", &r::flag_in,
                   "Matches while the chain has this flag: 0, or the flagOUT of an earlier rule.",
                   flag_range),
        make_field("client_addr", &r::client_addr,
                   "Matches this client address only; '%' at the end matches any rest."),
        make_field("proxy_addr", &r::proxy_addr,
                   "Matches clients that have connected to this address of Howdah only."),
        make_field("proxy_port", &r::proxy_port,
                   "Matches clients that have connected to this port of Howdah only.", {0, 65535}),
        checked(
            make_field("digest", &r::digest, "Matches statements with this digest only (0x...)."),
            check_digest),
        make_field("match_digest", &r::match_digest,
                   "Regular expression on the normalised statement."),
        make_field(
            "match_pattern", &r::match_pattern,
            "Regular expression on the statement as sent, or as rewritten by an earlier rule."),
        make_field("negate_match_pattern", &r::negate_match_pattern,
                   "Matches what the regular expressions do not match."),
        checked(make_field("re_modifiers", &r::re_modifiers,
                           "CASELESS: the regular expressions ignore case; GLOBAL: "
                           "replace_pattern replaces every match; both with ',' between them."),
                check_modifiers),
        make_field("flagOUT", &r::flag_out, "Later rules are looked at if this is their flagIN.",
                   flag_range),
        make_field("replace_pattern", &r::replace_pattern,
                   "Replaces what match_pattern matches; \\1 is its first group, \\0 all of it."),
        make_field("destination_hostgroup", &r::destination_hostgroup,
                   "Where matching statements go.", hostgroup_range),
        make_field("cache_ttl", &r::cache_ttl,
                   "The result is kept for so long and given to whoever asks for the same.",
                   {1, longest}),
        make_field("cache_empty_result", &r::cache_empty_result,
                   "Instead of query_cache_stores_empty_result."),
        make_field("cache_timeout", &r::cache_timeout,
                   "Has no effect in Howdah (nor in ProxySQL for PostgreSQL).", {0, longest}),
        make_field("reconnect", &r::reconnect,
                   "Has no effect in Howdah (nor in ProxySQL for PostgreSQL)."),
        make_field("timeout", &r::timeout,
                   "The statement is cancelled after this time; 0 leaves it to query_timeout.",
                   {0, longest}),
        make_field("retries", &r::retries,
                   "Instead of query_retries_on_failure, for statements that may be run again.",
                   {0, 1000}),
        make_field("delay", &r::delay, "The statement is held back for so long.", {0, longest}),
        make_field("next_query_flagIN", &r::next_query_flag_in,
                   "The flag with which the session's later statements begin.", flag_range),
        make_field("mirror_flagOUT", &r::mirror_flag_out,
                   "The statement is mirrored, to where the rules with this flagIN say.",
                   flag_range),
        make_field("mirror_hostgroup", &r::mirror_hostgroup,
                   "The statement is run there, too; its result is thrown away.", hostgroup_range),
        make_field("error_msg", &r::error_msg,
                   "The statement is not run; the client gets this error (42501)."),
        make_field("OK_msg", &r::ok_msg,
                   "The statement is not run; the client is told that it was, with this text."),
        make_field("sticky_conn", &r::sticky_conn,
                   "Has no effect in Howdah (nor in ProxySQL for PostgreSQL)."),
        make_field("multiplex", &r::multiplex,
                   "0: the session keeps its server connection; 1: that ends; 2: what this "
                   "statement does is no reason to keep it.",
                   {0, 2}),
        make_field(
            "log", &r::log,
            "true: the statement is logged (eventslog_filename); false: only if it is slow."),
        make_field("apply", &r::apply, "true: no later rule is looked at."),
        checked(make_field("attributes", &r::attributes,
                           "JSON. {\"flagOUTs\": [{\"id\": 1, \"weight\": 3}, ...]}: instead of "
                           "flagOUT one of these, drawn by weight for each statement."),
                check_attributes),
        make_field("comment", &r::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<fast_route>> columns() {
    using f = fast_route;
    static const std::vector<field<f>> table{
        required(make_field("username", &f::username, "For this user; '' for all others.")),
        required(make_field("database", &f::database, "For this database.")),
        make_field("flagIN", &f::flag_in, "For chains of rules that have ended with this flag.",
                   flag_range),
        required(make_field("destination_hostgroup", &f::destination_hostgroup,
                            "Where the statements go.", hostgroup_range)),
        make_field("comment", &f::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<firewall_user>> columns() {
    using u = firewall_user;
    static const std::vector<field<u>> table{
        make_field("active", &u::active, "false: as if the row were not there."),
        required(make_field("username", &u::username, "Name of the user.")),
        required(make_field("client_address", &u::client_address,
                            "For clients at this address; '' for all others.")),
        make_field("mode", &u::mode,
                   "What becomes of statements that are not on the list: nothing, a line in the "
                   "log, an error."),
        make_field("comment", &u::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<firewall_rule>> columns() {
    using r = firewall_rule;
    static const std::vector<field<r>> table{
        make_field("active", &r::active, "false: as if the row were not there."),
        required(make_field("username", &r::username, "Name of the user.")),
        required(make_field("client_address", &r::client_address,
                            "As in the row of firewall_whitelist_users that is for the client.")),
        required(make_field("database", &r::database, "Name of the database.")),
        make_field("flagIN", &r::flag_in, "The flag with which the chain of rules has ended.",
                   flag_range),
        required(checked(make_field("digest", &r::digest, "Digest of the statement (0x...)."),
                         check_digest)),
        make_field("comment", &r::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<hba_rule>> columns() {
    using r = hba_rule;
    static const std::vector<field<r>> table{
        required(make_field("type", &r::type,
                            "Connections over a unix socket (local), over TCP (host), over TCP "
                            "with TLS (hostssl) or without it (hostnossl).")),
        name_list(make_field("database", &r::database,
                             "Databases: names, '/' and a regular expression, all, sameuser, "
                             "replication. In double quotes a keyword is a name."),
                  check_hba_database),
        name_list(make_field("user", &r::user,
                             "Users: names, '/' and a regular expression, all. In double quotes a "
                             "keyword is a name."),
                  check_hba_user),
        checked(make_field("address", &r::address,
                           "Clients' addresses, for all types but local: 10.0.0.0/8, fd00::/8, one "
                           "address, samehost, samenet or all."),
                check_hba_address),
        required(
            make_field("method", &r::method,
                       "How they prove who they are. cert: by a certificate in the name of "
                       "the user (CN); peer: by the name of the OS user; both may use a map.")),
        make_field("map", &r::map, "For cert and peer: the user map that says who may be whom."),
        make_field(
            "clientcert", &r::clientcert,
            "For hostssl: a certificate of ssl_ca is needed, too (verify-ca), in the name of "
            "the user (verify-full)."),
        make_field("comment", &r::comment, "Free text."),
    };
    return table;
}

template <>
std::span<const field<user_map>> columns() {
    using m = user_map;
    static const std::vector<field<m>> table{
        required(make_field("map", &m::map, "Name of the map; several rows may have the same.")),
        required(make_field("system_user", &m::system_user,
                            "CN of the certificate or name of the OS user; or '/' and a regular "
                            "expression.")),
        required(make_field("database_user", &m::database_user,
                            "Who they may log in as: a name, in which \\1 stands for what the "
                            "expression's first group matched, or all.")),
        make_field("comment", &m::comment, "Free text."),
    };
    return table;
}

bool is_unsupported_column(std::string_view section, std::string_view column) {
    static const std::map<std::string_view, std::vector<std::string_view>> known{
        {"servers", {"compression", "gtid_port"}},
        {"replication_hostgroups", {"check_type"}},
        {"users",
         {"backend", "frontend", "attributes", "default_schema", "schema_locked", "fast_forward",
          "transaction_persistent"}},
        {"query_rules", {"schemaname", "gtid_from_hostgroup"}},
        {"query_rules_fast_routing", {"schemaname"}}};
    const auto found = known.find(section);
    return found != known.end() && std::ranges::find(found->second, column) != found->second.end();
}

}  // namespace howdah::conf
