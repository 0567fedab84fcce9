#include "proxy/session/settings.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>

namespace howdah::proxy {
namespace {

/// What the client's SQL makes of its settings.
session_settings after(std::string_view sql, const session_settings& current = session_settings({}),
                       const session_settings& initial = session_settings({})) {
    const sql::traits t = sql::classify(sql);
    EXPECT_TRUE(t.parsed) << sql;
    return session_settings(apply_changes(current, initial, t.settings));
}

std::string text(const session_settings& s) {
    std::string out;
    for (const auto& [name, statement] : s.entries())
        out += name + ": " + statement + "\n";
    return out;
}

TEST(QuoteLiteral, doubles_quotes_and_escapes_backslashes) {
    EXPECT_EQ(quote_literal(""), "''");
    EXPECT_EQ(quote_literal("a"), "'a'");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(quote_literal("a\\b"), "E'a\\\\b'");
    EXPECT_EQ(quote_literal("\\'; DROP TABLE t; --"), "E'\\\\''; DROP TABLE t; --'");
}

TEST(RawSettingStatement, passes_the_text_through_set_config) {
    EXPECT_EQ(raw_setting_statement("search_path", "a, b"),
              "SELECT pg_catalog.set_config('search_path','a, b',false)");
    EXPECT_EQ(raw_setting_statement("x.y", "o'clock\\"),
              "SELECT pg_catalog.set_config('x.y',E'o''clock\\\\',false)");
}

TEST(SessionSettings, finds_by_name) {
    const session_settings s({{"a", "SET a"}, {"c", "SET c"}});
    ASSERT_NE(s.find("c"), nullptr);
    EXPECT_EQ(*s.find("c"), "SET c");
    EXPECT_EQ(s.find("b"), nullptr);
    EXPECT_EQ(s.find(""), nullptr);
    EXPECT_EQ(s.find("d"), nullptr);
    EXPECT_TRUE(session_settings({}).empty());
    EXPECT_FALSE(s.empty());
}

TEST(SettingsRegistry, equal_settings_are_one_object) {
    settings_registry registry;
    const auto a = registry.intern({{"a", "SET a"}, {"b", "SET b"}});
    EXPECT_EQ(a, registry.intern({{"a", "SET a"}, {"b", "SET b"}}));
    EXPECT_NE(a, registry.intern({{"a", "SET a"}}));
    EXPECT_NE(registry.intern({{"ab", "c"}}), registry.intern({{"a", "bc"}}));
    EXPECT_EQ(registry.intern({}), registry.none());
    EXPECT_TRUE(registry.none()->empty());
}

TEST(SettingsRegistry, forgets_what_nobody_uses_and_keeps_what_somebody_does) {
    settings_registry registry;
    const auto kept = registry.intern({{"kept", "SET kept"}});
    for (int i = 0; i < 5000; ++i)
        (void)registry.intern({{"n", "SET n TO " + std::to_string(i)}});
    EXPECT_EQ(registry.intern({{"kept", "SET kept"}}), kept);
    EXPECT_EQ(registry.intern({}), registry.none());
}

TEST(SettingsRegistry, gives_threads_the_same_object) {
    settings_registry registry;
    settings_ptr seen[4];
    {
        std::vector<std::jthread> threads;
        for (settings_ptr& mine : seen)
            threads.emplace_back([&registry, &mine] {
                for (int i = 0; i < 500; ++i) {
                    const auto other = registry.intern({{"x", std::to_string(i % 7)}});
                    mine = registry.intern({{"a", "SET a"}});
                }
            });
    }
    for (const settings_ptr& s : seen)
        EXPECT_EQ(s->entries().front().second, "SET a");
    EXPECT_EQ(seen[0], registry.intern({{"a", "SET a"}}));
}

TEST(ApplyChanges, remembers_each_parameter_with_its_latest_statement_sorted_by_name) {
    const auto s = after(
        "SET work_mem = '1MB'; SET TIME ZONE 'UTC'; SET search_path = a, \"B\"; "
        "SET work_mem = '2MB'");
    EXPECT_EQ(text(s),
              "search_path: SET \"search_path\" TO 'a', 'B'\n"
              "timezone: SET \"timezone\" TO 'UTC'\n"
              "work_mem: SET \"work_mem\" TO '2MB'\n");
}

TEST(ApplyChanges, quotes_the_parts_of_a_custom_parameter) {
    EXPECT_EQ(text(after("SET my.\"odd name\" = 1")),
              "my.odd name: SET \"my\".\"odd name\" TO '1'\n");
}

TEST(ApplyChanges, values_with_quotes_and_backslashes_stay_what_they_are) {
    EXPECT_EQ(text(after("SET a.b = 'it''s'")), "a.b: SET \"a\".\"b\" TO 'it''s'\n");
    EXPECT_EQ(text(after("SET a.b = 'c:\\x'")), "a.b: SET \"a\".\"b\" TO E'c:\\\\x'\n");
}

TEST(ApplyChanges, a_local_set_changes_nothing_that_lasts) {
    const auto before = after("SET a.b = 1");
    EXPECT_EQ(text(after("SET LOCAL a.b = 2", before)), text(before));
    EXPECT_EQ(text(after("SELECT set_config('a.b', '2', true)", before)), text(before));
}

TEST(ApplyChanges, set_config_counts_like_set) {
    EXPECT_EQ(text(after("SELECT set_config('a.b', 'x', false)")), "a.b: SET \"a\".\"b\" TO 'x'\n");
}

TEST(ApplyChanges, reset_goes_back_to_the_startup_setting) {
    const session_settings initial(session_settings::list{{"a.b", "startup"}});
    const auto changed = after("SET a.b = 2; SET a.c = 3", initial, initial);
    EXPECT_EQ(text(after("RESET a.b", changed, initial)),
              "a.b: startup\na.c: SET \"a\".\"c\" TO '3'\n");
    EXPECT_EQ(text(after("RESET a.c", changed, initial)), "a.b: SET \"a\".\"b\" TO '2'\n");
    EXPECT_EQ(text(after("SET a.c TO DEFAULT", changed, initial)), "a.b: SET \"a\".\"b\" TO '2'\n");
    EXPECT_EQ(text(after("RESET a.nothing", changed, initial)), text(changed));
}

TEST(ApplyChanges, reset_all_goes_back_to_the_startup_settings_and_leaves_the_identity) {
    const session_settings initial(session_settings::list{{"a.b", "startup"}});
    const auto changed = after("SET ROLE app; SET a.b = 2; SET a.c = 3", initial, initial);
    EXPECT_EQ(text(after("RESET ALL", changed, initial)),
              "a.b: startup\nrole: SET \"role\" TO 'app'\n");
}

TEST(ApplyChanges, a_new_session_user_ends_the_role) {
    const auto changed = after("SET ROLE app; SET SESSION AUTHORIZATION bob");
    EXPECT_EQ(text(changed), "session_authorization: SET SESSION AUTHORIZATION 'bob'\n");
    EXPECT_EQ(text(after("SET SESSION AUTHORIZATION bob; SET ROLE app")),
              "role: SET \"role\" TO 'app'\n"
              "session_authorization: SET SESSION AUTHORIZATION 'bob'\n");
}

// PostgreSQL: SetSessionAuthorization deactivates SET ROLE, whichever way the user changes.
TEST(ApplyChanges, going_back_to_the_login_user_ends_the_role) {
    const auto both = after("SET SESSION AUTHORIZATION bob; SET ROLE app");
    EXPECT_EQ(text(after("RESET SESSION AUTHORIZATION", both)), "");
    EXPECT_EQ(text(after("SET SESSION AUTHORIZATION DEFAULT", both)), "");
}

TEST(ApplyChanges, discard_all_leaves_the_startup_settings_only) {
    const session_settings initial(session_settings::list{{"a.b", "startup"}});
    const auto changed =
        after("SET SESSION AUTHORIZATION bob; SET ROLE app; SET a.b = 2", initial, initial);
    EXPECT_EQ(text(after("DISCARD ALL", changed, initial)), "a.b: startup\n");
}

TEST(ReplayStatements, equal_settings_need_nothing) {
    const auto s = after("SET a.b = 1; SET ROLE app; SET SESSION AUTHORIZATION bob; SET ROLE x");
    EXPECT_EQ(replay_statements(s, s), "");
    EXPECT_EQ(replay_statements(session_settings({}), session_settings({})), "");
}

TEST(ReplayStatements, sets_what_is_missing_or_different_and_resets_what_is_too_much) {
    const auto from = after("SET a.gone = 1; SET a.same = 2; SET a.other = 3");
    const auto to = after("SET a.same = 2; SET a.other = 4; SET a.fresh = 5");
    EXPECT_EQ(replay_statements(from, to),
              "RESET \"a\".\"gone\";SET \"a\".\"fresh\" TO '5';SET \"a\".\"other\" TO '4'");
}

TEST(ReplayStatements, the_role_is_set_after_everything_else) {
    EXPECT_EQ(replay_statements(session_settings({}), after("SET ROLE app; SET work_mem = '1MB'")),
              "SET \"work_mem\" TO '1MB';SET \"role\" TO 'app'");
}

TEST(ReplayStatements, the_session_user_comes_before_the_role_and_after_the_settings) {
    EXPECT_EQ(replay_statements(session_settings({}),
                                after("SET SESSION AUTHORIZATION bob; SET ROLE app; SET a.b = 1")),
              "SET \"a\".\"b\" TO '1';SET SESSION AUTHORIZATION 'bob';SET \"role\" TO 'app'");
}

TEST(ReplayStatements, a_role_under_a_new_session_user_is_set_again) {
    const auto from = after("SET ROLE app");
    const auto to = after("SET SESSION AUTHORIZATION bob; SET ROLE app");
    EXPECT_EQ(replay_statements(from, to), "SET SESSION AUTHORIZATION 'bob';SET \"role\" TO 'app'");
}

TEST(ReplayStatements, the_old_session_user_is_given_back_first) {
    const auto from = after("SET SESSION AUTHORIZATION bob; SET a.b = 1");
    EXPECT_EQ(replay_statements(from, session_settings({})),
              "RESET SESSION AUTHORIZATION;RESET \"a\".\"b\"");
    EXPECT_EQ(replay_statements(from, after("SET SESSION AUTHORIZATION eve")),
              "RESET SESSION AUTHORIZATION;RESET \"a\".\"b\";SET SESSION AUTHORIZATION 'eve'");
}

// The role of the client before may not be allowed to set what the next one needs.
TEST(ReplayStatements, the_old_role_is_given_back_before_settings_change) {
    const auto from = after("SET log_statement = 'all'; SET ROLE app");
    EXPECT_EQ(replay_statements(from, session_settings({})),
              "RESET \"role\";RESET \"log_statement\"");
    const std::string sql =
        replay_statements(after("SET ROLE app"), after("SET log_statement = 'all'; SET ROLE eve"));
    EXPECT_LT(sql.find("RESET \"role\""), sql.find("log_statement")) << sql;
}

TEST(ReplayStatements, what_is_replayed_is_what_the_connection_is_believed_to_have) {
    const char* const histories[] = {
        "SET a.b = 1",
        "SET ROLE app; SET a.b = 'x\\y'",
        "SET SESSION AUTHORIZATION bob; SET ROLE app; SET search_path = a, b",
        "SET TIME ZONE 'UTC'; SET a.c = 'it''s'",
        "RESET ALL",
    };
    for (const char* from_sql : histories) {
        for (const char* to_sql : histories) {
            const auto from = after(from_sql);
            const auto to = after(to_sql);
            const std::string sql = replay_statements(from, to);
            EXPECT_EQ(text(after(sql, from)), text(to))
                << from_sql << " -> " << to_sql << ": " << sql;
        }
    }
}

TEST(Settings, a_boolean_is_on_in_every_spelling_that_postgresql_takes) {
    for (const char* on : {"on", "TRUE", "tr", "yes", "y", "1", "'On'"})
        EXPECT_TRUE(sets_to_true(*after("SET a.b = " + std::string(on)).find("a.b"))) << on;
    for (const char* off : {"off", "of", "false", "f", "no", "0", "'onward'"})
        EXPECT_FALSE(sets_to_true(*after("SET a.b = " + std::string(off)).find("a.b"))) << off;
    EXPECT_TRUE(sets_to_true(raw_setting_statement("standard_conforming_strings", "on")));
    EXPECT_FALSE(sets_to_true(raw_setting_statement("standard_conforming_strings", "OF")));
}

TEST(Settings, encodings_whose_characters_hide_ascii_bytes_are_known_by_all_their_names) {
    const auto unsafe = [](const std::string& name) {
        return sets_to_ascii_unsafe_encoding(raw_setting_statement("client_encoding", name));
    };
    for (const char* name : {"SJIS", "Shift_JIS_2004", "MSKanji", "WIN-932", "Windows949", "Big5",
                             "gb18030", "gbk", "UHC", "Johab", "windows-936", "win950"})
        EXPECT_TRUE(unsafe(name)) << name;
    for (const char* name : {"UTF8", "unicode", "LATIN1", "win1252", "EUC_JP", "SQL_ASCII", "KOI8R",
                             "iso_8859_5", "euc_cn"})
        EXPECT_FALSE(unsafe(name)) << name;
}

TEST(SessionSettings, reading_holds_what_can_change_the_meaning_of_a_text_and_nothing_else) {
    const session_settings plain({{"app.tenant", "SET app.tenant"},
                                  {"application_name", "SET application_name"},
                                  {"enable_seqscan", "SET enable_seqscan"},
                                  {"statement_timeout", "SET statement_timeout"},
                                  {"work_mem", "SET work_mem"}});
    EXPECT_EQ(plain.reading(), "");
    for (const char* name : {"client_encoding", "datestyle", "role", "search_path", "timezone",
                             "standard_conforming_strings", "never_heard_of"}) {
        const session_settings one({{name, std::string("SET ") + name}});
        EXPECT_EQ(one.reading(), std::string("SET ") + name + ";");
    }
}

}  // namespace
}  // namespace howdah::proxy
