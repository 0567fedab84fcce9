#include "admin/server/admin_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/reader.hpp"

namespace howdah::admin {
namespace {

using testing::HasSubstr;

/// "T(name:oid) D(1,NULL) C(SELECT 1) Z(I)"
std::string readable(std::string_view bytes) {
    std::string out;
    while (const auto f = protocol::peek_frame(bytes)) {
        const std::string_view body = bytes.substr(protocol::frame_header_size, f->body_size());
        bytes.remove_prefix(f->size());
        if (!out.empty()) out += ' ';
        out += f->type;
        protocol::reader in(body);
        if (f->type == 'T') {
            out += '(';
            for (std::uint16_t n = in.u16(); n > 0; --n) {
                out.append(in.cstring()).push_back(':');
                (void)in.bytes(6);
                out += std::to_string(in.u32()) + (n > 1 ? "," : ")");
                (void)in.bytes(8);
            }
        } else if (f->type == 't') {
            out += '(';
            for (std::uint16_t n = in.u16(); n > 0; --n)
                out += std::to_string(in.u32()) + (n > 1 ? "," : "");
            out += ')';
        } else if (f->type == 'D') {
            out += '(';
            for (std::uint16_t n = in.u16(); n > 0; --n) {
                const std::int32_t size = in.i32();
                out += size < 0 ? "NULL" : std::string(in.bytes(static_cast<std::size_t>(size)));
                if (n > 1) out += ',';
            }
            out += ')';
        } else if (f->type == 'C' || f->type == 'Z') {
            out += "(" + std::string(body.substr(0, f->type == 'C' ? body.size() - 1 : 1)) + ")";
        } else if (f->type == 'E' || f->type == 'N') {
            const auto view = protocol::parse_error(body);
            out += "(" + std::string(view->sqlstate) + " " + std::string(view->message) + ")";
        }
    }
    return out;
}

std::string query(std::string_view sql) {
    std::string out;
    protocol::append_query(out, sql);
    return out;
}
std::string parse(std::string_view name, std::string_view sql,
                  std::vector<std::uint32_t> types = {}) {
    std::string out;
    protocol::append_parse(out, name, sql, types);
    return out;
}
std::string bind(std::string_view name, std::vector<std::string> values, std::string portal = {},
                 bool binary = false) {
    std::string tail(2, '\0');
    const auto u16 = [&](std::size_t n) {
        tail.push_back(static_cast<char>(n >> 8U));
        tail.push_back(static_cast<char>(n));
    };
    u16(values.size());
    for (const std::string& v : values) {
        u16(0);
        u16(v.size());
        tail += v;
    }
    u16(binary ? 1 : 0);
    if (binary) u16(1);
    std::string out;
    protocol::append_bind_prefix(out, portal, name, tail.size());
    return out + tail;
}
std::string describe(char kind, std::string_view name) {
    std::string out;
    protocol::append_describe(out, kind, name);
    return out;
}
std::string execute(std::string_view portal = {}, int rows = 0) {
    std::string out;
    protocol::append_execute(out, portal, rows);
    return out;
}
std::string sync() {
    std::string out;
    protocol::append_sync(out);
    return out;
}

class admin_protocol_test : public testing::Test {
protected:
    admin_protocol_test() {
        static int number = 0;
        environment_.memory_uri = "file:/test" + std::to_string(++number) + "?vfs=memdb";
        keeper_ = std::make_unique<database>(environment_.memory_uri);
        EXPECT_TRUE(keeper_->execute("CREATE TABLE servers(id INT, name VARCHAR NOT NULL)"));
        environment_.tables.push_back(
            {"stats",
             "counters",
             "",
             {{"id", column_type::integer, ""}, {"label", column_type::text, ""}},
             [this] {
                 ++scans_;
                 return live_;
             }});
        environment_.commands.add(
            {.syntax = "LOAD IT", .doc = "", .run = [](const command_call& call) {
                 command_result r;
                 r.tag = call.db.in_transaction() ? "in transaction" : "LOAD";
                 return sql_result<command_result>(std::move(r));
             }});
    }

