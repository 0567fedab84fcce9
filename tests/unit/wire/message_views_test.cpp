#include "protocol/wire/message_views.hpp"

#include <gmock/gmock.h>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/messages.hpp"
#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;
using test::expect_only_whole_body_accepted;
using testing::ElementsAre;

TEST(MessageViews, QueryIsItsText) {
    EXPECT_EQ(parse_query(bytes("SELECT 1\0")), "SELECT 1");
    EXPECT_EQ(parse_query(bytes("\0")), "");
    expect_only_whole_body_accepted(parse_query, bytes("SELECT 1\0"));
    EXPECT_FALSE(parse_query(bytes("a\0b\0")));
}

TEST(MessageViews, ParseHasNameTextAndParameterBlock) {
    const auto body = bytes("s\0SELECT $1\0\0\x02\0\0\0\x17\xff\xff\xff\xff");
    const auto view = parse_parse(body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->name, "s");
    EXPECT_EQ(view->sql, "SELECT $1");
    EXPECT_EQ(view->oids_bytes, bytes("\0\x02\0\0\0\x17\xff\xff\xff\xff"));
    expect_only_whole_body_accepted(parse_parse, body);
}

TEST(MessageViews, ParseWithoutParametersHasABlockOfItsCount) {
    const auto body = bytes("\0\0\0\0");
    const auto view = parse_parse(body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->name, "");
    EXPECT_EQ(view->sql, "");
    EXPECT_EQ(view->oids_bytes, bytes("\0\0"));
    expect_only_whole_body_accepted(parse_parse, body);
}

TEST(MessageViews, ParseTakesUpTo65535Parameters) {
    const std::vector<std::uint32_t> types(65535, 25);
    std::string out;
    append_parse(out, "", "q", types);
    const auto body = out.substr(frame_header_size);
    const auto view = parse_parse(body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->oids_bytes.size(), 2 + 4 * types.size());
    EXPECT_FALSE(parse_parse(std::string_view(body).substr(0, body.size() - 1)));
}

TEST(MessageViews, ParseIsRebuiltFromItsView) {
    std::string out;
    append_parse(out, "old", "SELECT $1", std::vector<std::uint32_t>{23});
    const auto view = parse_parse(std::string_view(out).substr(frame_header_size));
    ASSERT_TRUE(view);
    std::string rebuilt;
    append_parse_raw(rebuilt, "new", view->sql, view->oids_bytes);
    std::string expected;
    append_parse(expected, "new", "SELECT $1", std::vector<std::uint32_t>{23});
    EXPECT_EQ(rebuilt, expected);
}

TEST(MessageViews, BindNeedsOnlyItsNames) {
    const auto body = bytes("portal\0st\0\0\0\0\x01\0\0\0\x01x\0\0");
    for (std::size_t size = 0; size <= body.size(); ++size) {
        const std::string prefix(body, 0, size);
        const auto view = parse_bind(prefix);
        ASSERT_EQ(view.has_value(), size >= 10) << size;
        if (!view) continue;
        EXPECT_EQ(view->portal, "portal");
        EXPECT_EQ(view->statement, "st");
        EXPECT_EQ(view->header_size, 10u);
    }
    EXPECT_EQ(parse_bind(bytes("\0\0"))->header_size, 2u);
}

TEST(MessageViews, BindIsRenamedWithoutTouchingItsValues) {
    const auto body = bytes("\0client\0\0\0\0\x01\0\0\0\x01x\0\0");
    const auto view = parse_bind(body);
    ASSERT_TRUE(view);
    const auto tail = body.substr(view->header_size);
    std::string out;
    append_bind_prefix(out, view->portal, "server_17", tail.size());
    out += tail;
    EXPECT_EQ(peek_frame(out)->size(), out.size());
    const auto renamed = parse_bind(std::string_view(out).substr(frame_header_size));
    ASSERT_TRUE(renamed);
    EXPECT_EQ(renamed->statement, "server_17");
    EXPECT_EQ(out.substr(frame_header_size + renamed->header_size), tail);
}

TEST(MessageViews, DescribeAndCloseNameAStatementOrAPortal) {
    EXPECT_EQ(parse_describe(bytes("Sst\0"))->kind, 'S');
    EXPECT_EQ(parse_describe(bytes("Sst\0"))->name, "st");
    EXPECT_EQ(parse_close(bytes("P\0"))->kind, 'P');
    EXPECT_EQ(parse_close(bytes("P\0"))->name, "");
    expect_only_whole_body_accepted(parse_describe, bytes("Sst\0"));
    expect_only_whole_body_accepted(parse_close, bytes("Pp\0"));
    EXPECT_FALSE(parse_describe(bytes("Xst\0")));
    EXPECT_FALSE(parse_close(bytes("\0st\0")));
}

