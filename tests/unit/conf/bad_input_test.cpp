#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/loader.hpp"
#include "tests/unit/conf/temporary_file.hpp"

namespace howdah::conf {
namespace {

using ::testing::ElementsAreArray;

struct bad_input {
    const char* name;
    const char* text;
    std::vector<std::string> errors;
};

std::ostream& operator<<(std::ostream& out, const bad_input& input) {
    return out << input.name;
}

std::vector<std::string> lines(const std::vector<diagnostic>& problems) {
    std::vector<std::string> result;
    for (const auto& problem : problems)
        result.push_back(problem.to_string());
    return result;
}

class a_bad_configuration : public ::testing::TestWithParam<bad_input> {};

TEST_P(a_bad_configuration, is_refused_with_one_clear_line_per_problem) {
    const auto result = load_text(GetParam().text, "f.yaml");
    EXPECT_EQ(result.value, nullptr);
    EXPECT_THAT(lines(result.errors), ElementsAreArray(GetParam().errors));
}

const bad_input inputs[] = {
    {"ha_servers_that_are_wrong",
     "servers:\n"
     "  - {hostgroup_id: 10, hostname: pg1}\n"
     "  - {hostgroup_id: 20, hostname: pg2, port: 5433}\n"
     "users: [{username: u, password: x, default_hostgroup: 10}]\n"
     "ha_servers:\n"
     "  - {hostname: pg2, port: 5432}\n"
     "  - {hostname: pg1}\n"
     "  - {hostname: pg1, data_center: a}\n"
     "  - {hostname: elsewhere.example.org}\n",
     {"f.yaml:6: ha server 'pg2:5432' is not among the servers (did you mean 'pg1:5432'?)",
      "f.yaml:8: ha server pg1:5432 is listed twice (first on line 7)",
      "f.yaml:9: ha server 'elsewhere.example.org:5432' is not among the servers"}},
    {"ha_servers_with_wrong_values",
     "servers: [{hostgroup_id: 10, hostname: pg1}]\n"
     "users: [{username: u, password: x, default_hostgroup: 10}]\n"
     "ha_servers:\n"
     "  - {hostname: pg1, promotion_rule: prefered}\n"
     "  - {hostname: pg1, tags: [a]}\n"
     "  - {hostname: pg1, tags: {a: {b: c}}}\n"
     "  - {hostname: pg1, tags: {a: '${HOWDAH_TEST_MISSING}'}}\n"
     "  - {hostname: pg1, tags: '{\"a\": 1}'}\n"
     "  - {hostname: pg1, tags: {'a=b': c}}\n"
     "  - {hostname: pg1, datacenter: x}\n",
     {"f.yaml:4: ha server promotion_rule: 'prefered' is none of must, prefer, neutral, "
      "prefer_not, must_not",
      "f.yaml:5: ha server tags: must be names with values, as {zone: a}",
      "f.yaml:6: ha server tags: a value is not a text",
      "f.yaml:7: ha server tags: environment variable 'HOWDAH_TEST_MISSING' is not set",
      "f.yaml:8: ha server tags: '{\"a\": 1}' has a value of the tag 'a' that is no text",
      "f.yaml:9: ha server tags: '{\"a=b\":\"c\"}' has the tag 'a=b': a name is not empty, without "
      "',', '=', '~' and blanks",
      "f.yaml:10: ha server: unknown key 'datacenter' (did you mean 'data_center'?)"}},
    {"ignored_manager_that_nobody_knows",
     "variables: {ha_ignore_managers: 'repmgr; petroni'}\n"
     "servers: [{hostgroup_id: 10, hostname: pg1}]\n"
     "users: [{username: u, password: x, default_hostgroup: 10}]\n",
     {"f.yaml:1: ha_ignore_managers: 'petroni' is none of Patroni, repmgr, pg_auto_failover, "
      "Stolon, CloudNativePG, EFM, Pgpool-II, * (did you mean 'Patroni'?)"}},
    {"empty", "", {"f.yaml: the file is empty"}},
    {"only_comments", "# nothing\n", {"f.yaml: the file is empty"}},
    {"only_null", "~\n", {"f.yaml: the file is empty"}},
    {"a_scalar", "hello\n", {"f.yaml:1: must be sections such as 'variables:' and 'servers:'"}},
    {"a_list", "\n- a\n", {"f.yaml:2: must be sections such as 'variables:' and 'servers:'"}},
    {"unclosed_bracket",
     "servers:\n  - [1, 2\n",
     {"f.yaml:3: not valid YAML: end of sequence flow not found"}},
    {"bad_indentation",
     "variables:\n  threads: 1\n threads: 2\n",
     {"f.yaml:3: not valid YAML: end of map not found"}},
    {"a_tab_as_indentation",
     "variables:\n\tthreads: 1\n",
     {"f.yaml:2: not valid YAML: illegal map value (a tab cannot indent; use spaces)"}},
    {"unknown_alias",
     "variables: *nowhere\n",
     {"f.yaml:1: not valid YAML: the referenced anchor is not defined"}},
    {"two_documents",
     "variables:\n---\nvariables: {threads: 1}\n",
     {"f.yaml:2: text after the end of the first YAML document"}},
    {"a_stray_comma", ",\n", {"f.yaml:1: text after the end of the first YAML document"}},
    {"a_stray_bracket", "variables: {}\n]\n", {"f.yaml:2: not valid YAML: illegal flow end"}},
    {"a_list_as_key", "[a, b]: 1\n", {"f.yaml:1: a key must be a name"}},

    {"misspelt_section",
     "server:\n",
     {"f.yaml:1: unknown section 'server' (did you mean 'servers'?)"}},
    {"misspelt_section_with_prefix",
     "pgsql_user:\n",
     {"f.yaml:1: unknown section 'pgsql_user' (did you mean 'users'?)"}},
    {"unknown_section", "volumes_of_data:\n", {"f.yaml:1: unknown section 'volumes_of_data'"}},
    {"variable_at_the_top", "threads: 4\n", {"f.yaml:1: 'threads' must stand under 'variables:'"}},
    {"section_under_both_names",
     "users:\nservers:\npgsql_users:\n",
     {"f.yaml:3: 'pgsql_users' and 'users' (line 1) are the same section"}},
    {"section_twice", "users:\nusers:\n", {"f.yaml:2: duplicate key 'users' (first on line 1)"}},
    {"variables_as_list",
     "variables:\n  - threads: 1\n",
     {"f.yaml:2: variables: must be entries such as 'threads: 4'"}},
    {"servers_as_map",
     "servers:\n  pg1: 5432\n",
     {"f.yaml:2: servers: must be a list of entries such as '- {hostgroup_id: ...}'"}},
    {"server_as_text",
     "servers:\n  - pg1:5432\n",
     {"f.yaml:2: servers: an entry must look like '- {hostgroup_id: ...}'"}},

    {"misspelt_variable",
     "variables:\n  threads: 1\n  monitor_ping_intervall: 500\n",
     {"f.yaml:3: unknown variable 'monitor_ping_intervall' (did you mean "
      "'monitor_ping_interval'?)"}},
    {"variable_with_prefix",
     "variables: {pgsql-max_connections: 5}\n",
     {"f.yaml:1: unknown variable 'pgsql-max_connections' (did you mean 'max_connections'?)"}},
    {"unknown_variable",
     "variables: {data_packets_history_size: 5}\n",
     {"f.yaml:1: unknown variable 'data_packets_history_size'"}},
    {"duplicate_variable",
     "variables:\n  threads: 1\n  wait_timeout: 1\n  threads: 2\n",
     {"f.yaml:4: duplicate key 'threads' (first on line 2)"}},
    {"several_problems",
     "variables:\n  threads: x\n  log_level: loud\nservers: 7\n",
     {"f.yaml:2: threads: 'x' is not a whole number",
      "f.yaml:3: log_level: 'loud' is none of debug, info, warning, error",
      "f.yaml:4: servers: must be a list of entries such as '- {hostgroup_id: ...}'"}},

    {"no_number",
     "variables: {threads: few}\n",
     {"f.yaml:1: threads: 'few' is not a whole number"}},
    {"a_fraction",
     "variables: {threads: 1.5}\n",
     {"f.yaml:1: threads: '1.5' is not a whole number"}},
    {"no_value", "variables: {threads: }\n", {"f.yaml:1: threads: has no value"}},
    {"empty_value", "variables: {threads: ''}\n", {"f.yaml:1: threads: '' is not a whole number"}},
    {"below_the_range",
     "variables: {threads: -1}\n",
     {"f.yaml:1: threads: '-1' is out of range (0 to 1024)"}},
    {"above_the_range",
     "variables: {monitor_ping_timeout: 600001}\n",
     {"f.yaml:1: monitor_ping_timeout: '600001' is out of range (10 to 600000 ms)"}},
    {"above_the_range_by_its_unit",
     "variables: {monitor_ping_timeout: 11min}\n",
     {"f.yaml:1: monitor_ping_timeout: '11min' is out of range (10 to 600000 ms)"}},
    {"larger_than_any_number",
     "variables: {threads: 99999999999999999999}\n",
     {"f.yaml:1: threads: '99999999999999999999' is out of range (0 to 1024)"}},
    {"larger_than_any_number_by_its_unit",
     "variables: {wait_timeout: 9223372036854775807d}\n",
     {"f.yaml:1: wait_timeout: '9223372036854775807d' is out of range (0 to 1728000000 ms)"}},
    {"unknown_unit",
     "variables: {wait_timeout: 5 weeks}\n",
     {"f.yaml:1: wait_timeout: '5 weeks' is not a whole number with an optional unit (ms, s, min, "
      "h, d)"}},
    {"unit_of_another_kind",
     "variables: {max_allowed_packet: 5min}\n",
     {"f.yaml:1: max_allowed_packet: '5min' is not a whole number with an optional unit (B, kB, "
      "MB, "
      "GB)"}},
    {"no_boolean",
     "variables: {read_write_split: maybe}\n",
     {"f.yaml:1: read_write_split: 'maybe' is neither true nor false"}},
    {"no_enumeration_value",
     "variables: {pool_mode: transactions}\n",
     {"f.yaml:1: pool_mode: 'transactions' is none of transaction, session, statement"}},
    {"a_list_for_a_single_value",
     "variables: {threads: [1]}\n",
     {"f.yaml:1: threads: must be a single value"}},
    {"a_map_for_a_single_value",
     "variables: {threads: {file: /x}}\n",
     {"f.yaml:1: threads: must be a single value"}},
    {"a_very_long_value",
     "variables: {threads: "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}\n",
     {"f.yaml:1: threads: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is not "
      "a "
      "whole number"}},
    {"a_line_break_in_a_value",
     "variables: {threads: \"a\\nb\"}\n",
     {"f.yaml:1: threads: 'a?b' is not a whole number"}},
    {"a_nul_byte_in_a_text",
     "variables: {log_file: \"a\\0b\"}\n",
     {"f.yaml:1: log_file: 'a?b' contains a NUL byte"}},