    struct client {
        client(const sql_environment& e, role who) : session(e, who, "me"), protocol(session) {}
        std::string operator()(std::string_view bytes) {
            std::string out;
            while (const auto f = protocol::peek_frame(bytes)) {
                protocol.on_message(f->type,
                                    bytes.substr(protocol::frame_header_size, f->body_size()), out);
                while (protocol.busy()) {
                    ++steps;
                    protocol.resume(out);
                }
                bytes.remove_prefix(f->size());
            }
            return readable(out);
        }
        sql_session session;
        admin_protocol protocol;
        int steps = 0;
    };

    sql_environment environment_;
    std::unique_ptr<database> keeper_;
    std::vector<row> live_{{std::int64_t{1}, "one"}, {std::int64_t{2}, "two"}, {value(), value()}};
    int scans_ = 0;
};

#define CONNECT(name) client name(environment_, role::admin)

TEST_F(admin_protocol_test, types_of_columns_are_those_of_tables_and_of_values) {
    CONNECT(c);
    EXPECT_EQ(c(query("SELECT 1 AS a, 'x' AS b, 2.5 AS c, NULL AS d")),
              "T(a:20,b:25,c:701,d:25) D(1,x,2.5,NULL) C(SELECT 1) Z(I)");
    EXPECT_EQ(c(query("SELECT * FROM servers")), "T(id:20,name:25) C(SELECT 0) Z(I)");
    EXPECT_EQ(c(query("SELECT 1 UNION ALL SELECT 'x'")), "T(1:25) D(1) D(x) C(SELECT 2) Z(I)");
    EXPECT_EQ(c(query("SELECT 1 UNION ALL SELECT 0.5 ORDER BY 1")),
              "T(1:701) D(0.5) D(1) C(SELECT 2) Z(I)");
}

TEST_F(admin_protocol_test, every_statement_of_a_string_is_run) {
    CONNECT(c);
    EXPECT_EQ(c(query("INSERT INTO servers VALUES (1, 'a'), (2, 'b'); UPDATE servers SET id = 3;"
                      "SELECT count(*) FROM servers")),
              "C(INSERT 0 2) C(UPDATE 2) T(count(*):20) D(2) C(SELECT 1) Z(I)");
    EXPECT_EQ(c(query("; ;")), "I Z(I)");
}

TEST_F(admin_protocol_test, several_statements_of_a_string_fail_together) {
    CONNECT(c);
    EXPECT_EQ(c(query("INSERT INTO servers VALUES (1, 'a'); INSERT INTO servers VALUES (2, NULL)")),
              "C(INSERT 0 1) E(23502 NOT NULL constraint failed: servers.name) Z(I)");
    EXPECT_EQ(c(query("SELECT count(*) AS n FROM servers")), "T(n:20) D(0) C(SELECT 1) Z(I)");
}

TEST_F(admin_protocol_test, a_command_ends_the_transaction_of_its_string_and_keeps_what_was_done) {
    CONNECT(c);
    EXPECT_EQ(c(query("INSERT INTO servers VALUES (1, 'a'); LOAD IT; SELECT nonsense")),
              "C(INSERT 0 1) C(LOAD) E(42703 no such column: nonsense) Z(I)");
    EXPECT_EQ(c(query("SELECT count(*) AS n FROM servers")), "T(n:20) D(1) C(SELECT 1) Z(I)");
}

TEST_F(admin_protocol_test, a_failed_transaction_is_void_until_its_end) {
    CONNECT(c);
    EXPECT_EQ(c(query("BEGIN")), "C(BEGIN) Z(T)");
    EXPECT_EQ(c(query("INSERT INTO servers VALUES (1, 'a')")), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(c(query("SELECT nonsense")), "E(42703 no such column: nonsense) Z(E)");
    EXPECT_THAT(c(query("SELECT 1")), HasSubstr("E(25P02"));
    EXPECT_EQ(c(query("COMMIT")), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c(query("SELECT count(*) AS n FROM servers")), "T(n:20) D(0) C(SELECT 1) Z(I)");
    EXPECT_EQ(c(query("ROLLBACK")),
              "N(00000 there is no transaction in progress) C(ROLLBACK) Z(I)");
}

TEST_F(admin_protocol_test, a_transaction_is_seen_by_others_when_it_is_committed) {
    CONNECT(a);
    CONNECT(b);
    EXPECT_EQ(a(query("BEGIN; INSERT INTO servers VALUES (1, 'a')")),
              "C(BEGIN) C(INSERT 0 1) Z(T)");
    EXPECT_EQ(a(query("COMMIT")), "C(COMMIT) Z(I)");
    EXPECT_EQ(b(query("SELECT name FROM servers")), "T(name:25) D(a) C(SELECT 1) Z(I)");
}

TEST_F(admin_protocol_test, live_tables_are_asked_once_per_statement_and_can_be_joined) {
    CONNECT(c);
    EXPECT_EQ(c(query("SELECT a.label FROM stats.counters a JOIN counters b ON a.id = b.id "
                      "WHERE b.label = 'two'")),
              "T(label:25) D(two) C(SELECT 1) Z(I)");
    EXPECT_EQ(scans_, 1);
    live_.clear();
    EXPECT_EQ(c(query("SELECT count(id) AS n FROM counters")), "T(n:20) D(0) C(SELECT 1) Z(I)");
    EXPECT_THAT(c(query("DELETE FROM counters")), HasSubstr("E(42"));
}

TEST_F(admin_protocol_test, parameters_come_as_text_or_binary_and_in_any_order) {
    CONNECT(c);
    EXPECT_EQ(c(parse("s", "SELECT id FROM counters WHERE label = $2 AND id >= $1", {23, 25}) +
                describe('S', "s") + bind("s", {"1", "two"}) + execute() + sync()),
              "1 t(23,25) T(id:20) 2 D(2) C(SELECT 1) Z(I)");
    EXPECT_EQ(c(bind("s", {"x", "two"}) + execute() + sync()),
              "E(22P03 incorrect data in bind parameter 1) Z(I)");
    EXPECT_EQ(
        c(bind("s", {"1"}) + execute() + sync()),
        "E(08P01 bind message supplies 1 parameters, but prepared statement \"s\" requires 2) "
        "Z(I)");
    using namespace std::string_literals;
    EXPECT_EQ(c(parse("", "SELECT 258 AS a") + bind("", {}, "", true) + describe('P', "") +
                execute() + sync()),
              "1 2 T(a:20) D("s + "\0\0\0\0\0\0\1\2"s + ") C(SELECT 1) Z(I)");
}

TEST_F(admin_protocol_test, a_portal_gives_as_many_rows_as_are_asked_for) {
    CONNECT(c);
    EXPECT_EQ(c(query("BEGIN") + parse("", "SELECT id FROM counters") + bind("", {}, "p") +
                execute("p", 2) + execute("p", 2) + execute("p", 2) + sync()),
              "C(BEGIN) Z(T) 1 2 D(1) D(2) s D(NULL) C(SELECT 3) "
              "E(55000 portal \"p\" cannot be run) Z(E)");
}

TEST_F(admin_protocol_test, portals_of_one_statement_do_not_mix_their_rows) {
    CONNECT(c);
    c(query("BEGIN") + parse("s", "SELECT $1 UNION ALL SELECT 'end'"));
    EXPECT_EQ(c(bind("s", {"a"}, "one") + bind("s", {"b"}, "two") + execute("one", 1) +
                execute("two", 1) + execute("one") + execute("two") + sync()),
              "2 2 D(a) s D(b) s D(end) C(SELECT 2) D(end) C(SELECT 2) Z(T)");
    c(parse("long",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) "
            "SELECT $1 || i FROM n"));
    const std::string both = c(bind("long", {"a"}, "one") + bind("long", {"b"}, "two") +
                               execute("one", 1) + execute("two", 1) + execute("one") + sync());
    EXPECT_THAT(both, HasSubstr("2 2 D(a1) s D(b1) s D(a2) "));
    EXPECT_THAT(both, HasSubstr("E(55000 the statement was executed again before its last row)"));
}

TEST_F(admin_protocol_test, an_error_skips_everything_up_to_sync) {
    CONNECT(c);
    EXPECT_EQ(c(parse("", "SELEC") + bind("", {}) + execute() + query("SELECT 1") + sync() +
                query("SELECT 1 AS a")),
              "E(42601 near \"SELEC\": syntax error) Z(I) T(a:20) D(1) C(SELECT 1) Z(I)");
    EXPECT_EQ(c(bind("nobody", {}) + sync()),
              "E(26000 prepared statement \"nobody\" does not exist) Z(I)");
    EXPECT_EQ(c(parse("", "SELECT 1; SELECT 2") + sync()),
              "E(42601 cannot insert multiple commands into a prepared statement) Z(I)");
}

TEST_F(admin_protocol_test, large_results_are_made_in_steps) {
    CONNECT(c);
    const std::string all =
        c(query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) "
                "SELECT i, 'some text that takes room' AS t FROM n"));
    EXPECT_GT(c.steps, 5);
    EXPECT_THAT(all, HasSubstr("C(SELECT 20000) Z(I)"));
}

