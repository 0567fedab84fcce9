#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "admin/pgbouncer/connect_string.hpp"
#include "admin/pgbouncer/hba_file.hpp"
#include "admin/pgbouncer/ini_file.hpp"
#include "admin/pgbouncer/userlist.hpp"

namespace howdah::admin::pgbouncer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using strings = std::vector<std::string>;

ini_file read(std::map<std::string, std::string> files) {
    return read_ini("/etc/p/p.ini", [files = std::move(files)](const std::string& path) {
        conf::text_file out;
        const auto found = files.find(path);
        if (found == files.end())
            out.error = "No such file or directory";
        else
            out.text = found->second;
        return out;
    });
}

strings entries_of(const ini_file& ini) {
    strings out;
    for (const ini_entry& e : ini.entries)
        out.push_back(e.where.to_string() + " [" + e.section + "] " + e.key + "=" + e.value);
    return out;
}

strings problems_of(const ini_file& ini) {
    strings out;
    for (const problem& p : ini.problems)
        out.push_back(p.where.to_string() + " " + p.message);
    return out;
}

ini_file read(std::string text) {
    return read(std::map<std::string, std::string>{{"/etc/p/p.ini", std::move(text)}});
}

TEST(ini_file, has_sections_names_and_values_without_the_blanks_around_them) {
    const ini_file ini = read(
        "\n; a comment\n  # another\n[ pgbouncer ]\r\n  listen_port =  6432 \r\nauth_query=SELECT "
        "a, b "
        "= $1 ; no # comment\nempty =\n[users]\njoe = pool_mode=session");
    EXPECT_THAT(problems_of(ini), IsEmpty());
    EXPECT_THAT(entries_of(ini),
                ElementsAre("/etc/p/p.ini:5 [pgbouncer] listen_port=6432",
                            "/etc/p/p.ini:6 [pgbouncer] auth_query=SELECT a, b = $1 ; no # comment",
                            "/etc/p/p.ini:7 [pgbouncer] empty=",
                            "/etc/p/p.ini:9 [users] joe=pool_mode=session"));
}

TEST(ini_file, may_have_any_name_in_double_quotes) {
    const ini_file ini = read("[databases]\n\"my \"\"db\"\" = x\" = host=a\n* = host=b\na-b.c =");
    EXPECT_THAT(problems_of(ini), IsEmpty());
    ASSERT_EQ(ini.entries.size(), 3U);
    EXPECT_EQ(ini.entries[0].key, "my \"db\" = x");
    EXPECT_EQ(ini.entries[1].key, "*");
    EXPECT_EQ(ini.entries[2].key, "a-b.c");
}

TEST(ini_file, says_where_something_cannot_be_read_and_not_what_stands_there) {
    const ini_file ini = read(
        "before = 1\n[pgbouncer]\nsecret\n\"secret = 1\n= secret\n[open\n%includes "
        "secret\n%include\na = 1");
    EXPECT_THAT(problems_of(ini),
                ElementsAre(HasSubstr(":1 stands before"),
                            HasSubstr(":3 expected \"name = value\""), HasSubstr(":4 expected"),
                            HasSubstr(":5 expected"), HasSubstr(":6 expected \"[section]\""),
                            HasSubstr(":7 expected \"%include file\""), HasSubstr(":8 expected")));
    for (const std::string& p : problems_of(ini))
        EXPECT_THAT(p, ::testing::Not(HasSubstr("secret")));
    EXPECT_THAT(entries_of(ini), ElementsAre("/etc/p/p.ini:9 [pgbouncer] a=1"));
}

TEST(ini_file, includes_others_that_lie_beside_it_or_anywhere) {
    const ini_file ini = read({{"/etc/p/p.ini", "[databases]\n%include more/a.ini\nlast = \n"},
                               {"/etc/p/more/a.ini", "a =\n%include /srv/b.ini\n"},
                               {"/srv/b.ini", "[users]\nb =\n%include gone.ini"}});
    EXPECT_THAT(entries_of(ini),
                ElementsAre("/etc/p/more/a.ini:1 [databases] a=", "/srv/b.ini:2 [users] b=",
                            "/etc/p/p.ini:3 [users] last="));
    EXPECT_THAT(
        problems_of(ini),
        ElementsAre("/srv/b.ini:3 cannot read \"/srv/gone.ini\": No such file or directory"));
}