    {"listener_without_address",
     "variables: {interfaces: []}\n",
     {"f.yaml:1: interfaces: '' names no address"}},
    {"listener_with_a_name",
     "variables:\n  interfaces: [\"localhost:6133\"]\n",
     {"f.yaml:2: interfaces: 'localhost:6133' is not an address such as 0.0.0.0:6133, [::]:6133 or "
      "/run/howdah:6133"}},
    {"listener_with_a_bad_port",
     "variables: {interfaces: 127.0.0.1:70000}\n",
     {"f.yaml:1: interfaces: '127.0.0.1:70000' has a port number that is not from 1 to 65535"}},
    {"unix_listener_on_port_0",
     "variables: {interfaces: /tmp:0}\n",
     {"f.yaml:1: interfaces: '/tmp:0' has a port number that is not from 1 to 65535"}},
    {"listener_twice",
     "variables: {interfaces: 127.0.0.1:1;127.0.0.1:1}\n",
     {"f.yaml:1: interfaces: '127.0.0.1:1;127.0.0.1:1' names 127.0.0.1:1 twice"}},
    {"listener_that_is_a_map",
     "variables: {interfaces: [{a: b}]}\n",
     {"f.yaml:1: interfaces: an entry is not a text"}},

    {"misspelt_column",
     "servers:\n  - hostgroup_id: 10\n    hostname: pg1\n    wieght: 1\n",
     {"f.yaml:4: server: unknown key 'wieght' (did you mean 'weight'?)"}},
    {"missing_column",
     "servers:\n  - hostname: pg1\n",
     {"f.yaml:2: server: 'hostgroup_id' is missing"}},
    {"unsupported_column",
     "query_rules:\n  - {rule_id: 1, schemaname: d}\n",
     {"f.yaml:2: query rule: 'schemaname' of ProxySQL is not supported"}},
    {"column_in_another_case",
     "query_rules:\n  - {rule_id: 1, flagin: 2}\n",
     {"f.yaml:2: query rule: unknown key 'flagin' (did you mean 'flagIN'?)"}},
    {"digest_that_is_none",
     "query_rules:\n  - {rule_id: 1, digest: SELECT}\n  - {rule_id: 2, digest: 0x}\n"
     "  - {rule_id: 3, digest: 0x12345678901234567}\n",
     {"f.yaml:2: query rule digest: 'SELECT' is no digest (0x and up to 16 hex digits)",
      "f.yaml:3: query rule digest: '0x' is no digest (0x and up to 16 hex digits)",
      "f.yaml:4: query rule digest: '0x12345678901234567' is no digest (0x and up to 16 hex "
      "digits)"}},
    {"unknown_modifier",
     "query_rules:\n  - {rule_id: 1, re_modifiers: 'CASELESS,MULTILINE'}\n",
     {"f.yaml:2: query rule re_modifiers: 'CASELESS,MULTILINE' must be CASELESS, GLOBAL, both with "
      "',' between them, or empty"}},
    {"rule_with_numbers_out_of_range",
     "query_rules:\n  - {rule_id: 1, multiplex: 3}\n  - {rule_id: 2, retries: 1001}\n"
     "  - {rule_id: 3, flagOUT: -1}\n  - {rule_id: 4, proxy_port: 65536}\n",
     {"f.yaml:2: query rule multiplex: '3' is out of range (0 to 2)",
      "f.yaml:3: query rule retries: '1001' is out of range (0 to 1000)",
      "f.yaml:4: query rule flagOUT: '-1' is out of range (0 to 2147483647)",
      "f.yaml:5: query rule proxy_port: '65536' is out of range (0 to 65535)"}},
    {"replacement_of_nothing",
     "query_rules:\n  - rule_id: 4\n    match_digest: x\n    replace_pattern: y\n",
     {"f.yaml:4: query rule 4: replace_pattern needs a match_pattern"}},
    {"column_of_ProxySQL_that_would_do_nothing",
     "users:\n  - {username: a, fast_forward: 1}\n",
     {"f.yaml:2: user: 'fast_forward' of ProxySQL is not supported"}},
    {"duplicate_column",
     "users:\n  - username: a\n    username: b\n",
     {"f.yaml:3: duplicate key 'username' (first on line 2)"}},
    {"bad_port",
     "servers:\n  - {hostgroup_id: 10, hostname: pg1, port: 0}\n",
     {"f.yaml:2: server port: '0' is out of range (1 to 65535)"}},
    {"bad_status",
     "servers:\n  - {hostgroup_id: 10, hostname: pg1, status: dead}\n",
     {"f.yaml:2: server status: 'dead' is none of ONLINE, SHUNNED, OFFLINE_SOFT, OFFLINE_HARD"}},
    {"negative_hostgroup",
     "servers:\n  - {hostgroup_id: -1, hostname: pg1}\n",
     {"f.yaml:2: server hostgroup_id: '-1' is out of range (0 to 2147483647)"}},
    {"empty_hostname",
     "servers:\n  - {hostgroup_id: 1, hostname: ''}\n",
     {"f.yaml:2: server: 'hostname' is empty"}},
    {"several_hostnames",
     "servers:\n  - {hostgroup_id: 1, hostname: 'pg1,pg2'}\n",
     {"f.yaml:2: server hostname: 'pg1,pg2' must be one name, without spaces and commas"}},
    {"tls_on_a_unix_socket",
     "servers:\n  - hostgroup_id: 1\n    hostname: /run/postgresql\n    use_ssl: 1\n",
     {"f.yaml:4: server use_ssl: there is no TLS on a unix socket"}},