TEST_F(admin_protocol_test, who_may_only_read_statistics_reads_statistics_only) {
    client c(environment_, role::stats);
    EXPECT_EQ(c(query("SELECT count(*) AS n FROM counters")), "T(n:20) D(3) C(SELECT 1) Z(I)");
    EXPECT_THAT(c(query("SELECT * FROM servers")), HasSubstr("E(42501"));
    EXPECT_THAT(c(query("INSERT INTO servers VALUES (1, 'a')")), HasSubstr("E(42501"));
    EXPECT_THAT(c(query("LOAD IT")), HasSubstr("E(42501"));
    EXPECT_THAT(c(query("CREATE TEMP TABLE x(a)")), HasSubstr("E(42501"));
}

TEST_F(admin_protocol_test, nobody_reaches_files_or_alters_tables) {
    CONNECT(c);
    for (const char* sql :
         {"ATTACH '/tmp/x' AS x", "DROP TABLE servers", "CREATE TABLE x(a)", "DETACH stats",
          "ALTER TABLE servers ADD COLUMN c", "PRAGMA journal_mode = OFF", "VACUUM",
          "SELECT load_extension('x')", "DROP TABLE stats.counters",
          "CREATE VIRTUAL TABLE y USING howdah", "VACUUM INTO '/tmp/howdah-vacuumed'"})
        EXPECT_THAT(c(query(sql)), testing::StartsWith("E(4")) << sql;
    EXPECT_EQ(c(query("CREATE TEMP TABLE mine(a INT)")), "C(CREATE) Z(I)");
}