TEST(MessageViews, ExecuteHasPortalAndRowLimit) {
    EXPECT_EQ(parse_execute(bytes("p\0\0\0\x01\0"))->portal, "p");
    EXPECT_EQ(parse_execute(bytes("p\0\0\0\x01\0"))->max_rows, 256);
    EXPECT_EQ(parse_execute(bytes("\0\xff\xff\xff\xff"))->max_rows, -1);
    expect_only_whole_body_accepted(parse_execute, bytes("p\0\0\0\x01\0"));
}

TEST(MessageViews, PasswordIsItsText) {
    EXPECT_EQ(parse_password(bytes("pw\0")), "pw");
    expect_only_whole_body_accepted(parse_password, bytes("pw\0"));
}

TEST(MessageViews, SaslInitialResponseHasMechanismAndData) {
    const auto body = bytes("SCRAM-SHA-256\0\0\0\0\x03n,,");
    EXPECT_EQ(parse_sasl_initial(body)->mechanism, "SCRAM-SHA-256");
    EXPECT_EQ(parse_sasl_initial(body)->data, "n,,");
    expect_only_whole_body_accepted(parse_sasl_initial, body);
}

TEST(MessageViews, SaslInitialResponseTellsNoDataFromEmptyData) {
    EXPECT_EQ(parse_sasl_initial(bytes("X\0\xff\xff\xff\xff"))->data, std::nullopt);
    EXPECT_EQ(parse_sasl_initial(bytes("X\0\0\0\0\0"))->data, "");
    EXPECT_FALSE(parse_sasl_initial(bytes("X\0\xff\xff\xff\xfe")));
    EXPECT_FALSE(parse_sasl_initial(bytes("X\0\x7f\xff\xff\xff")));
    EXPECT_FALSE(parse_sasl_initial(bytes("X\0\xff\xff\xff\xffx")));
}

TEST(MessageViews, AuthenticationHasCodeAndData) {
    EXPECT_EQ(parse_authentication(bytes("\0\0\0\0"))->code, authentication::ok);
    EXPECT_EQ(parse_authentication(bytes("\0\0\0\x05salt"))->data, "salt");
    EXPECT_EQ(parse_authentication(bytes("\0\0\0\x0br=x"))->data, "r=x");
    EXPECT_EQ(parse_authentication(bytes("\0\0\0\x63?"))->code, 99);
    expect_only_whole_body_accepted(parse_authentication, bytes("\0\0\0\0"));
    expect_only_whole_body_accepted(parse_authentication, bytes("\0\0\0\x03"));
    expect_only_whole_body_accepted(parse_authentication, bytes("\0\0\0\x05salt"));
}

TEST(MessageViews, SaslMechanismsEndWithAnEmptyName) {
    const auto data = bytes("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0");
    EXPECT_THAT(*parse_sasl_mechanisms(data), ElementsAre("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"));
    expect_only_whole_body_accepted(parse_sasl_mechanisms, data);
    EXPECT_THAT(*parse_sasl_mechanisms(bytes("\0")), ElementsAre());
}

TEST(MessageViews, SaslMechanismsAreLimited) {
    const auto names = [](int count) {
        std::string data;
        for (int i = 0; i < count; ++i)
            data += bytes("M\0");
        return data + '\0';
    };
    EXPECT_TRUE(parse_sasl_mechanisms(names(32)));
    EXPECT_FALSE(parse_sasl_mechanisms(names(33)));
    EXPECT_FALSE(parse_sasl_mechanisms(names(100000)));
}

TEST(MessageViews, BackendKeyHasFourTo256Bytes) {
    const auto body = [](std::size_t size) {
        return bytes("\0\0\x01\x02") + std::string(size, 'k');
    };
    EXPECT_EQ(parse_backend_key(body(4))->pid, 258);
    EXPECT_EQ(parse_backend_key(body(256))->key, std::string(256, 'k'));
    EXPECT_FALSE(parse_backend_key(body(257)));
    for (std::size_t size = 0; size < 8; ++size)
        EXPECT_FALSE(parse_backend_key(body(4).substr(0, size))) << size;
}

TEST(MessageViews, ParameterStatusHasNameAndValue) {
    const auto body = bytes("TimeZone\0UTC\0");
    EXPECT_EQ(parse_parameter_status(body)->name, "TimeZone");
    EXPECT_EQ(parse_parameter_status(body)->value, "UTC");
    expect_only_whole_body_accepted(parse_parameter_status, body);
}

TEST(MessageViews, ReadyForQueryKnowsThreeStates) {
    for (const char status : {'I', 'T', 'E'}) {
        const std::string body(1, status);
        EXPECT_EQ(parse_ready_for_query(body), status);
        expect_only_whole_body_accepted(parse_ready_for_query, body);
    }
    EXPECT_FALSE(parse_ready_for_query("X"));
    EXPECT_FALSE(parse_ready_for_query("II"));
}

TEST(MessageViews, CommandCompleteIsItsTag) {
    EXPECT_EQ(parse_command_complete(bytes("INSERT 0 1\0")), "INSERT 0 1");
    expect_only_whole_body_accepted(parse_command_complete, bytes("INSERT 0 1\0"));
}

}  // namespace
}  // namespace howdah::protocol
