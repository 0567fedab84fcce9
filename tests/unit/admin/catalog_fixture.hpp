#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "admin/catalog/catalog_tables.hpp"
#include "admin/catalog/dialect.hpp"
#include "admin/catalog/functions.hpp"
#include "admin/config/config_table.hpp"
#include "admin/sql/sql_session.hpp"

namespace howdah::admin {

/// An administration with the table pgsql_servers, the live tables stats.counters and
/// main.runtime_servers, and the users admin and stats.
class catalog_fixture : public testing::Test {
protected:
    catalog_fixture() {
        static std::atomic<int> number{0};
        environment_.memory_uri = "file:/catalog" + std::to_string(++number) + "?vfs=memdb";
        keeper_ = std::make_unique<database>(environment_.memory_uri);
        for (const config_table& t : config_tables()) {
            if (t.name != "pgsql_servers") continue;
            EXPECT_TRUE(keeper_->execute(t.create("main")));
        }
        EXPECT_TRUE(keeper_->execute(
            "CREATE TABLE main.notes(id INTEGER PRIMARY KEY, author VARCHAR UNIQUE, score REAL)"));
        environment_.tables.push_back(
            {"stats",
             "counters",
             "Numbers that grow.",
             {{"id", column_type::integer, "Which one."}, {"label", column_type::text, ""}},
             [] {
                 return std::vector<row>{{std::int64_t{1}, "one"}};
             }});
        environment_.tables.push_back({"main",
                                       "runtime_servers",
                                       "What is in force.",
                                       {{"hostname", column_type::text, ""}},
                                       [] { return std::vector<row>(); }});
        catalog_ = std::make_shared<const catalog>(environment_, [] {
            return std::vector<std::pair<std::string, role>>{{"admin", role::admin},
                                                             {"stats", role::stats}};
        });
        for (live_table& t : catalog_tables(catalog_, environment_.tables))
            environment_.tables.push_back(std::move(t));
        environment_.add_functions = [this](sqlite3* db, const std::string& user, role who) {
            add_catalog_functions(db, catalog_, user, who, "1.0");
        };
        environment_.translate = translated;
    }

    /// What a client sees: columns by ',', rows by '\n', NULL as empty text; "ERROR: ..." where it
    /// fails.
    std::string ask(sql_session& s, std::string_view sql) {
        const auto failed = [&](const sql_error& e) {
            s.failed();
            return "ERROR: " + e.message;
        };
        auto prepared = s.prepare(sql);
        if (!prepared) return failed(prepared.error());
        auto rows = (*prepared)->open({});
        if (!rows) return failed(rows.error());
        std::string out;
        row r;
        for (;;) {
            auto more = (*rows)->next(r);
            if (!more) return failed(more.error());
            if (!*more) return out;
            for (std::size_t i = 0; i < r.size(); ++i) {
                const bool boolean = (*rows)->columns()[i].type == column_type::boolean;
                std::string shown = to_text(r[i]);
                if (boolean && !shown.empty()) shown = shown == "0" ? "f" : "t";
                out += (i == 0 ? "" : ",") + shown;
            }
            out += '\n';
        }
    }
    std::string ask(std::string_view sql, role who = role::admin) {
        sql_session s(environment_, who, who == role::admin ? "admin" : "stats");
        return ask(s, sql);
    }

    sql_environment environment_;
    std::unique_ptr<database> keeper_;
    std::shared_ptr<const catalog> catalog_;
};

}  // namespace howdah::admin
