#include "admin/pgbouncer/translation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "admin/pgbouncer/setting_table.hpp"
#include "conf/loader.hpp"
#include "conf/names.hpp"

namespace howdah::admin::pgbouncer {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using strings = std::vector<std::string>;
using namespace std::chrono_literals;

const std::string verifier =
    "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0$"
    "PKSHFGEvyGhWs4S4TLJrhBSDyDmgbhkR7qsFL4OJ1Qc=:+EhgGLlXRJw6FJYVeJYnjjfTrgVl8oRr5jHlCYTRJSI=";

class pgbouncer_translation : public ::testing::Test {
protected:
    const translation& import(const std::string& ini) {
        files["/p.ini"] = ini;
        const file_reader read = [this](const std::string& path) {
            conf::text_file out;
            const auto found = files.find(path);
            if (found == files.end())
                out.error = "No such file or directory";
            else
                out.text = found->second;
            return out;
        };
        const ini_file parsed = read_ini("/p.ini", read);
        EXPECT_THAT(parsed.problems, IsEmpty());
        t = translate(parsed, read, base);
        return t;
    }
    /// With a database and a user, so that nothing but the setting is of interest.
    const translation& with(const std::string& settings) {
        files["/users"] = "\"alice\" \"secret\"\n";
        return import("[databases]\n* = host=h\n[pgbouncer]\nauth_file = users\n" + settings);
    }
    const report_row& row(const std::string& setting) const {
        const auto found = std::ranges::find(t.rows, setting, &report_row::setting);
        if (found != t.rows.end()) return *found;
        static const report_row none{"", "", "", outcome::impossible, "", "there is no such row"};
        ADD_FAILURE() << "no row for " << setting;
        return none;
    }
    outcome fate(const std::string& setting) const { return row(setting).what; }
    strings impossible() const {
        strings out;
        for (const report_row& r : t.rows)
            if (r.what == outcome::impossible) out.push_back(r.setting);
        return out;
    }
    const conf::variables& vars() const { return t.result.vars; }
    strings servers() const {
        strings out;
        for (const conf::server& s : t.result.servers)
            out.push_back(std::to_string(s.hostgroup_id) + " " + s.hostname + ":" +
                          std::to_string(s.port) + " " + std::to_string(s.max_connections) + "/" +
                          std::to_string(s.weight));
        return out;
    }
    strings routes() const {
        strings out;
        for (const conf::fast_route& f : t.result.fast_routes)
            out.push_back(f.username + "@" + f.database + " " +
                          std::to_string(f.destination_hostgroup));
        return out;
    }
    strings rules() const {
        strings out;
        for (const conf::hba_rule& r : t.result.hba_rules)
            out.push_back(std::string(conf::to_string(r.type)) + " " + r.database + " " + r.user +
                          " " + r.address.value_or("-") + " " +
                          std::string(conf::to_string(r.method)));
        return out;
    }
    const conf::user& user(const std::string& name) const {
        return *std::ranges::find(t.result.users, name, &conf::user::username);
    }

