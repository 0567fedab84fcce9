#include "monitor/pq_error.hpp"

#include <gtest/gtest.h>

namespace howdah::monitor {
namespace {

TEST(PqError, takes_the_sqlstate_out_of_a_verbose_connection_error) {
    const auto error = parse_connect_error(
        "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  57P03: the database "
        "system is starting up\nLOCATION:  ProcessStartupPacket, postmaster.c:2396\n");
    EXPECT_EQ(error.sqlstate, "57P03");
    EXPECT_EQ(error.message,
              "connection to server at \"10.0.0.1\", port 5432 failed: FATAL: the database system "
              "is starting up");
    EXPECT_EQ(error.describe(), error.message + " (SQLSTATE 57P03)");
    EXPECT_FALSE(error.local);
}

TEST(PqError, finds_the_sqlstate_whatever_the_servers_language) {
    const auto error = parse_connect_error(
        "connection to server at \"h\", port 1 failed: КРИТИЧНО:  28P01: пользователь\n");
    EXPECT_EQ(error.sqlstate, "28P01");
}

TEST(PqError, keeps_a_message_without_sqlstate_as_it_is) {
    const auto error = parse_connect_error(
        "connection to server at \"127.0.0.1\", port 1 failed: Connection refused\n"
        "\tIs the server running on that host and accepting TCP/IP connections?\n");
    EXPECT_EQ(error.sqlstate, "");
    EXPECT_EQ(error.message,
              "connection to server at \"127.0.0.1\", port 1 failed: Connection refused");
    EXPECT_EQ(error.describe(), error.message);
}

TEST(PqError, survives_every_cut_of_a_message) {
    const std::string whole = "x failed: FATAL:  57P03: starting up";
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        const auto error = parse_connect_error(whole.substr(0, length));
        EXPECT_EQ(error.sqlstate, length >= whole.find(": starting") + 2 ? "57P03" : "") << length;
    }
}

TEST(PqError, does_not_take_other_words_for_an_sqlstate) {
    EXPECT_EQ(parse_connect_error("FATAL:  cannot: do").sqlstate, "");
    EXPECT_EQ(parse_connect_error("FATAL:  ABCDEF: do").sqlstate, "");
    EXPECT_EQ(parse_connect_error("FATAL:  abcde: do").sqlstate, "");
    EXPECT_EQ(parse_connect_error("").sqlstate, "");
}

struct verdict_row {
    const char* text;
    probe_result result;
};

class PqErrorClass : public testing::TestWithParam<verdict_row> {};

TEST_P(PqErrorClass, says_what_a_failed_connection_tells_about_the_server) {
    EXPECT_EQ(classify(parse_connect_error(GetParam().text)), GetParam().result) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Table, PqErrorClass,
    testing::Values(
        verdict_row{"x failed: Connection refused", probe_result::failed},
        verdict_row{"x failed: No route to host", probe_result::failed},
        verdict_row{"x failed: server closed the connection unexpectedly\n\tThis probably means",
                    probe_result::failed},
        verdict_row{"x failed: could not receive data from server: Connection reset by peer",
                    probe_result::failed},
        verdict_row{"x failed: SSL SYSCALL error: EOF detected", probe_result::failed},
        verdict_row{"FATAL:  57P01: terminating connection due to administrator command",
                    probe_result::failed},
        verdict_row{"WARNING:  57P02: terminating connection because of crash",
                    probe_result::failed},
        verdict_row{"FATAL:  57P03: the database system is shutting down", probe_result::not_ready},
        verdict_row{"FATAL:  28P01: password authentication failed", probe_result::alive},
        verdict_row{"FATAL:  28000: no pg_hba.conf entry", probe_result::alive},
        verdict_row{"FATAL:  3D000: database \"x\" does not exist", probe_result::alive},
        verdict_row{"FATAL:  53300: sorry, too many clients already", probe_result::alive},
        verdict_row{"FATAL:  XX000: something", probe_result::alive},
        verdict_row{"x failed: server does not support SSL, but SSL was required",
                    probe_result::alive},
        verdict_row{"x failed: SSL error: certificate verify failed", probe_result::alive},
        verdict_row{"x failed: fe_sendauth: no password supplied", probe_result::alive}));

TEST(PqError, a_timeout_is_a_failure) {
    EXPECT_EQ(classify({.message = "query timed out after 1000 ms", .timed_out = true}),
              probe_result::failed);
}

TEST(PqError, our_own_mistake_is_not_the_servers_death) {
    EXPECT_EQ(classify({.message = "out of memory", .local = true}), probe_result::alive);
}

}  // namespace
}  // namespace howdah::monitor
