#include "proxy/session/pins.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::proxy {
namespace {

using sql::pin_reason;

TEST(Pins, are_asked_for_in_one_number_and_only_those_that_the_server_can_tell) {
    const auto pins = static_cast<std::uint16_t>(pin_reason::listen | pin_reason::load);
    EXPECT_EQ(verifiable(pins), static_cast<std::uint16_t>(pin_reason::listen));
    EXPECT_EQ(pin_check(verifiable(pins)),
              "SELECT 0 + CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_listening_channels()) THEN 4 "
              "ELSE 0 END");
    EXPECT_EQ(verifiable(static_cast<std::uint16_t>(pin_reason::unknown_set)), 0);
}

TEST(Pins, are_looked_at_after_what_could_end_them) {
    const auto may_end = [](std::string_view sql) { return may_end_pins(sql::classify(sql)); };
    for (const char* sql : {"LISTEN a", "UNLISTEN a", "CLOSE c", "DEALLOCATE s", "DROP TABLE t",
                            "DISCARD TEMP", "SELECT pg_advisory_lock(1)",
                            "SELECT pg_catalog.pg_advisory_unlock_all()", "SELECT 1; SELECT 2"})
        EXPECT_TRUE(may_end(sql)) << sql;
    for (const char* sql : {"SELECT 1", "INSERT INTO t VALUES (1)", "COMMIT", "SET a.b = 1"})
        EXPECT_FALSE(may_end(sql)) << sql;
}

TEST(Pins, are_read_from_a_row_of_one_number_and_from_nothing_else) {
    using namespace std::string_literals;
    EXPECT_EQ(pins_in("\0\1\0\0\0\2"s + "18"), 18);
    EXPECT_EQ(pins_in("\0\1\0\0\0\1"s + "0"), 0);
    for (const std::string& bad :
         {""s, "\0"s, "\0\0"s, "\0\2\0\0\0\1"s + "0", "\0\1\xff\xff\xff\xff"s,
          "\0\1\0\0\0\2"s + "1", "\0\1\0\0\0\1"s + "x", "\0\1\0\0\0\2"s + "1x",
          "\0\1\0\0\0\5"s + "70000"})
        EXPECT_FALSE(pins_in(bad));
}

}  // namespace
}  // namespace howdah::proxy
