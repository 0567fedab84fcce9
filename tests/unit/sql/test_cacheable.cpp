#include "proxy/sql/cacheable.hpp"

#include <gtest/gtest.h>

#include <array>

namespace howdah::proxy::sql {
namespace {

function_catalog catalog() {
    return function_catalog(std::array{
        function_row{"pg_catalog", "upper", volatility::immutable},
        function_row{"pg_catalog", "now", volatility::stable},
        function_row{"pg_catalog", "count", volatility::immutable},
        function_row{"pg_catalog", "pg_backend_pid", volatility::stable},
        function_row{"pg_catalog", "inet_server_port", volatility::stable},
        function_row{"pg_catalog", "pg_stat_get_activity", volatility::stable},
        function_row{"pg_catalog", "random", volatility::volatile_},
        function_row{"pg_catalog", "nextval", volatility::volatile_},
        function_row{"pg_catalog", "currval", volatility::volatile_},
        function_row{"public", "price", volatility::stable},
        function_row{"public", "log_it", volatility::volatile_},
    });
}

bool kept(const char* statement) {
    static const function_catalog known = catalog();
    return same_result_again(classify(statement), known);
}

TEST(results, of_reads_may_be_kept) {
    for (const char* statement :
         {"SELECT 1", "SELECT * FROM t WHERE a = 1", "SELECT upper(a), count(*) FROM t GROUP BY 1",
          "SELECT now()", "SELECT price(1)", "SELECT public.price(1)", "VALUES (1), (2)", "TABLE t",
          "WITH x AS (SELECT 1) SELECT * FROM x", "SELECT 1 UNION SELECT 2", "SELECT 1;"})
        EXPECT_TRUE(kept(statement)) << statement;
}

TEST(results, of_anything_else_may_not) {
    for (const char* statement : {"",
                                  "SELEC 1",
                                  "INSERT INTO t VALUES (1)",
                                  "UPDATE t SET a = 1",
                                  "SELECT 1; SELECT 2",
                                  "SELECT * FROM t FOR UPDATE",
                                  "SELECT * FROM t FOR SHARE",
                                  "SELECT 1 INTO x",
                                  "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x",
                                  "SHOW work_mem",
                                  "EXPLAIN SELECT 1",
                                  "BEGIN",
                                  "FETCH 1 FROM c",
                                  "EXECUTE p",
                                  "COPY t TO STDOUT",
                                  "SET a.b = 'c'",
                                  "SELECT set_config('a.b', 'c', false)",
                                  "SELECT random()",
                                  "SELECT pg_catalog.random()",
                                  "SELECT nextval('s')",
                                  "SELECT currval('s')",
                                  "SELECT log_it()",
                                  "SELECT unknown()",
                                  "SELECT upper(unknown())",
                                  "SELECT * FROM t WHERE a = (SELECT log_it())",
                                  "SELECT pg_backend_pid()",
                                  "SELECT pg_catalog.pg_backend_pid()",
                                  "SELECT inet_server_port()",
                                  "SELECT * FROM pg_stat_get_activity(NULL)",
                                  "SELECT pg_advisory_lock(1)",
                                  "CREATE TABLE t AS SELECT 1"})
        EXPECT_FALSE(kept(statement)) << statement;
}

}  // namespace
}  // namespace howdah::proxy::sql