    std::map<std::string, std::string> files;
    conf::settings base;
    translation t;
};

/// All names of https://www.pgbouncer.org/config.html, versions 1.18 to 1.25.
const std::map<scope, strings> documented{
    {scope::general,
     {"logfile",
      "pidfile",
      "listen_addr",
      "listen_port",
      "unix_socket_dir",
      "unix_socket_mode",
      "unix_socket_group",
      "user",
      "pool_mode",
      "max_client_conn",
      "default_pool_size",
      "min_pool_size",
      "reserve_pool_size",
      "reserve_pool_timeout",
      "max_db_connections",
      "max_db_client_connections",
      "max_user_connections",
      "max_user_client_connections",
      "server_round_robin",
      "track_extra_parameters",
      "ignore_startup_parameters",
      "peer_id",
      "disable_pqexec",
      "application_name_add_host",
      "conffile",
      "service_name",
      "job_name",
      "stats_period",
      "max_prepared_statements",
      "scram_iterations",
      "auth_type",
      "auth_hba_file",
      "auth_ident_file",
      "auth_file",
      "auth_user",
      "auth_query",
      "auth_dbname",
      "auth_ldap_options",
      "syslog",
      "syslog_ident",
      "syslog_facility",
      "log_connections",
      "log_disconnections",
      "log_pooler_errors",
      "log_stats",
      "verbose",
      "admin_users",
      "stats_users",
      "server_reset_query",
      "server_reset_query_always",
      "server_check_delay",
      "server_check_query",
      "server_fast_close",
      "server_lifetime",
      "server_idle_timeout",
      "server_connect_timeout",
      "server_login_retry",
      "client_login_timeout",
      "autodb_idle_timeout",
      "dns_max_ttl",
      "dns_nxdomain_ttl",
      "dns_zone_check_period",
      "resolv_conf",
      "query_wait_notify",
      "client_tls_sslmode",
      "client_tls_key_file",
      "client_tls_cert_file",
      "client_tls_ca_file",
      "client_tls_protocols",
      "client_tls_ciphers",
      "client_tls13_ciphers",
      "client_tls_ecdhcurve",
      "client_tls_dheparams",
      "server_tls_sslmode",
      "server_tls_ca_file",
      "server_tls_key_file",
      "server_tls_cert_file",
      "server_tls_protocols",
      "server_tls_ciphers",
      "server_tls13_ciphers",
      "query_timeout",
      "query_wait_timeout",
      "cancel_wait_timeout",
      "client_idle_timeout",
      "idle_transaction_timeout",
      "transaction_timeout",
      "suspend_timeout",
      "pkt_buf",
      "max_packet_size",
      "listen_backlog",
      "sbuf_loopcnt",
      "so_reuseport",
      "tcp_defer_accept",
      "tcp_socket_buffer",
      "tcp_keepalive",
      "tcp_keepcnt",
      "tcp_keepidle",
      "tcp_keepintvl",
      "tcp_user_timeout"}},
    {scope::database,
     {"dbname",
      "host",
      "port",
      "user",
      "password",
      "auth_user",
      "auth_query",
      "auth_dbname",
      "pool_size",
      "min_pool_size",
      "reserve_pool",
      "reserve_pool_size",
      "connect_query",
      "pool_mode",
      "load_balance_hosts",
      "max_db_connections",
      "max_db_client_connections",
      "server_lifetime",
      "client_encoding",
      "datestyle",
      "timezone",
      "application_name"}},
    {scope::user,
     {"pool_size", "reserve_pool_size", "pool_mode", "max_user_connections", "query_timeout",
      "idle_transaction_timeout", "transaction_timeout", "client_idle_timeout",
      "max_user_client_connections"}},
    {scope::peer, {"host", "port", "pool_size"}}};

TEST_F(pgbouncer_translation, knows_every_documented_setting_and_says_what_becomes_of_it) {
    for (const auto& [where, names] : documented) {
        for (const std::string& name : names) {
            const known_setting* k = find_setting(where, name);
            ASSERT_NE(k, nullptr) << section_of(where) << " " << name;
            const bool lost = k->how == treatment::ignored || k->how == treatment::neutral;
            EXPECT_FALSE(lost ? k->note.empty() : k->target.empty() && k->note.empty()) << name;
            EXPECT_EQ(k->how == treatment::by_hand, k->handler != nullptr) << name;
        }
    }
    for (const known_setting& k : known_settings())
        EXPECT_TRUE(k.note.empty() || k.note.back() == '.') << k.name;
}

TEST_F(pgbouncer_translation, has_one_row_for_each_setting_of_a_file) {
    files["/users"] = "";
    std::string ini = "[databases]\napp =";
    const auto value_of = [](const std::string& name) {
        if (name == "auth_file") return std::string("users");
        return std::string("1");
    };
    for (const std::string& name : documented.at(scope::database))
        ini += " " + name + "=" + value_of(name);
    ini += "\n[users]\nalice =";
    for (const std::string& name : documented.at(scope::user))
        ini += " " + name + "=1";
    ini += "\n[peers]\n7 = host=a port=1 pool_size=2\n[pgbouncer]\n";
    for (const std::string& name : documented.at(scope::general))
        ini += name + " = " + value_of(name) + "\n";
    import(ini);
    std::map<std::string, int> times;
    for (const report_row& r : t.rows) {
        ++times[r.setting];
        EXPECT_NE(r.what == outcome::translated ? r.becomes : r.note, "") << r.setting;
    }
    for (const auto& [where, names] : documented) {
        const std::string before = where == scope::general    ? ""
                                   : where == scope::database ? "[databases] app: "
                                   : where == scope::user     ? "[users] alice: "
                                                              : "[peers] 7: ";
        for (const std::string& name : names)
            EXPECT_EQ(times[before + name], 1) << before << name;
    }
}

TEST_F(pgbouncer_translation, turns_seconds_into_milliseconds) {
    with(
        "query_timeout = 1.5\nquery_wait_timeout = 7\nclient_idle_timeout = 60\n"
        "idle_transaction_timeout = 0.0001\ntransaction_timeout = 0\nserver_idle_timeout = 30\n"
        "server_connect_timeout = 3\nclient_login_timeout = 15.25\nquery_wait_notify = 2\n");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(vars().query_timeout, 1500ms);
    EXPECT_EQ(vars().connect_timeout_server_max, 7s);
    EXPECT_EQ(vars().wait_timeout, 60s);
    EXPECT_EQ(vars().max_transaction_idle_time, 1ms);
    EXPECT_EQ(vars().transaction_timeout, 0ms);
    EXPECT_EQ(vars().server_idle_timeout_ms, 30s);
    EXPECT_EQ(vars().connect_timeout_server, 3s);
    EXPECT_EQ(vars().connect_timeout_client, 15250ms);
    EXPECT_EQ(vars().query_wait_notify, 2s);
    EXPECT_EQ(row("query_timeout").becomes, "pgsql-query_timeout = 1500");
    EXPECT_EQ(row("query_timeout").where, "/p.ini:5");
}

TEST_F(pgbouncer_translation, takes_the_nearest_time_that_howdah_knows_and_says_so) {
    with(
        "query_wait_timeout = 0\nserver_lifetime = 0\nclient_login_timeout = 0.1\n"
        "server_connect_timeout = 9000\n");
    EXPECT_EQ(vars().connect_timeout_server_max, 1h);
    EXPECT_THAT(row("query_wait_timeout").note, HasSubstr("no unlimited time"));
    EXPECT_EQ(vars().connection_max_age_ms, 1ms) << "0 is not 'never' in PgBouncer";
    EXPECT_EQ(vars().connect_timeout_client, 500ms);
    EXPECT_THAT(row("client_login_timeout").note, HasSubstr("shortest"));
    EXPECT_EQ(vars().connect_timeout_server, 2min);
    with("server_lifetime = 864000\n");
    EXPECT_EQ(vars().connection_max_age_ms, 24h);
}

TEST_F(pgbouncer_translation, refuses_values_that_are_none) {
    with(
        "query_timeout = soon\nmax_client_conn = many\npool_mode = sometimes\n"
        "default_pool_size = -1\nserver_lifetime = nan\nlisten_addr = db.example.com\n"
        "max_packet_size = big\nclient_tls_protocols = ssl3\nclient_tls_sslmode = maybe\n"
        "tcp_keepidle = 1e9\nauth_type = kerberos\nverbose = x\n");
    strings lost = impossible();
    EXPECT_EQ(lost.size(), 12U) << ::testing::PrintToString(lost);
    EXPECT_EQ(vars().query_timeout, conf::variables{}.query_timeout);
}

TEST_F(pgbouncer_translation, brings_pgbouncers_defaults_where_the_file_says_nothing) {
    with("");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(vars().pool_mode, conf::pool_mode::session);
    EXPECT_EQ(vars().max_connections, 100U);
    EXPECT_EQ(vars().connect_timeout_server_max, 2min);
    EXPECT_EQ(vars().connection_max_age_ms, 1h);
    EXPECT_EQ(vars().wait_timeout, 0ms);
    EXPECT_EQ(vars().authentication_method, conf::authentication_method::md5);
    EXPECT_EQ(vars().max_allowed_packet, 1U << 30);
    EXPECT_EQ(row("pool_mode").where, "");
    EXPECT_EQ(vars().interfaces, conf::variables{}.interfaces) << "not asked for anything else";
    for (const report_row& r : t.rows)
        EXPECT_NE(r.setting, "query_timeout") << "it is so in Howdah anyway";
}

TEST_F(pgbouncer_translation, keeps_what_pgbouncer_has_no_say_in) {
    base.vars.monitor_password = "kept";
    base.vars.threads = 3;
    base.firewall_users.push_back({});
    base.servers.push_back({});
    base.query_rules.push_back({});
    with("");
    EXPECT_EQ(vars().monitor_password, "kept");
    EXPECT_EQ(vars().threads, 3U);
    EXPECT_EQ(t.result.firewall_users.size(), 1U);
    EXPECT_EQ(t.result.servers.size(), 1U);
    EXPECT_TRUE(t.result.query_rules.empty());
}

TEST_F(pgbouncer_translation, listens_where_pgbouncer_did) {
    with("listen_addr = 10.0.0.1, ::1\nlisten_port = 6000\nunix_socket_dir = /run/p\n");
    const strings expected{"10.0.0.1:6000", "[::1]:6000", "/run/p:6000"};
    strings got;
    for (const conf::listen_address& a : vars().interfaces)
        got.push_back(a.to_string());
    EXPECT_EQ(got, expected);
    EXPECT_THAT(row("listen_addr").note, HasSubstr("restart"));
    with("listen_addr = *\nunix_socket_dir =\n");
    ASSERT_EQ(vars().interfaces.size(), 1U);
    EXPECT_EQ(vars().interfaces[0].to_string(), "0.0.0.0:6432");
    with("listen_port = 7000\n");
    ASSERT_EQ(vars().interfaces.size(), 1U);
    EXPECT_EQ(vars().interfaces[0].to_string(), "/tmp:7000") << "PgBouncer's default";
    with("unix_socket_dir = @abstract\n");
    EXPECT_THAT(impossible(), ::testing::Contains("unix_socket_dir"));
}

TEST_F(pgbouncer_translation, makes_one_hostgroup_of_databases_that_are_at_the_same_place) {
    import(
        "[databases]\na = host=h1\nb = host=h1 port=5432 pool_size=5\nc = host=h2 port=5433\n"
        "[pgbouncer]\nunix_socket_dir=/run/pg\nauth_type = trust\n");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_THAT(servers(), ElementsAre("10 h1:5432 25/1", "30 h2:5433 20/1"));
    EXPECT_THAT(routes(), ElementsAre("@c 30"));
    EXPECT_THAT(row("[databases] c").becomes, "hostgroup 30: h2:5433");
}

TEST_F(pgbouncer_translation, sends_all_databases_without_an_entry_where_the_star_says) {
    files["/u"] = "\"x\" \"y\"";
    import("[databases]\na = host=h1\n* = host=h2 max_db_connections=50\n[pgbouncer]\nauth_file=u");
    EXPECT_THAT(servers(), ElementsAre("10 h1:5432 20/1", "30 h2:5432 50/1"));
    EXPECT_THAT(routes(), ElementsAre("@a 10"));
    EXPECT_EQ(user("x").default_hostgroup, 30);
    EXPECT_THAT(rules(), IsEmpty());
    import("[databases]\n* = host=h dbname=one\n");
    EXPECT_THAT(impossible(), ElementsAre("[databases] *: dbname"));
    import("[databases]\n* = host=h pool_mode=statement\n");
    EXPECT_THAT(impossible(), ElementsAre("[databases] *: pool_mode"));
    import("[databases]\n* = host=h pool_mode=statement\n[pgbouncer]\npool_mode=statement\n");
    EXPECT_THAT(impossible(), IsEmpty());
}

TEST_F(pgbouncer_translation, keeps_clients_out_of_databases_that_are_not_listed) {
    import("[databases]\napp = host=h\n\"all\" = host=h\n[pgbouncer]\nauth_type=scram-sha-256\n");
    EXPECT_THAT(rules(), ElementsAre("local app;\"all\" all - scram-sha-256",
                                     "host app;\"all\" all all scram-sha-256"));
    EXPECT_EQ(fate("[databases] without *"), outcome::translated);
    import("[databases]\n\"a,b\" = host=h\n");
    EXPECT_THAT(impossible(), ElementsAre("[databases] without *"));
}

TEST_F(pgbouncer_translation, connects_to_a_socket_where_there_is_no_host) {
    import(
        "[databases]\na =\nb = host=/var/run\nc = host=@x\n[pgbouncer]\nunix_socket_dir = "
        "/run/pg\n");
    EXPECT_THAT(servers(), ElementsAre("10 /run/pg:5432 20/1", "30 /var/run:5432 20/1"));
    EXPECT_THAT(impossible(), ElementsAre("[databases] c: host"));
    import("[databases]\na =\n");
    EXPECT_THAT(servers(), ElementsAre("10 /tmp:5432 20/1"));
}

TEST_F(pgbouncer_translation, shares_out_the_connections_of_a_list_of_hosts) {
    import(
        "[databases]\na = host=h1,h2,h3 pool_size=10\n"
        "b = host=h1,h2 load_balance_hosts=disable pool_size=10 reserve_pool=2\n"
        "c = host=h1,h2 target_session_attrs=read-write\nd = host=h9 "
        "target_session_attrs=standby\n");
    EXPECT_THAT(servers(), ElementsAre("10 h1:5432 26/1", "10 h2:5432 26/1", "10 h3:5432 4/1",
                                       "30 h1:5432 26/1", "30 h2:5432 26/0", "50 h1:5432 26/1",
                                       "50 h2:5432 26/1", "70 h9:5432 20/1"));
    ASSERT_EQ(t.result.replication_hostgroups.size(), 1U);
    EXPECT_EQ(t.result.replication_hostgroups[0].writer_hostgroup, 50);
    EXPECT_EQ(t.result.replication_hostgroups[0].reader_hostgroup, 60);
    EXPECT_THAT(impossible(), ElementsAre("[databases] d: target_session_attrs"));
}

TEST_F(pgbouncer_translation, counts_connections_as_pgbouncer_limits_them) {
    import("[databases]\na = host=h\n[pgbouncer]\ndefault_pool_size=7\nreserve_pool_size=3\n");
    EXPECT_THAT(servers(), ElementsAre("10 h:5432 10/1"));
    import(
        "[databases]\na = host=h\nb = host=h "
        "max_db_connections=5\n[pgbouncer]\nmax_db_connections=40\n");
    EXPECT_THAT(servers(), ElementsAre("10 h:5432 45/1"));
}

TEST_F(pgbouncer_translation, leads_databases_to_their_names_on_the_servers) {
    import("[databases]\na = host=h dbname=a\nb = host=h2 dbname=real\nreal = host=h3\n");
    EXPECT_THAT(impossible(), IsEmpty());
    ASSERT_EQ(t.result.databases.size(), 1U);
    EXPECT_EQ(t.result.databases[0].name, "b");
    EXPECT_EQ(t.result.databases[0].server_database, "real");
    EXPECT_THAT(routes(), ElementsAre("@b 30", "@real 50"));
}

TEST_F(pgbouncer_translation, has_rows_for_what_databases_have_of_their_own) {
    import(
        "[databases]\na = host=h pool_mode=transaction query_wait_timeout=2.5\n"
        "b = host=h max_db_client_connections=9 query_wait_timeout=-1\nc = host=h\n");
    EXPECT_THAT(impossible(), IsEmpty());
    ASSERT_EQ(t.result.databases.size(), 2U);
    EXPECT_EQ(t.result.databases[0].pool_mode, conf::pool_mode::transaction);
    EXPECT_EQ(t.result.databases[0].connect_timeout_server_max, 2500ms);
    EXPECT_EQ(t.result.databases[1].max_connections, 9U);
    EXPECT_FALSE(t.result.databases[1].connect_timeout_server_max);
    import("[databases]\na = host=h\n[pgbouncer]\nmax_db_client_connections=5\n");
    ASSERT_EQ(t.result.databases.size(), 1U);
    EXPECT_EQ(t.result.databases[0].max_connections, 5U);
}

TEST_F(pgbouncer_translation, says_what_to_do_for_settings_of_a_database_that_howdah_has_not) {
    import(
        "[databases]\na = host=h timezone=UTC connect_query='SELECT secret()' auth_user=x "
        "server_lifetime=60 hots=secret\nb = broken secret\n");
    EXPECT_THAT(impossible(),
                ElementsAre("[databases] a: timezone", "[databases] a: connect_query",
                            "[databases] a: auth_user", "[databases] a: server_lifetime",
                            "[databases] a: hots", "[databases] b"));
    EXPECT_THAT(row("[databases] a: timezone").note, HasSubstr("ALTER DATABASE"));
    EXPECT_THAT(row("[databases] a: hots").note, HasSubstr("did you mean host?"));
    for (const report_row& r : t.rows)
        EXPECT_THAT(r.value + r.note + r.becomes, Not(HasSubstr("secret"))) << r.setting;
}

TEST_F(pgbouncer_translation, imports_users_with_their_passwords_and_shows_none) {
    files["/users"] =
        "\"a\" \"plain secret\"\n\"b\" \"md5d41d8cd98f00b204e9800998ecf8427e\"\n\"c\" \"" +
        verifier + "\"\n\"d\" \"SCRAM-SHA-256$broken\"\nbroken secret\n\"a\" \"new secret\"";
    import(
        "[databases]\n* = host=h\n[pgbouncer]\nauth_file=users\nmax_user_client_connections=4\n"
        "[users]\nb = pool_mode=transaction query_timeout=3 max_user_client_connections=0\n"
        "z = pool_mode=session\n");
    EXPECT_EQ(t.result.users.size(), 3U);
    EXPECT_EQ(user("a").password, "new secret");
    EXPECT_EQ(user("c").password, verifier);
    EXPECT_EQ(user("c").max_connections, 4U);
    EXPECT_EQ(user("b").pool_mode, conf::pool_mode::transaction);
    EXPECT_EQ(user("b").query_timeout, 3s);
    EXPECT_EQ(user("b").max_connections, 1'000'000U);
    EXPECT_THAT(impossible(), ElementsAre("[users] z: pool_mode", "auth_file", "user \"d\""));
    for (const report_row& r : t.rows)
        EXPECT_THAT(r.value + r.note + r.becomes, Not(HasSubstr("secret"))) << r.setting;
}

TEST_F(pgbouncer_translation, cannot_read_a_userlist_that_is_not_there) {
    import("[databases]\n* = host=h\n[pgbouncer]\nauth_file=/gone\n");
    EXPECT_THAT(impossible(), ElementsAre("auth_file"));
    EXPECT_THAT(row("auth_file").note, HasSubstr("\"/gone\": No such file"));
}

TEST_F(pgbouncer_translation, takes_a_forced_user_only_where_there_is_no_other) {
    files["/one"] = "\"app\" \"" + verifier + "\"";
    files["/two"] = files["/one"] + "\n\"other\" \"x\"";
    const std::string database =
        "[databases]\na = host=h password='se cret' user=app\n[pgbouncer]\n";
    import(database + "auth_file=one\n");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(user("app").server_password, "se cret");
    import(database + "auth_file=two\n");
    EXPECT_THAT(impossible(), ElementsAre("[databases] a: user"));
    EXPECT_FALSE(user("app").server_password);
    EXPECT_EQ(row("[databases] a: password").value, "(not shown)");
    import(database + "auth_file=one\nauth_user=app\n");
    EXPECT_THAT(impossible(), IsSupersetOf(strings{"[databases] a: user"}));
    import(
        "[databases]\na = host=h user=app password=1\nb = host=h user=app password=2\n"
        "[pgbouncer]\nauth_file=one\n");
    EXPECT_THAT(impossible(), ElementsAre("[databases] b: password"));
}

TEST_F(pgbouncer_translation, knows_how_clients_prove_who_they_are) {
    const std::map<std::string, conf::authentication_method> same{
        {"md5", conf::authentication_method::md5},
        {"scram-sha-256", conf::authentication_method::scram_sha_256},
        {"plain", conf::authentication_method::password},
        {"trust", conf::authentication_method::trust}};
    for (const auto& [name, method] : same) {
        with("auth_type = " + name + "\n");
        EXPECT_THAT(impossible(), IsEmpty()) << name;
        EXPECT_EQ(vars().authentication_method, method) << name;
    }
    for (const char* name : {"any", "pam", "ldap", "peer", "hba"}) {
        with(std::string("auth_type = ") + name + "\n");
        EXPECT_THAT(impossible(), ElementsAre("auth_type")) << name;
    }
    with("auth_type = cert\n");
    EXPECT_THAT(rules(), ElementsAre("hostssl all all all cert"));
    EXPECT_THAT(impossible(), ElementsAre("(the result)")) << "it needs client_tls_ca_file";
    EXPECT_THAT(row("(the result)").note, HasSubstr("ssl_ca"));
}

TEST_F(pgbouncer_translation, takes_the_rules_of_an_hba_file) {
    files["/hba"] =
        "local all all peer map=os\nhost app all 10.0.0.0/8 md5\nhost all all all ldap x=1\n";
    files["/ident"] = "os root all\nbroken\n";
    import(
        "[databases]\napp = host=h\nweb = host=h\n[pgbouncer]\nauth_type=hba\nauth_hba_file=hba\n"
        "auth_ident_file=ident\n");
    EXPECT_THAT(rules(), ElementsAre("local app;web all - peer", "host app all 10.0.0.0/8 md5"));
    ASSERT_EQ(t.result.user_maps.size(), 1U);
    EXPECT_EQ(t.result.user_maps[0].system_user, "root");
    EXPECT_EQ(impossible().size(), 2U);
    EXPECT_EQ(row("rule host all all all ldap").where, "/hba:3");
    with("auth_hba_file = /hba\n");
    EXPECT_EQ(fate("auth_hba_file"), outcome::ignored);
}

TEST_F(pgbouncer_translation, asks_the_servers_for_users_as_pgbouncer_does) {
    files["/u"] = "\"asker\" \"ask secret\"\n\"hash\" \"md5d41d8cd98f00b204e9800998ecf8427e\"";
    const std::string rest = "[databases]\na = host=h\nb = host=h2\n[pgbouncer]\nauth_file=u\n";
    import(rest + "auth_user=asker\nauth_query=SELECT * FROM p.look_up($1)\nauth_dbname=b\n");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(vars().auth_user, "asker");
    EXPECT_EQ(vars().auth_password, "ask secret");
    EXPECT_EQ(vars().auth_query, "SELECT * FROM p.look_up($1)");
    EXPECT_EQ(vars().auth_database, "b");
    EXPECT_EQ(vars().auth_hostgroup, 30);
    import(rest +
           "auth_user=asker\nauth_query=SELECT usename, passwd FROM pg_shadow WHERE usename=$1\n");
    EXPECT_EQ(vars().auth_query, "");
    EXPECT_EQ(vars().auth_database, "a");
    EXPECT_EQ(vars().auth_hostgroup, 10);
    import(rest + "auth_user=hash\nauth_dbname=none\n");
    EXPECT_THAT(impossible(), ElementsAre("auth_user", "auth_dbname"));
    base.vars.auth_user = "before";
    base.vars.auth_hostgroup = 99;
    import(rest);
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(vars().auth_user, "") << "PgBouncer lets in nobody else";
    EXPECT_EQ(vars().auth_hostgroup, -1);
}

TEST_F(pgbouncer_translation, adds_the_users_of_the_console) {
    base.vars.admin_admin_credentials = "admin:admin;boss:old";
    files["/users"] = "\"boss\" \"new:secret\"\n\"stat\" \"" + verifier +
                      "\"\n\"hash\" \"md5d41d8cd98f00b204e9800998ecf8427e\"\n\"semi\" \"a;b\"";
    import(
        "[databases]\n* = host=h\n[pgbouncer]\nauth_file=users\nadmin_users = boss, "
        "hash,semi,gone\n"
        "stats_users = stat\n");
    EXPECT_EQ(vars().admin_admin_credentials, "admin:admin;boss:new:secret");
    EXPECT_EQ(vars().admin_stats_credentials, "stats:stats;stat:" + verifier);
    EXPECT_THAT(impossible(), ElementsAre("admin_users"));
    EXPECT_THAT(row("admin_users").note, HasSubstr("hash, semi, gone"));
    EXPECT_THAT(row("admin_users").becomes + row("stats_users").becomes, Not(HasSubstr("secret")));
}

TEST_F(pgbouncer_translation, takes_tls_over) {
    with(
        "client_tls_sslmode = verify-full\nclient_tls_protocols = tlsv1.3\nserver_tls_sslmode = "
        "require\n"
        "client_tls_ciphers = HIGH\nserver_tls_ciphers = fast\nclient_tls_ca_file = /gone\n");
    EXPECT_EQ(vars().client_sslmode, conf::client_sslmode::verify_ca);
    EXPECT_EQ(vars().ssl_min_protocol_version, conf::tls_version::tls_1_3);
    EXPECT_EQ(vars().server_sslmode, conf::server_sslmode::require);
    EXPECT_EQ(vars().ssl_ca, "/gone");
    EXPECT_EQ(fate("client_tls_ciphers"), outcome::impossible);
    EXPECT_EQ(fate("server_tls_ciphers"), outcome::ignored);
    EXPECT_THAT(impossible(), ::testing::Contains("(the result)")) << "the file cannot be read";
    with("client_tls_sslmode = prefer\nclient_tls_protocols = all\n");
    EXPECT_EQ(vars().client_sslmode, conf::client_sslmode::allow);
    EXPECT_EQ(vars().ssl_min_protocol_version, conf::tls_version::tls_1_2);
    EXPECT_THAT(row("client_tls_protocols").note, HasSubstr("not spoken"));
}

TEST_F(pgbouncer_translation, takes_numbers_and_the_last_word_on_a_setting) {
    with(
        "max_client_conn = 5\nmax_client_conn = 2000\nmax_prepared_statements = 33\ntcp_keepalive "
        "= 0\n"
        "tcp_keepidle = 45\nmax_packet_size = 1000000\nverbose = 2\npool_mode = transaction\n");
    EXPECT_THAT(impossible(), IsEmpty());
    EXPECT_EQ(vars().max_connections, 2000U);
    EXPECT_EQ(vars().max_stmts_per_connection, 33U);
    EXPECT_FALSE(vars().use_tcp_keepalive);
    EXPECT_EQ(vars().tcp_keepalive_time, 45s);
    EXPECT_EQ(vars().max_allowed_packet, 1'000'000U);
    EXPECT_EQ(vars().log_level, conf::log_level::debug);
    EXPECT_EQ(vars().pool_mode, conf::pool_mode::transaction);
    EXPECT_EQ(t.rows[3].where, "/p.ini:5");
    EXPECT_EQ(t.rows[3].note, "Replaced at /p.ini:6.");
}

TEST_F(pgbouncer_translation, tells_unknown_settings_and_sections_with_their_places) {
    with("max_client_connn = 5\nfoo = secret\n[else]\na = secret\n");
    EXPECT_THAT(impossible(), ElementsAre("max_client_connn", "foo", "[else] a"));
    EXPECT_EQ(row("foo").where, "/p.ini:6");
    EXPECT_EQ(row("foo").value, "(not shown)");
    EXPECT_THAT(row("max_client_connn").note, HasSubstr("did you mean max_client_conn?"));
}

TEST_F(pgbouncer_translation, survives_whatever_the_files_contain) {
    const std::string ini =
        "[databases]\na = host=h1,h2 port=5433 user=u password='p q' dbname=b\n* = host=/s "
        "pool_size=5\n[users]\nu = pool_mode=session query_timeout=1.5\n[peers]\n1 = host=a\n"
        "[pgbouncer]\nauth_type=hba\nauth_hba_file=/hba\nauth_ident_file=/ident\nauth_file=/users\n"
        "auth_user=u\nadmin_users=u,v\nlisten_addr=*,::1\nlisten_port=6432\n%include /ident\n";
    const std::string hba = "host \"a\",b all 10.0.0.0 255.0.0.0 cert map=m\nlocal all all peer\n";
    const std::string users = "\"u\" \"x\"\n\"v\" \"" + verifier + "\"\n";
    const std::string alphabet = "=\"',;[]*%/ \n0-9a\\.$#:";
    std::uint32_t state = 1;
    const auto random = [&state](std::size_t below) {
        state = state * 1664525U + 1013904223U;
        return (state >> 8U) % below;
    };
    const auto mutated = [&](std::string text) {
        for (std::size_t n = random(4); n > 0 && !text.empty(); --n) {
            const std::size_t at = random(text.size());
            if (random(3) == 0)
                text.erase(at, random(9));
            else if (random(2) == 0)
                text.insert(at, 1, alphabet[random(alphabet.size())]);
            else
                text[at] = alphabet[random(alphabet.size())];
        }
        return text;
    };
    const file_reader read = [this](const std::string& path) {
        const auto found = files.find(path);
        return found == files.end() ? conf::text_file{"", "gone", false}
                                    : conf::text_file{found->second, "", false};
    };
    for (int i = 0; i < 3000; ++i) {
        files = {{"/p.ini", mutated(ini)},
                 {"/hba", mutated(hba)},
                 {"/ident", mutated("m root all\n")},
                 {"/users", mutated(users)}};
        const translation result = translate(read_ini("/p.ini", read), read, base);
        EXPECT_LE(result.result.users.size(), 3U);
    }
}

TEST_F(pgbouncer_translation, makes_what_can_be_loaded) {
    files["/u"] = "\"a\" \"x\"\n\"b\" \"" + verifier + "\"";
    import(
        "[databases]\na = host=h1\nb = host=h2,h3\nc = host=h4 target_session_attrs=primary\n"
        "[pgbouncer]\nauth_file=u\nauth_user=a\nlisten_addr=127.0.0.1\n");
    EXPECT_THAT(impossible(), IsEmpty());
    const conf::load_result checked = conf::accept(t.result);
    EXPECT_TRUE(checked.value);
    import("");
    EXPECT_THAT(impossible(), IsEmpty());
}

}  // namespace
}  // namespace howdah::admin::pgbouncer
