#include "conf/print_config.hpp"

#include <gtest/gtest.h>

#include "conf/loader.hpp"
#include "conf/options.hpp"

namespace howdah::conf {
namespace {

/// A value that is not the default.
std::string another_value(const option& row, const variables& vars) {
    const auto current = row.get(vars).value_or("");
    switch (row.kind) {
        case value_kind::boolean:
            return current == "true" ? "false" : "true";
        case value_kind::enumeration:
            return std::string(current == row.choices.front() ? row.choices.back()
                                                              : row.choices.front());
        case value_kind::text:
            return "";
        case value_kind::list:
            return "127.0.0.1:5;[::1]:6;/tmp:7";
        default:
            return std::to_string(row.range.max);
    }
}

settings read_back(std::string text, const std::vector<std::string>& secrets) {
    const std::string mask = masked_secret;
    std::size_t at = 0;
    for (const auto& secret : secrets) {
        at = text.find(mask, at);
        EXPECT_NE(at, text.npos);
        text.replace(at, mask.size(), secret);
        at += secret.size();
    }
    EXPECT_EQ(text.find(mask, at), text.npos) << "an unexpected secret";
    const auto result = load_text(text, "printed");
    for (const auto& error : result.errors)
        ADD_FAILURE() << error.to_string();
    return result.value ? *result.value : settings{};
}

TEST(the_printed_configuration, of_the_defaults_reads_back) {
    settings s;
    s.source = "printed";
    EXPECT_EQ(read_back(print_config(s, secrets::shown), {}), s);
}

TEST(the_printed_configuration, with_every_variable_changed_reads_back) {
    settings s;
    s.source = "printed";
    for (const auto& row : options()) {
        if (row.is_file || row.secret) continue;
        ASSERT_EQ(row.set(s.vars, another_value(row, s.vars)), std::nullopt) << row.name;
    }
    // Of all connections, some must be left for others; and these would need certificates.
    s.vars.reserved_connections = 1;
    s.vars.client_sslmode = client_sslmode::disable;
    s.vars.server_sslmode = server_sslmode::require;
    EXPECT_EQ(read_back(print_config(s, secrets::shown), {}), s);
}

TEST(the_printed_configuration, keeps_texts_that_yaml_would_take_for_something_else) {
    settings s;
    s.source = "printed";
    for (const char* comment :
         {"",    "~",       "null",    "yes",      "12",    "a: b",
          "#x",  "- y",     "'",       "\"",       "\\n",   "line\nbreak",
          "{a}", "*a",      "&a",      "!t",       "%d",    "@",
          "`",   " blank ", "${HOME}", "$${HOME}", "$HOME", "\u00e4\u00f6\u00fc \u4f60",
          "\t"}) {
        server one;
        one.hostgroup_id = static_cast<int>(s.servers.size());
        one.hostname = "pg1";
        one.comment = comment;
        s.servers.push_back(one);
    }
    EXPECT_EQ(read_back(print_config(s, secrets::shown), {}), s);
}

TEST(the_printed_configuration, masks_every_secret_and_reads_back_with_them) {
    settings s;
    s.source = "printed";
    s.vars.monitor_password = "secret-m";
    s.servers.resize(1);
    s.servers[0].hostname = "pg1";
    s.servers[0].status = server_status::offline_hard;
    s.replication_hostgroups = {{0, 1, "pair"}};
    s.users.resize(2);
    s.users[0].username = "a";
    s.users[0].password = "secret-a";
    s.users[0].server_password = "secret-s";
    s.users[0].pool_mode = pool_mode::statement;
    s.users[0].read_write_split = true;
    s.users[1].username = "b";
    s.users[1].active = false;
    s.databases.resize(2);
    s.databases[0].name = "shop";
    s.databases[0].max_connections = 0;
    s.databases[0].query_timeout = std::chrono::milliseconds(1);
    s.databases[0].cancel_on_client_disconnect = true;
    s.databases[1].name = "reports";
    s.query_rules.resize(1);
    s.query_rules[0].rule_id = 3;
    s.query_rules[0].match_digest = "^SELECT \"x\" FROM \\w+$";
    s.query_rules[0].destination_hostgroup = 1;
    s.hba_rules.resize(2);
    s.hba_rules[0].type = hba_type::local;
    s.hba_rules[0].database = "app;/^a{1,2}$;\"all\"";
    s.hba_rules[0].method = hba_method::peer;
    s.hba_rules[0].map = "m";
    s.hba_rules[1].address = "fd00::/8";
    s.user_maps = {{"m", "/^(.*)@x$", "\\1", ""}};

    const auto text = print_config(s);
    EXPECT_EQ(text.find("secret-"), text.npos);
    EXPECT_EQ(read_back(text, {"secret-m", "admin:admin", "stats:stats", "secret-a", "secret-s"}),
              s);
}

}  // namespace
}  // namespace howdah::conf
