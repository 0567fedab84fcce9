#include "protocol/wire/messages.hpp"

#include <array>
#include <vector>

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;

/// What an appender writes, given everything but the buffer.
template <class Append, class... Args>
std::string written(Append append, const Args&... args) {
    std::string out;
    append(out, args...);
    return out;
}

TEST(ServerMessages, AuthenticationRequestsHaveTheirExactBytes) {
    EXPECT_EQ(written(append_authentication_ok), bytes("R\0\0\0\x08\0\0\0\0"));
    EXPECT_EQ(written(append_authentication_cleartext_password), bytes("R\0\0\0\x08\0\0\0\x03"));
    EXPECT_EQ(written(append_authentication_md5, bytes("\x01\0\x03\x04")),
              bytes("R\0\0\0\x0c\0\0\0\x05\x01\0\x03\x04"));
    const std::array<std::string_view, 2> mechanisms{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    EXPECT_EQ(written(append_authentication_sasl, mechanisms),
              bytes("R\0\0\0\x2a\0\0\0\x0aSCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"));
    EXPECT_EQ(written(append_authentication_sasl_continue, "r=x"),
              bytes("R\0\0\0\x0b\0\0\0\x0br=x"));
    EXPECT_EQ(written(append_authentication_sasl_final, "v=x"), bytes("R\0\0\0\x0b\0\0\0\x0cv=x"));
}

TEST(ServerMessages, SessionMessagesHaveTheirExactBytes) {
    EXPECT_EQ(written(append_backend_key_data, 258, bytes("\xff\0\x01\x02")),
              bytes("K\0\0\0\x0c\0\0\x01\x02\xff\0\x01\x02"));
    EXPECT_EQ(written(append_parameter_status, "TimeZone", "UTC"),
              bytes("S\0\0\0\x11TimeZone\0UTC\0"));
    EXPECT_EQ(written(append_ready_for_query, 'I'), bytes("Z\0\0\0\x05I"));
    EXPECT_EQ(written(append_command_complete, "SELECT 1"), bytes("C\0\0\0\x0dSELECT 1\0"));
}

TEST(ServerMessages, BareMessagesHaveTheirExactBytes) {
    EXPECT_EQ(written(append_parse_complete), bytes("1\0\0\0\x04"));
    EXPECT_EQ(written(append_bind_complete), bytes("2\0\0\0\x04"));
    EXPECT_EQ(written(append_close_complete), bytes("3\0\0\0\x04"));
    EXPECT_EQ(written(append_no_data), bytes("n\0\0\0\x04"));
    EXPECT_EQ(written(append_no_parameters), bytes("t\0\0\0\x06\0\0"));
    const std::array<std::uint32_t, 2> types{25, 0xfffffffe};
    EXPECT_EQ(written(append_parameter_description, types),
              bytes("t\0\0\0\x0e\0\x02\0\0\0\x19\xff\xff\xff\xfe"));
    EXPECT_EQ(written(append_empty_query_response), bytes("I\0\0\0\x04"));
}

TEST(ServerMessages, RowsHaveTheirExactBytes) {
    const std::array<std::string_view, 2> columns{"a", ""};
    EXPECT_EQ(written(append_row_description, columns),
              bytes("T\0\0\0\x2d\0\x02"
                    "a\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
                    "\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"));
    const std::array<std::optional<std::string_view>, 3> values{"x\ty", std::nullopt, ""};
    EXPECT_EQ(written(append_data_row, values),
              bytes("D\0\0\0\x15\0\x03\0\0\0\x03x\ty\xff\xff\xff\xff\0\0\0\0"));
    EXPECT_EQ(written(append_data_row, std::vector<std::optional<std::string_view>>{}),
              bytes("D\0\0\0\x06\0\0"));
}

TEST(ClientMessages, SimpleQueryHasItsExactBytes) {
    EXPECT_EQ(written(append_query, "SELECT 1"), bytes("Q\0\0\0\x0dSELECT 1\0"));
    EXPECT_EQ(written(append_query, ""), bytes("Q\0\0\0\x05\0"));
    EXPECT_EQ(written(append_terminate), bytes("X\0\0\0\x04"));
}

TEST(ClientMessages, ExtendedQueryMessagesHaveTheirExactBytes) {
    const std::array<std::uint32_t, 2> types{23, 0xfffffffe};
    EXPECT_EQ(written(append_parse, "s", "SELECT $1", types),
              bytes("P\0\0\0\x1as\0SELECT $1\0\0\x02\0\0\0\x17\xff\xff\xff\xfe"));
    EXPECT_EQ(written(append_parse_raw, "", "q", bytes("\0\x01\0\0\0\x17")),
              bytes("P\0\0\0\x0d\0q\0\0\x01\0\0\0\x17"));
    EXPECT_EQ(written(append_bind_prefix, "p", "st", std::size_t{6}), bytes("B\0\0\0\x0fp\0st\0"));
    EXPECT_EQ(written(append_describe, 'S', "st"), bytes("D\0\0\0\x08Sst\0"));
    EXPECT_EQ(written(append_execute, "p", 100), bytes("E\0\0\0\x0ap\0\0\0\0\x64"));
    EXPECT_EQ(written(append_close, 'P', ""), bytes("C\0\0\0\x06P\0"));
    EXPECT_EQ(written(append_sync), bytes("S\0\0\0\x04"));
    EXPECT_EQ(written(append_flush), bytes("H\0\0\0\x04"));
}

TEST(ClientMessages, AuthenticationResponsesHaveTheirExactBytes) {
    EXPECT_EQ(written(append_password, "pw"), bytes("p\0\0\0\x07pw\0"));
    EXPECT_EQ(written(append_sasl_initial, "SCRAM-SHA-256", "n,,"),
              bytes("p\0\0\0\x19SCRAM-SHA-256\0\0\0\0\x03n,,"));
    EXPECT_EQ(written(append_sasl_response, "c=biws"), bytes("p\0\0\0\x0a"
                                                             "c=biws"));
}

TEST(Messages, LongContentsAreCarriedWhole) {
    const std::string sql(1 << 20, 'x');
    const auto out = written(append_query, sql);
    EXPECT_EQ(out.substr(0, 5), bytes("Q\x00\x10\x00\x05"));
    EXPECT_EQ(out.size(), sql.size() + 6);
    EXPECT_EQ(parse_query(std::string_view(out).substr(5)), sql);
}

}  // namespace
}  // namespace howdah::protocol