TEST(ini_file, does_not_include_itself_for_ever) {
    EXPECT_THAT(problems_of(read("%include p.ini")), ElementsAre(HasSubstr("too deep")));
    // Two of each at every depth: the number of files ends it.
    EXPECT_THAT(problems_of(read("%include p.ini\n%include p.ini")),
                ::testing::Contains(HasSubstr("too many files")));
    std::string many = "[pgbouncer]\n";
    for (int i = 0; i < 100'010; ++i)
        many += "a = 1\n";
    EXPECT_THAT(problems_of(read(many)), ElementsAre(HasSubstr("too many settings")));
}

TEST(ini_file, that_is_not_there_is_a_problem) {
    EXPECT_THAT(
        problems_of(read(std::map<std::string, std::string>{})),
        ElementsAre("/etc/p/p.ini cannot read \"/etc/p/p.ini\": No such file or directory"));
}

using pairs = std::vector<std::pair<std::string, std::string>>;

TEST(connect_string, has_pairs_with_quotes_where_they_are_needed) {
    EXPECT_EQ(parse_connect_string(""), pairs{});
    EXPECT_EQ(parse_connect_string("  host=a.b  port = 5433 "),
              (pairs{{"host", "a.b"}, {"port", "5433"}}));
    EXPECT_EQ(parse_connect_string("connect_query='SELECT ''a b''; SET x = 1' dbname='d'"),
              (pairs{{"connect_query", "SELECT 'a b'; SET x = 1"}, {"dbname", "d"}}));
    EXPECT_EQ(parse_connect_string("password=a=b'c"), (pairs{{"password", "a=b'c"}}));
}

TEST(connect_string, is_malformed_without_a_value_a_name_or_a_quote) {
    for (const char* text : {"host", "host=", "host= ", "=a", "host=''", "host='a", "host='a''",
                             "host=a port", "'host'"})
        EXPECT_EQ(parse_connect_string(text), std::nullopt) << text;
}

strings users_of(const userlist& list) {
    strings out;
    for (const userlist_line& u : list.users)
        out.push_back(std::to_string(u.where.line) + " " + u.name + " " + u.password);
    return out;
}

TEST(userlist, has_users_and_their_passwords) {
    const userlist list = parse_userlist(
        "; comment\n\n\"alice\" \"plain \"\"text\"\"\" \"\"\r\n \"bob\"\t\"md50123\" "
        "anything\n\"carl\"\"s\" \"\"",
        "u");
    EXPECT_THAT(users_of(list),
                ElementsAre("3 alice plain \"text\"", "4 bob md50123", "5 carl\"s "));
    EXPECT_TRUE(list.problems.empty());
}

TEST(userlist, reads_on_behind_a_broken_line) {
    const userlist list =
        parse_userlist("\"a\"\nb c\n\"d\" \"secret\n\"\" \"x\"\n\"e\" \"f\"", "u");
    EXPECT_THAT(users_of(list), ElementsAre("5 e f"));
    ASSERT_EQ(list.problems.size(), 4U);
    EXPECT_EQ(list.problems[2].where.to_string(), "u:3");
    EXPECT_EQ(list.problems[2].message, "expected \"user\" \"password\"");
}

TEST(hba_file, has_rules_in_postgresqls_form) {
    const auto lines = parse_hba(
        "# comment\nlocal all all peer map=os\nhost app, \"all\" bob,carl 10.0.0.0/8 scram-sha-256 "
        "# x\n"
        "hostssl all all 192.168.1.0 255.255.255.0 cert\nhost all all all plain\n",
        "h");
    ASSERT_EQ(lines.size(), 4U);
    for (const auto& line : lines)
        ASSERT_TRUE(line.record) << line.error;
    EXPECT_EQ(lines[0].record->type, conf::hba_type::local);
    EXPECT_EQ(lines[0].record->map, "os");
    EXPECT_EQ(lines[1].where.to_string(), "h:3");
    EXPECT_EQ(lines[1].record->database, "app;\"all\"");
    EXPECT_EQ(lines[1].record->user, "bob;carl");
    EXPECT_EQ(lines[1].record->address, "10.0.0.0/8");
    EXPECT_EQ(lines[2].record->address, "192.168.1.0/24");
    EXPECT_EQ(lines[2].record->method, conf::hba_method::cert);
    EXPECT_EQ(lines[3].record->method, conf::hba_method::password);
}

TEST(hba_file, says_what_a_line_asks_for_that_howdah_has_not) {
    const auto lines = parse_hba(
        "host all +admins all md5\nhost @dbs all all md5\nhost all all all ldap "
        "ldapbindpasswd=secret\n"
        "host all all\nhost all all 10.0.0.0 255.0.255.0 md5\nlocal \"all all md5\nhost all all "
        "example.com md5",
        "h");
    ASSERT_EQ(lines.size(), 7U);
    const strings expected{"+role",       "@...",     "ldap",       "too few columns",
                           "255.0.255.0", "unpaired", "example.com"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        EXPECT_FALSE(lines[i].record);
        EXPECT_THAT(lines[i].error, HasSubstr(expected[i]));
        EXPECT_THAT(lines[i].shown + lines[i].error, ::testing::Not(HasSubstr("secret")));
    }
}

TEST(hba_file, that_is_something_else_is_not_shown) {
    const auto lines = parse_hba("-----BEGIN PRIVATE KEY-----\nsecret\n", "key");
    ASSERT_EQ(lines.size(), 2U);
    for (const auto& line : lines)
        EXPECT_EQ(line.shown + line.error, "is no rule (local, host, hostssl, hostnossl)");
}

TEST(hba_file, of_user_maps_has_three_columns) {
    const auto lines = parse_ident("os root all\nos \"the admin\" bob\nos two", "i");
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(lines[0].record, (conf::user_map{"os", "root", "all", ""}));
    EXPECT_EQ(lines[1].record, (conf::user_map{"os", "the admin", "bob", ""}));
    EXPECT_THAT(lines[2].error, HasSubstr("expected map, system user and database user"));
}

TEST(hba_file, quotes_names_that_could_be_taken_for_something_else) {
    EXPECT_EQ(as_hba_name("app"), "app");
    EXPECT_EQ(as_hba_name("all"), "\"all\"");
    EXPECT_EQ(as_hba_name("/x"), "\"/x\"");
    EXPECT_EQ(as_hba_name("a;b"), std::nullopt);
    EXPECT_EQ(as_hba_name(""), std::nullopt);
}

}  // namespace
}  // namespace howdah::admin::pgbouncer