    {"duplicate_server",
     "servers:\n  - {hostgroup_id: 10, hostname: pg1}\n  - {hostgroup_id: 20, hostname: pg1}\n"
     "  - {hostgroup_id: 10, hostname: pg1, port: 5432}\n",
     {"f.yaml:4: server pg1:5432 in hostgroup 10 is listed twice (first on line 2)"}},
    {"duplicate_user",
     "servers: [{hostgroup_id: 0, hostname: a}]\nusers:\n  - username: x\n  - username: x\n",
     {"f.yaml:4: user 'x' is listed twice (first on line 3)"}},
    {"duplicate_rule",
     "query_rules:\n  - rule_id: 7\n  - rule_id: 7\n",
     {"f.yaml:3: query rule 7 is listed twice (first on line 2)"}},
    {"hba_rule_without_an_address",
     "hba_rules:\n  - type: host\n    method: md5\n",
     {"f.yaml:2: hba rule: type host needs an 'address', for instance all"}},
    {"hba_rule_with_an_address_on_a_unix_socket",
     "hba_rules:\n  - type: local\n    address: all\n    method: md5\n",
     {"f.yaml:3: hba rule: 'address' does not fit type local: a unix socket has no addresses"}},
    {"hba_rule_with_a_host_name",
     "hba_rules: [{type: host, address: db.example, method: md5}]\n",
     {"f.yaml:1: hba rule address: 'db.example' is not an address such as 10.0.0.0/8, fd00::/8 or "
      "127.0.0.1, nor samehost, samenet or all (host names are not looked up; a mask is written as "
      "/8)"}},
    {"hba_rule_for_the_members_of_a_role",
     "hba_rules: [{type: local, user: [a, +admins], method: md5}]\n",
     {"f.yaml:1: hba rule user: 'a;+admins' asks for the members of a role (+role), which Howdah "
      "does not know; list the users"}},
    {"hba_rule_for_databases_of_a_role",
     "hba_rules: [{type: local, database: samerole, method: md5}]\n",
     {"f.yaml:1: hba rule database: 'samerole' asks for the members of a role, which Howdah does "
      "not know; list the databases"}},
    {"hba_rule_with_a_file_of_names",
     "hba_rules: [{type: local, user: '@admins', method: md5}]\n",
     {"f.yaml:1: hba rule user: '@admins' names a file (@...); list the names themselves"}},
    {"hba_rule_for_nobody",
     "hba_rules: [{type: local, user: ',', method: md5}]\n",
     {"f.yaml:1: hba rule user: ',' names nobody and nothing"}},
    {"hba_rule_without_type_and_method",
     "hba_rules: [{user: a}]\n",
     {"f.yaml:1: hba rule: 'type' is missing", "f.yaml:1: hba rule: 'method' is missing"}},
    {"hba_rule_with_an_unknown_method",
     "hba_rules: [{type: local, method: ldap}]\n",
     {"f.yaml:1: hba rule method: 'ldap' is none of trust, reject, scram-sha-256, md5, password, "
      "cert, peer"}},
    {"hba_rules_with_certificates_where_there_can_be_none",
     "hba_rules:\n  - {type: host, address: all, method: cert}\n"
     "  - {type: hostnossl, address: all, method: md5, clientcert: verify-ca}\n"
     "  - {type: hostssl, address: all, method: cert}\n",
     {"f.yaml:2: hba rule: method cert needs type hostssl",
      "f.yaml:3: hba rule: clientcert needs type hostssl",
      "f.yaml:4: hba rule: method cert needs ssl_ca"}},
    {"hba_rules_with_peer_and_maps_in_the_wrong_place",
     "hba_rules:\n  - {type: host, address: all, method: peer}\n"
     "  - {type: local, method: md5, map: m}\n  - {type: local, method: peer, map: m}\n",
     {"f.yaml:2: hba rule: method peer needs type local",
      "f.yaml:3: hba rule: only the methods cert and peer use a map",
      "f.yaml:4: hba rule: there is no user map 'm'"}},
    {"client_certificates_without_an_authority",
     "variables: {client_sslmode: verify-ca}\n",
     {"f.yaml:1: client_sslmode is verify-ca, but ssl_cert is not set",
      "f.yaml:1: client_sslmode is verify-ca, but ssl_ca is not set"}},
    {"found_users_in_an_unknown_hostgroup",
     "variables: {auth_user: a, auth_hostgroup: 7}\nservers: [{hostgroup_id: 1, hostname: a}]\n",
     {"f.yaml:1: auth_hostgroup 7 has no server and is in no replication hostgroup"}},
    {"rule_to_an_unknown_hostgroup",
     "servers: [{hostgroup_id: 10, hostname: a}]\nquery_rules:\n  - rule_id: 1\n"
     "    destination_hostgroup: 30\n",
     {"f.yaml:4: query rule 1: destination_hostgroup 30 has no server and is in no replication "
      "hostgroup"}},
    {"mirror_and_fast_route_to_an_unknown_hostgroup",
     "servers: [{hostgroup_id: 10, hostname: a}]\nquery_rules:\n  - rule_id: 1\n"
     "    mirror_hostgroup: 30\nquery_rules_fast_routing:\n"
     "  - {username: u, database: d, destination_hostgroup: 40}\n",
     {"f.yaml:4: query rule 1: mirror_hostgroup 30 has no server and is in no replication "
      "hostgroup",
      "f.yaml:6: fast route of user 'u' in database 'd' with flagIN 0: destination_hostgroup 40 "
      "has "
      "no server and is in no replication hostgroup"}},
    {"fast_routes_with_one_key",
     "servers: [{hostgroup_id: 10, hostname: a}]\nquery_rules_fast_routing:\n"
     "  - {username: u, database: d, destination_hostgroup: 10}\n"
     "  - {username: u, database: d, flagIN: 1, destination_hostgroup: 10}\n"
     "  - {username: u, database: d, flagIN: 0, destination_hostgroup: 10}\n",
     {"f.yaml:5: fast route of user 'u' in database 'd' with flagIN 0 is listed twice (first on "
      "line 3)"}},
    {"firewall_rows_with_one_key",
     "firewall_whitelist_users:\n  - {username: u, client_address: ''}\n"
     "  - {username: u, client_address: '', mode: DETECTING}\n"
     "firewall_whitelist_rules:\n"
     "  - {username: u, client_address: '', database: d, digest: 0xAB}\n"
     "  - {username: u, client_address: '', database: d, digest: 0x00ab}\n",
     {"f.yaml:3: firewall user 'u' at '' is listed twice (first on line 2)",
      "f.yaml:6: firewall rule of user 'u' at '' in database 'd' with flagIN 0 for 0x00ab is "
      "listed "
      "twice (first on line 5)"}},
    {"unknown_firewall_mode",
     "firewall_whitelist_users: [{username: u, client_address: '', mode: ON}]\n",
     {"f.yaml:1: firewall user mode: 'ON' is none of OFF, DETECTING, PROTECTING"}},
    {"user_of_an_unknown_hostgroup",
     "servers: [{hostgroup_id: 10, hostname: a}]\nusers:\n  - username: x\n    password: y\n",
     {"f.yaml:3: user 'x': default_hostgroup 0 has no server and is in no replication hostgroup"}},
    {"user_without_a_name",
     "servers: [{hostgroup_id: 0, hostname: a}]\nusers:\n  - username: ''\n",
     {"f.yaml:3: user: 'username' is empty"}},
    {"writer_is_reader",
     "replication_hostgroups:\n  - {writer_hostgroup: 10, reader_hostgroup: 10}\n",
     {"f.yaml:2: replication hostgroup: writer_hostgroup and reader_hostgroup are both 10"}},
    {"hostgroup_in_two_pairs",
     "replication_hostgroups:\n  - {writer_hostgroup: 10, reader_hostgroup: 20}\n"
     "  - {writer_hostgroup: 20, reader_hostgroup: 30}\n",
     {"f.yaml:3: hostgroup 20 is in two replication hostgroups (first on line 2)"}},
    {"broken_verifier",
     "servers: [{hostgroup_id: 0, hostname: a}]\nusers:\n  - username: x\n"
     "    password: SCRAM-SHA-256$4096:c2FsdA==$short:short\n",
     {"f.yaml:4: user 'x': the password begins like a SCRAM verifier but is none"}},
    {"hash_as_server_password",
     "servers: [{hostgroup_id: 0, hostname: a}]\nusers:\n  - username: x\n    password: y\n"
     "    server_password: md50123456789abcdef0123456789abcdef\n",
     {"f.yaml:5: user 'x': server_password must be plain text"}},
    {"user_needs_tls_that_is_not_offered",
     "servers: [{hostgroup_id: 0, hostname: a}]\nusers:\n  - username: x\n    password: y\n"
     "    use_ssl: true\n",
     {"f.yaml:5: user 'x': use_ssl needs ssl_cert and a client_sslmode other than disable"}},