TEST_F(admin_protocol_test, a_command_or_live_table_that_gets_no_answer_is_an_error) {
    environment_.commands.add({.syntax = "ASK", .doc = "", .run = [](const command_call&) {
                                   throw std::runtime_error("nobody answers");
                                   return sql_result<command_result>(command_result());
                               }});
    environment_.tables.push_back({"stats", "silent", "", {{"a", column_type::text, ""}}, [] {
                                       throw std::runtime_error("nobody answers");
                                       return std::vector<row>();
                                   }});
    CONNECT(c);
    EXPECT_EQ(c(query("ASK")), "E(XX000 nobody answers) Z(I)");
    EXPECT_THAT(c(query("SELECT * FROM silent")), HasSubstr("nobody answers"));
    EXPECT_EQ(c(query("SELECT 1 AS a")), "T(a:20) D(1) C(SELECT 1) Z(I)");
}

TEST_F(admin_protocol_test, large_values_are_not_kept_to_find_their_type) {
    CONNECT(c);
    EXPECT_THAT(
        c(query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
                "SELECT length(printf('%.*c', 2000000, 'x')), printf('%.*c', 2000000, 'x') "
                "AS t FROM n")),
        HasSubstr("C(SELECT 20) Z(I)"));
    EXPECT_THAT(c(query("SELECT zeroblob(100000000)")), HasSubstr("E(54000"));
}

TEST_F(admin_protocol_test, a_statement_that_runs_too_long_is_ended) {
    environment_.statement_timeout = std::chrono::milliseconds(50);
    CONNECT(c);
    EXPECT_THAT(c(query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                        "SELECT count(*) FROM n")),
                HasSubstr("E(57014"));
    EXPECT_EQ(c(query("SELECT 1 AS a")), "T(a:20) D(1) C(SELECT 1) Z(I)");
}

}  // namespace
}  // namespace howdah::admin
