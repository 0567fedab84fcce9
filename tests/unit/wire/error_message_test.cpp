#include "protocol/wire/error_message.hpp"

#include <map>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;

TEST(ErrorMessage, HasBothSeveritiesTheSqlstateAndTheMessage) {
    std::string out;
    append_error(out, severity::fatal, sqlstate::invalid_password, "no");
    EXPECT_EQ(out, bytes("E\x00\x00\x00\x1e"
                         "SFATAL\0VFATAL\0C28P01\0Mno\0\0"));
}

TEST(ErrorMessage, HasDetailAndHintWhereGiven) {
    std::string out;
    append_error(out, severity::error, "XX000", "m", "d", "h");
    EXPECT_EQ(out, bytes("E\x00\x00\x00\x23"
                         "SERROR\0VERROR\0CXX000\0Mm\0Dd\0Hh\0\0"));
}

TEST(ErrorMessage, HasPositionAndWhereWhereGiven) {
    std::string out;
    append_error(out, {.level = severity::panic,
                       .sqlstate = "42601",
                       .message = "m",
                       .position = "7",
                       .where = "w"});
    EXPECT_EQ(out, bytes("E\x00\x00\x00\x23"
                         "SPANIC\0VPANIC\0C42601\0Mm\0P7\0Ww\0\0"));
}

TEST(ErrorMessage, ANoticeDiffersOnlyInItsType) {
    std::string out;
    append_notice(out, severity::warning, "01000", "m");
    EXPECT_EQ(out, bytes("N\x00\x00\x00\x21"
                         "SWARNING\0VWARNING\0C01000\0Mm\0\0"));
    std::string same;
    append_notice(same, {.level = severity::warning, .sqlstate = "01000", .message = "m"});
    EXPECT_EQ(same, out);
}

TEST(ErrorMessage, ATerminatorInsideTheTextDoesNotOpenAField) {
    std::string out;
    append_error(out, severity::error, "XX000", bytes("m\0C00000"));
    const auto error = parse_error(std::string_view(out).substr(frame_header_size));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->sqlstate, "XX000");
    EXPECT_EQ(error->message, "m");
}

TEST(ErrorMessage, EverySeverityHasPostgresqlsWord) {
    const std::map<severity, std::string_view> words{
        {severity::error, "ERROR"},     {severity::fatal, "FATAL"},   {severity::panic, "PANIC"},
        {severity::warning, "WARNING"}, {severity::notice, "NOTICE"}, {severity::info, "INFO"},
        {severity::debug, "DEBUG"},     {severity::log, "LOG"}};
    for (const auto& [level, word] : words)
        EXPECT_EQ(to_string(level), word);
}

TEST(ErrorMessage, IsParsedWithAllItsFields) {
    std::string out;
    append_error(out, {severity::fatal, "57P01", "message", "detail", "hint", "12", "where"});
    const auto error = parse_error(std::string_view(out).substr(frame_header_size));
    ASSERT_TRUE(error);
    EXPECT_EQ(error->severity, "FATAL");
    EXPECT_EQ(error->sqlstate, "57P01");
    EXPECT_EQ(error->message, "message");
    EXPECT_EQ(error->detail, "detail");
    EXPECT_EQ(error->hint, "hint");
    EXPECT_EQ(error->position, "12");
    EXPECT_EQ(error->where, "where");
    EXPECT_TRUE(error->ends_connection());
}

TEST(ErrorMessage, TheUntranslatedSeverityWinsInAnyOrder) {
    for (const auto& body :
         {bytes("SFEHLER\0VERROR\0\0"), bytes("VERROR\0SFEHLER\0\0"), bytes("SERROR\0\0")}) {
        const auto error = parse_error(body);
        ASSERT_TRUE(error);
        EXPECT_EQ(error->severity, "ERROR");
        EXPECT_FALSE(error->ends_connection());
    }
}

TEST(ErrorMessage, WithoutSqlstateOrAnyFieldAtAllIsReadAsEmpty) {
    for (const auto& body : {bytes("SERROR\0Mtext\0\0"), bytes("\0"), std::string(),
                             bytes("C\0Mx\0\0"), bytes("Fscan.l\0L1\0Rf\0\0")}) {
        const auto error = parse_error(body);
        ASSERT_TRUE(error);
        EXPECT_EQ(error->sqlstate, "");
        EXPECT_NE(error->sqlstate, sqlstate::read_only_sql_transaction);
    }
}

TEST(ErrorMessage, IsAcceptedAtEveryFieldBoundaryAndRefusedElsewhere) {
    const auto body = bytes("SERROR\0C25006\0Mx\0\0");
    for (std::size_t size = 0; size <= body.size(); ++size) {
        const bool boundary = size == 0 || size == 7 || size == 14 || size == 17 || size == 18;
        EXPECT_EQ(parse_error(std::string(body, 0, size)).has_value(), boundary) << size;
    }
    EXPECT_FALSE(parse_error(body + "x"));
}

}  // namespace
}  // namespace howdah::protocol