    {"certificate_without_key",
     "variables:\n  ssl_cert: /dev/null/x\n",
     {"f.yaml:2: ssl_cert is set, but ssl_key is not",
      "f.yaml:2: ssl_cert: cannot read '/dev/null/x': Not a directory"}},
    {"key_without_certificate",
     "variables:\n  ssl_p2s_key: /\n",
     {"f.yaml:2: ssl_p2s_key is set, but ssl_p2s_cert is not",
      "f.yaml:2: ssl_p2s_key: cannot read '/': is a directory"}},
    {"tls_required_without_certificate",
     "variables:\n  client_sslmode: require\n",
     {"f.yaml:2: client_sslmode is require, but ssl_cert is not set"}},
    {"verification_without_authority",
     "variables:\n  server_sslmode: verify-full\n",
     {"f.yaml:2: server_sslmode is verify-full, but ssl_p2s_ca is not set"}},
    {"passfile_is_missing",
     "variables:\n  passfile: /nowhere/.pgpass\n",
     {"f.yaml:2: passfile: cannot read '/nowhere/.pgpass': No such file or directory"}},

    {"missing_environment_variable",
     "variables:\n  monitor_password: ${HOWDAH_TEST_UNSET}\n",
     {"f.yaml:2: monitor_password: environment variable 'HOWDAH_TEST_UNSET' is not set"}},
    {"missing_environment_variable_in_a_list",
     "variables:\n  interfaces: ['${HOWDAH_TEST_UNSET}']\n",
     {"f.yaml:2: interfaces: environment variable 'HOWDAH_TEST_UNSET' is not set"}},
    {"secret_file_is_missing",
     "variables:\n  monitor_password: {file: /nowhere/secret}\n",
     {"f.yaml:2: monitor_password: cannot read '/nowhere/secret': No such file or directory"}},
    {"secret_of_an_unknown_form",
     "variables:\n  monitor_password: {vault: secret}\n",
     {"f.yaml:2: monitor_password: must be a text, '${NAME}' or {file: path}"}},
    {"secret_with_a_nul_byte",
     "variables:\n  monitor_password: \"hid\\0den\"\n",
     {"f.yaml:2: monitor_password: the value contains a NUL byte"}},
};

INSTANTIATE_TEST_SUITE_P(conf, a_bad_configuration, ::testing::ValuesIn(inputs),
                         [](const auto& test) { return std::string(test.param.name); });

std::string only_error(const load_result& result) {
    EXPECT_EQ(result.value, nullptr);
    EXPECT_EQ(result.errors.size(), 1u);
    return result.errors.empty() ? "" : result.errors.front().to_string();
}

TEST(a_configuration_file, that_is_missing_is_an_error) {
    EXPECT_EQ(only_error(load_file("/nowhere/howdah.yaml")),
              "/nowhere/howdah.yaml: cannot read the file: No such file or directory");
}

TEST(a_configuration_file, that_is_a_folder_is_an_error) {
    EXPECT_EQ(only_error(load_file("/")), "/: cannot read the file: is a directory");
}

TEST(a_configuration_file, that_is_a_device_or_a_fifo_is_an_error_and_does_not_block) {
    EXPECT_EQ(only_error(load_file("/dev/null")),
              "/dev/null: cannot read the file: not a regular file");
    const test::temporary_folder folder;
    const auto fifo = folder.path("fifo");
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
    EXPECT_EQ(only_error(load_file(fifo)), fifo + ": cannot read the file: not a regular file");
}

TEST(a_configuration_file, that_is_empty_is_an_error) {
    const test::temporary_folder folder;
    const auto path = folder.file("empty.yaml", "");
    EXPECT_EQ(only_error(load_file(path)), path + ": the file is empty");
}

TEST(a_configuration_file, that_is_too_large_is_an_error) {
    const test::temporary_folder folder;
    const auto path = folder.file("large.yaml", std::string((16 << 20) + 1, '#'));
    EXPECT_EQ(only_error(load_file(path)),
              path + ": cannot read the file: larger than 16777216 bytes");
}

TEST(a_configuration, with_absurdly_deep_nesting_is_an_error) {
    const auto result = load_text("servers: " + std::string(100000, '['), "f.yaml");
    EXPECT_EQ(result.value, nullptr);
    EXPECT_EQ(result.errors.size(), 1u);
}

TEST(a_secret, is_in_no_message_whatever_is_wrong_with_it) {
    const test::environment_variable variable("HOWDAH_TEST_SECRET", "hunter2");
    const std::string broken = "SCRAM-SHA-256$4096:c2FsdA==$short:hunter2";
    const auto result = load_text(
        "variables:\n"
        "  threads: ${HOWDAH_TEST_SECRET}\n"
        "  monitor_password: [hunter2]\n"
        "users:\n"
        "  - {username: a, password: \"hunter2\\0\"}\n"
        "  - {username: b, server_password: {hunter2: hunter2}}\n",
        "f.yaml");
    const auto more = load_text(
        "servers: [{hostgroup_id: 0, hostname: h}]\nusers:\n"
        "  - {username: c, password: '" +
            broken + "'}\n",
        "f.yaml");
    EXPECT_EQ(result.errors.size(), 4u);
    EXPECT_EQ(more.errors.size(), 1u);
    for (const auto* one : {&result, &more})
        for (const auto& problem : one->errors)
            EXPECT_EQ(problem.message.find("hunter2"), std::string::npos) << problem.message;
    EXPECT_EQ(result.errors[0].to_string(), "f.yaml:2: threads: the value is not a whole number");
}

}  // namespace
}  // namespace howdah::conf
