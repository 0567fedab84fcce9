#include "conf/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/names.hpp"
#include "conf/options.hpp"
#include "tests/unit/conf/temporary_file.hpp"

namespace howdah::conf {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// The settings of a text without errors.
settings load(const std::string& text) {
    const auto result = load_text(text, "f.yaml");
    for (const auto& error : result.errors)
        ADD_FAILURE() << error.to_string();
    return result.value ? *result.value : settings{};
}

std::vector<std::string> warnings(const std::string& text) {
    std::vector<std::string> lines;
    const auto result = load_text(text, "f.yaml");
    EXPECT_NE(result.value, nullptr);
    for (const auto& warning : result.warnings)
        lines.push_back(warning.to_string());
    return lines;
}

const std::string one_server = "servers: [{hostgroup_id: 0, hostname: pg1}]\n";
const std::string one_user = "users: [{username: u, password: p}]\n";
const std::string verifier =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(the_loader, reads_every_section) {
    const auto s = load(R"(
variables:
  interfaces: [127.0.0.1:6133, "[::1]:6134", /run/howdah:6133]
  threads: 4
  authentication_method: md5
  wait_timeout: 8h
  max_allowed_packet: 1MB
  tcp_keepalive_time: 2min
  read_write_split: off
  log_format: JSON
servers:
  - {hostgroup_id: 10, hostname: pg1, weight: 3, comment: "first one"}
  - hostgroup_id: 20
    hostname: /run/postgresql
    port: 5433
    status: offline_soft
    max_connections: 7
    max_replication_lag: 5
    max_latency_ms: 50
replication_hostgroups:
  - {writer_hostgroup: 10, reader_hostgroup: 20, comment: pair}
users:
  - username: app
    password: 0123
    default_hostgroup: 10
    pool_mode: session
    read_write_split: no
    max_connections: 5
query_rules:
  - {rule_id: 2, match_digest: '^SELECT', destination_hostgroup: 20, apply: 1}
  - {rule_id: 1, active: 0, username: app, database: d, client_addr: 10.%, match_pattern: x,
     negate_match_pattern: true}
)");
    EXPECT_THAT(s.vars.interfaces,
                ElementsAre(listen_address{"127.0.0.1", 6133}, listen_address{"::1", 6134},
                            listen_address{"/run/howdah", 6133}));
    EXPECT_EQ(s.vars.threads, 4u);
    EXPECT_EQ(s.vars.authentication_method, authentication_method::md5);
    EXPECT_EQ(s.vars.wait_timeout, 8h);
    EXPECT_EQ(s.vars.max_allowed_packet, 1048576u);
    EXPECT_EQ(s.vars.tcp_keepalive_time, 120s);
    EXPECT_FALSE(s.vars.read_write_split);
    EXPECT_EQ(s.vars.log_format, log_format::json);

    server first;
    first.hostgroup_id = 10;
    first.hostname = "pg1";
    first.weight = 3;
    first.comment = "first one";
    server second;
    second.hostgroup_id = 20;
    second.hostname = "/run/postgresql";
    second.port = 5433;
    second.status = server_status::offline_soft;
    second.max_connections = 7;
    second.max_replication_lag = 5;
    second.max_latency_ms = 50;
    EXPECT_EQ(s.servers, (std::vector{first, second}));
    EXPECT_EQ(s.replication_hostgroups, (std::vector{replication_hostgroup{10, 20, "pair"}}));

    user app;
    app.username = "app";
    app.password = "0123";
    app.default_hostgroup = 10;
    app.pool_mode = pool_mode::session;
    app.read_write_split = false;
    app.max_connections = 5;
    EXPECT_EQ(s.users, std::vector{app});

    ASSERT_EQ(s.query_rules.size(), 2u);
    EXPECT_EQ(s.query_rules[0].rule_id, 1) << "rules are sorted";
    EXPECT_FALSE(s.query_rules[0].active);
    EXPECT_EQ(s.query_rules[0].client_addr, "10.%");
    EXPECT_TRUE(s.query_rules[0].negate_match_pattern);
    EXPECT_EQ(s.query_rules[0].destination_hostgroup, std::nullopt);
    EXPECT_EQ(s.query_rules[1].destination_hostgroup, 20);
    EXPECT_TRUE(s.query_rules[1].apply);
    EXPECT_EQ(s.source, "f.yaml");
}

TEST(the_loader, reads_a_file_and_remembers_where_it_came_from) {
    const test::temporary_folder folder;
    const auto path = folder.file("howdah.yaml", one_server + one_user);
    const auto result = load_file(path);
    ASSERT_NE(result.value, nullptr);
    EXPECT_THAT(result.warnings, IsEmpty());
    EXPECT_EQ(result.value->source, path);
}

TEST(the_loader, follows_a_link_to_a_file) {
    const test::temporary_folder folder;
    std::filesystem::create_symlink(folder.file("real.yaml", one_server + one_user),
                                    folder.path("link.yaml"));
    EXPECT_NE(load_file(folder.path("link.yaml")).value, nullptr);
}

TEST(the_loader, accepts_proxysqls_names_of_the_sections) {
    const auto s = load(R"(
pgsql_variables: {threads: 2}
pgsql_servers: [{hostgroup_id: 10, hostname: pg1}]
pgsql_replication_hostgroups: [{writer_hostgroup: 10, reader_hostgroup: 20}]
pgsql_users: [{username: app, password: p, default_hostgroup: 10}]
pgsql_query_rules: [{rule_id: 1}]
)");
    EXPECT_EQ(s.vars.threads, 2u);
    EXPECT_EQ(s.servers.size(), 1u);
    EXPECT_EQ(s.replication_hostgroups.size(), 1u);
    EXPECT_EQ(s.users.size(), 1u);
    EXPECT_EQ(s.query_rules.size(), 1u);
}

TEST(the_loader, accepts_empty_sections) {
    const auto s = load("variables:\nservers:\nreplication_hostgroups:\nusers:\nquery_rules:\n");
    EXPECT_EQ(s.vars, variables{});
}

TEST(the_loader, accepts_a_hostgroup_that_only_a_replication_pair_names) {
    const auto s = load(
        "replication_hostgroups: [{writer_hostgroup: 1, reader_hostgroup: 2}]\n"
        "users: [{username: u, default_hostgroup: 2}]\n"
        "query_rules: [{rule_id: 1, destination_hostgroup: 1}]\n");
    EXPECT_EQ(s.users.front().default_hostgroup, 2);
}

TEST(the_loader, takes_values_from_the_environment) {
    const test::environment_variable password("HOWDAH_TEST_PASSWORD", "from env: 'x'");
    const test::environment_variable port("HOWDAH_TEST_PORT", "5499");
    const auto s = load(
        "variables: {monitor_password: '${HOWDAH_TEST_PASSWORD}'}\n"
        "servers: [{hostgroup_id: 0, hostname: h, port: '${HOWDAH_TEST_PORT}'}]\n"
        "users:\n  - {username: u, password: '$${HOWDAH_TEST_PASSWORD}'}\n"
        "  - {username: v, password: 'a${HOWDAH_TEST_PASSWORD}'}\n");
    EXPECT_EQ(s.vars.monitor_password, "from env: 'x'");
    EXPECT_EQ(s.servers.front().port, 5499);
    EXPECT_EQ(s.users[0].password, "${HOWDAH_TEST_PASSWORD}");
    EXPECT_EQ(s.users[1].password, "a${HOWDAH_TEST_PASSWORD}");
}

TEST(the_loader, takes_secrets_from_files) {
    const test::temporary_folder folder;
    const auto path = folder.file("secret", "pass word\n");
    const std::string text =
        "variables: {monitor_password: {file: '" + path + "'}}\n" + one_server + one_user;
    EXPECT_EQ(load(text).vars.monitor_password, "pass word");
    EXPECT_THAT(warnings(text), IsEmpty());
}

TEST(the_loader, warns_of_a_secret_that_everybody_may_read) {
    const test::temporary_folder folder;
    const auto path = folder.file("secret", "x", 0644);
    EXPECT_THAT(warnings(one_server + one_user + "variables:\n  monitor_password: {file: '" + path +
                         "'}\n"),
                ElementsAre("f.yaml:4: monitor_password: everybody may read '" + path +
                            "' (chmod 0600 it)"));
}

TEST(the_loader, takes_missing_passwords_from_the_passfile) {
    const test::temporary_folder folder;
    const auto path = folder.file("pgpass",
                                  "pg1:5432:postgres:monitor:m\\:p\n"
                                  "*:*:appdb:app:a\n"
                                  "*:*:*:given:unused\n");
    const auto s = load("variables: {passfile: '" + path + "'}\n" + one_server +
                        "users:\n  - username: app\n  - {username: given, password: own}\n");
    EXPECT_EQ(s.vars.monitor_password, "m:p");
    EXPECT_EQ(s.users[0].password, "a");
    EXPECT_EQ(s.users[1].password, "own");
}

TEST(the_loader, refuses_a_passfile_with_different_passwords_for_one_role) {
    const test::temporary_folder folder;
    const auto path = folder.file("pgpass", "pg1:*:*:app:secret1\npg2:*:*:app:secret2\n");
    const auto result =
        load_text("variables: {passfile: '" + path +
                      "'}\nservers: [{hostgroup_id: 0, hostname: pg1}, {hostgroup_id: 0, hostname: "
                      "pg2}]\nusers: [{username: app}]\n",
                  "f.yaml");
    ASSERT_EQ(result.errors.size(), 1u);
    EXPECT_EQ(result.errors[0].to_string(),
              "f.yaml:1: passfile: different passwords for 'app' on pg1:5432 and pg2:5432");
}

TEST(the_loader, checks_that_named_files_can_be_read) {
    const test::temporary_folder folder;
    const auto cert = folder.file("cert.pem", "c"), key = folder.file("key.pem", "k");
    const auto s = load("variables: {ssl_cert: '" + cert + "', ssl_key: '" + key +
                        "', client_sslmode: require}\n" + one_server +
                        "users: [{username: u, password: p, use_ssl: true}]\n");
    EXPECT_TRUE(s.users.front().use_ssl);
}

TEST(the_loader, warns_where_nobody_can_be_served) {
    EXPECT_THAT(warnings("variables: {threads: 1}\n"),
                ElementsAre("f.yaml: no server is configured",
                            "f.yaml: no user is configured: nobody can log in"));
}

TEST(the_loader, warns_of_users_whose_password_will_not_do) {
    EXPECT_THAT(
        warnings(one_server +
                 "users:\n"
                 "  - username: a\n"
                 "  - {username: b, password: md50123456789abcdef0123456789abcdef}\n"
                 "  - {username: c, active: false}\n"
                 "  - {username: d, password: '" +
                 verifier +
                 "'}\n"
                 "  - {username: e, password: '" +
                 verifier + "', server_password: x}\n"),
        ElementsAre(
            "f.yaml:3: user 'a': has no password and cannot log in",
            "f.yaml:4: user 'b': the password is an md5 hash, with which nobody can log in by "
            "scram-sha-256; give a SCRAM verifier or the plain password",
            "f.yaml:6: user 'd': the password is a SCRAM verifier: servers that have another one, "
            "or ask for md5 or the plain password, need server_password"));
}

TEST(the_loader, warns_of_an_md5_hash_that_serves_md5_servers_only) {
    EXPECT_THAT(warnings("variables: {authentication_method: md5}\n" + one_server +
                         "users: [{username: b, password: md50123456789abcdef0123456789abcdef}]\n"),
                ElementsAre("f.yaml:3: user 'b': the password is an md5 hash: servers that ask for "
                            "anything but md5 need server_password"));
}

TEST(the_loader, warns_of_trust_on_an_open_address_only) {
    EXPECT_THAT(warnings("variables:\n  authentication_method: trust\n"
                         "  interfaces: [127.0.0.1:1, '[::1]:1', /tmp:1, 10.0.0.1:1]\n" +
                         one_server + one_user),
                ElementsAre("f.yaml:2: authentication_method is trust: whoever reaches 10.0.0.1:1 "
                            "can log in as anybody"));
}

TEST(the_loader, warns_of_a_connect_timeout_that_never_ends_in_time) {
    EXPECT_THAT(warnings("variables:\n  connect_timeout_server: 5s\n"
                         "  connect_timeout_server_max: 1s\n" +
                         one_server + one_user),
                ElementsAre("f.yaml:2: connect_timeout_server is longer than "
                            "connect_timeout_server_max"));
}

TEST(the_loader, survives_every_prefix_of_a_configuration) {
    const std::string text =
        "variables: {interfaces: ['127.0.0.1:1'], log_level: debug}\n"
        "servers:\n  - {hostgroup_id: 10, hostname: \"pg1\"}\n"
        "users:\n  - username: &u 'x'\n    comment: *u\n    "
        "default_hostgroup: 10\n";
    for (std::size_t n = 0; n <= text.size(); ++n) {
        const auto result = load_text(text.substr(0, n), "f.yaml");
        EXPECT_EQ(result.value == nullptr, !result.errors.empty()) << n;
    }
}

}  // namespace
}  // namespace howdah::conf
