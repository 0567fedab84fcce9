#include "protocol/wire/startup.hpp"

#include <gmock/gmock.h>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;
using testing::ElementsAre;
using testing::Pair;
using parameter_list = std::vector<std::pair<std::string_view, std::string_view>>;

/// A packet with its length word in front.
std::string packet(std::string_view content) {
    const auto size = content.size() + 4;
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(size >> shift));
    return out.append(content);
}

void expect_error(const std::string& whole, std::string_view sqlstate, std::string_view message) {
    const auto parsed = parse_startup(whole);
    const auto* error = std::get_if<startup_error>(&parsed);
    ASSERT_NE(error, nullptr) << testing::PrintToString(whole);
    EXPECT_EQ(error->sqlstate, sqlstate);
    EXPECT_EQ(error->message, message);
}

constexpr std::string_view bad_length = "invalid length of startup packet";
constexpr std::string_view bad_layout =
    "invalid startup packet layout: expected terminator as last byte";
constexpr std::string_view no_user = "no PostgreSQL user name specified in startup packet";

TEST(Startup, RequestsHaveTheirExactBytes) {
    std::string out;
    append_ssl_request(out);
    EXPECT_EQ(out, bytes("\x00\x00\x00\x08\x04\xd2\x16\x2f"));
    EXPECT_TRUE(std::holds_alternative<ssl_request>(parse_startup(out)));
    EXPECT_TRUE(std::holds_alternative<gssenc_request>(
        parse_startup(bytes("\x00\x00\x00\x08\x04\xd2\x16\x30"))));
}

TEST(Startup, RequestsWithAnythingBehindThemAreRefused) {
    expect_error(packet(bytes("\x04\xd2\x16\x2f\0")), "08P01", bad_length);
    expect_error(packet(bytes("\x04\xd2\x16\x30\0")), "08P01", bad_length);
}

TEST(Startup, ACancelRequestHasItsExactBytes) {
    std::string out;
    append_cancel_request(out, -2, bytes("k\0ey"));
    EXPECT_EQ(out, bytes("\x00\x00\x00\x10\x04\xd2\x16\x2e\xff\xff\xff\xfek\0ey"));
    const auto parsed = parse_startup(out);
    const auto* cancel = std::get_if<cancel_request>(&parsed);
    ASSERT_NE(cancel, nullptr);
    EXPECT_EQ(cancel->pid, -2);
    EXPECT_EQ(cancel->key, bytes("k\0ey"));
}

TEST(Startup, ACancelKeyHasFourTo256Bytes) {
    for (const std::size_t size : {0, 3, 4, 32, 256, 257}) {
        std::string out;
        append_cancel_request(out, 1, std::string(size, 'k'));
        if (size >= 4 && size <= 256)
            EXPECT_TRUE(std::holds_alternative<cancel_request>(parse_startup(out))) << size;
        else
            expect_error(out, "08P01", "invalid length of cancel key in cancel request packet");
    }
    expect_error(packet(bytes("\x04\xd2\x16\x2e\0\0\0")), "08P01",
                 "invalid length of cancel request packet");
}

TEST(Startup, AStartupMessageHasItsExactBytes) {
    std::string out;
    const parameter_list parameters{{"user", "ann"}, {"database", ""}};
    append_startup(out, 2, parameters);
    EXPECT_EQ(out, bytes("\x00\x00\x00\x1c\x00\x03\x00\x02user\0ann\0database\0\0\0"));
    const auto parsed = parse_startup(out);
    const auto* message = std::get_if<startup_message>(&parsed);
    ASSERT_NE(message, nullptr);
    EXPECT_EQ(message->version(), protocol_3_2);
    EXPECT_EQ(message->parameters, parameters);
    EXPECT_TRUE(message->protocol_options.empty());
}

TEST(Startup, AParameterWithoutNameIsNotWritten) {
    std::string out;
    append_startup(out, 0,
                   parameter_list{{"", "x"}, {"user", "a"}, {std::string_view("\0y", 2), "z"}});
    EXPECT_EQ(out, packet(bytes("\x00\x03\x00\x00user\0a\0\0")));
}

TEST(Startup, ProtocolOptionsAreKeptApart) {
    const auto whole = packet(bytes("\x00\x03\x00\x00_pq_.a\0on\0user\0ann\0_pq_.b\0\0\0"));
    const auto parsed = parse_startup(whole);
    const auto* message = std::get_if<startup_message>(&parsed);
    ASSERT_NE(message, nullptr);
    EXPECT_THAT(message->protocol_options, ElementsAre("_pq_.a", "_pq_.b"));
    EXPECT_THAT(message->parameters, ElementsAre(Pair("user", "ann")));
}

TEST(Startup, TheLastOfRepeatedParametersCounts) {
    const auto whole = packet(bytes("\x00\x03\x00\x00user\0ann\0user\0bob\0\0"));
    const auto parsed = parse_startup(whole);
    const auto& message = std::get<startup_message>(parsed);
    EXPECT_EQ(message.find("user"), "bob");
    EXPECT_EQ(message.find("database"), "");
}

TEST(Startup, NewerMinorVersionsAreAcceptedForNegotiation) {
    for (const auto& version : {bytes("\x00\x03\x00\x00"), bytes("\x00\x03\x00\x01"),
                                bytes("\x00\x03\x00\x03"), bytes("\x00\x03\x27\x0f")}) {
        const auto whole = packet(version + bytes("user\0a\0\0"));
        const auto parsed = parse_startup(whole);
        ASSERT_TRUE(std::holds_alternative<startup_message>(parsed));
        const auto& message = std::get<startup_message>(parsed);
        EXPECT_EQ(message.major, 3);
        EXPECT_EQ(message.minor, static_cast<unsigned char>(version[2]) * 256 +
                                     static_cast<unsigned char>(version[3]));
    }
}

TEST(Startup, OtherMajorVersionsAreRefusedInPostgresqlsWords) {
    expect_error(packet(bytes("\x00\x02\x00\x00")), "0A000",
                 "unsupported frontend protocol 2.0: server supports 3.0 to 3.2");
    expect_error(packet(bytes("\x00\x04\x00\x01user\0a\0\0")), "0A000",
                 "unsupported frontend protocol 4.1: server supports 3.0 to 3.2");
    expect_error(packet(bytes("\x04\xd2\x16\x31")), "0A000",
                 "unsupported frontend protocol 1234.5681: server supports 3.0 to 3.2");
    expect_error(packet(bytes("\xff\xff\xff\xff")), "0A000",
                 "unsupported frontend protocol 65535.65535: server supports 3.0 to 3.2");
}

TEST(Startup, AUserIsRequired) {
    expect_error(packet(bytes("\x00\x03\x00\x00\0")), "28000", no_user);
    expect_error(packet(bytes("\x00\x03\x00\x00user\0\0\0")), "28000", no_user);
    expect_error(packet(bytes("\x00\x03\x00\x00"
                              "database\0d\0\0")),
                 "28000", no_user);
}

TEST(Startup, TheTerminatorMustBeTheLastByte) {
    const auto content = bytes("\x00\x03\x00\x00user\0ann\0a\0b\0\0");
    for (std::size_t size = 4; size < content.size(); ++size)
        expect_error(packet(content.substr(0, size)), "08P01", bad_layout);
    expect_error(packet(content + '\0'), "08P01", bad_layout);
    expect_error(packet(content + "x"), "08P01", bad_layout);
}

TEST(Startup, APacketOfAnotherSizeThanItsLengthIsRefused) {
    const auto whole = packet(bytes("\x00\x03\x00\x00user\0ann\0\0"));
    for (std::size_t size = 0; size < whole.size(); ++size)
        expect_error(whole.substr(0, size), "08P01", bad_length);
    expect_error(whole + "x", "08P01", bad_length);
}

TEST(Startup, TheLengthIsBoundedAsInPostgresql) {
    EXPECT_EQ(startup_length(bytes("\x00\x00\x00\x08")), 8u);
    EXPECT_EQ(startup_length(bytes("\x00\x00\x27\x14")), 10004u);
    EXPECT_FALSE(startup_length(bytes("\x00\x00\x00\x00")));
    EXPECT_FALSE(startup_length(bytes("\x00\x00\x00\x07")));
    EXPECT_FALSE(startup_length(bytes("\x00\x00\x27\x15")));
    EXPECT_FALSE(startup_length(bytes("\x7f\xff\xff\xff")));
    EXPECT_FALSE(startup_length(bytes("\xff\xff\xff\xff")));
    EXPECT_FALSE(startup_length(bytes("\x00\x00\x00")));
    EXPECT_FALSE(startup_length(""));
    // The first bytes of a TLS handshake and of an HTTP request are no lengths.
    EXPECT_FALSE(startup_length(bytes("\x16\x03\x01\x02")));
    EXPECT_FALSE(startup_length("GET "));
}

TEST(Startup, TheLongestPacketIsParsed) {
    const auto filled = [](std::size_t size) {
        const auto start = bytes("\x00\x03\x00\x00user\0");
        return packet(start + std::string(size - start.size() - 2, 'a') + bytes("\0\0"));
    };
    EXPECT_TRUE(
        std::holds_alternative<startup_message>(parse_startup(filled(max_startup_packet_length))));
    expect_error(filled(max_startup_packet_length + 1), "08P01", bad_length);
}

TEST(NegotiateProtocolVersion, CarriesTheFullVersionAndTheUnknownOptions) {
    std::string out;
    append_negotiate_protocol_version(out, protocol_3_2,
                                      std::vector<std::string_view>{"_pq_.a", "_pq_.b"});
    EXPECT_EQ(out, bytes("v\x00\x00\x00\x1a\x00\x03\x00\x02\x00\x00\x00\x02_pq_.a\0_pq_.b\0"));
    const auto body = out.substr(frame_header_size);
    const auto view = parse_negotiate_protocol_version(body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->version, protocol_3_2);
    EXPECT_THAT(view->options, ElementsAre("_pq_.a", "_pq_.b"));
    test::expect_only_whole_body_accepted(parse_negotiate_protocol_version, body);
}

TEST(NegotiateProtocolVersion, CountsBeyondTheMessageAreRefused) {
    EXPECT_FALSE(parse_negotiate_protocol_version(bytes("\x00\x03\x00\x00\xff\xff\xff\xff")));
    EXPECT_FALSE(
        parse_negotiate_protocol_version(bytes("\x00\x03\x00\x00\x00\x00\x00\x02"
                                               "ab\0")));
}

TEST(SplitOptions, UnderstandsAllThreeSpellings) {
    const auto settings = split_options("-c a=1 -cb=2 --c-d-e=x-y");
    ASSERT_TRUE(settings);
    EXPECT_THAT(*settings, ElementsAre(Pair("a", "1"), Pair("b", "2"), Pair("c_d_e", "x-y")));
}

TEST(SplitOptions, NothingIsNoSettings) {
    for (const auto* text : {"", " ", " \t\r\n\v\f "}) {
        const auto settings = split_options(text);
        ASSERT_TRUE(settings);
        EXPECT_TRUE(settings->empty());
    }
}

TEST(SplitOptions, ABackslashProtectsSpacesAndItself) {
    const auto settings = split_options(R"(  -c search_path=a,\ b\\c   -c x=\)");
    ASSERT_TRUE(settings);
    EXPECT_THAT(*settings, ElementsAre(Pair("search_path", R"(a, b\c)"), Pair("x", "")));
}

TEST(SplitOptions, ValuesMayContainEqualsSignsOrBeEmpty) {
    const auto settings = split_options("-c a= --b=c=d");
    ASSERT_TRUE(settings);
    EXPECT_THAT(*settings, ElementsAre(Pair("a", ""), Pair("b", "c=d")));
}

TEST(SplitOptions, ErrorsHavePostgresqlsWording) {
    const auto message = [](std::string_view options) {
        const auto settings = split_options(options);
        EXPECT_FALSE(settings) << options;
        if (settings) return std::string();
        EXPECT_EQ(settings.error().sqlstate, sqlstate::syntax_error);
        return settings.error().message;
    };
    EXPECT_EQ(message("-c geqo"), "-c geqo requires a value");
    EXPECT_EQ(message("--geqo"), "--geqo requires a value");
    EXPECT_EQ(message("-c"), "invalid command-line argument for server process: -c");
    EXPECT_EQ(message("-c a=b -z"), "invalid command-line argument for server process: -z");
    EXPECT_EQ(message("word"), "invalid command-line argument for server process: word");
    EXPECT_EQ(message("--"), "invalid command-line argument for server process: --");
    EXPECT_EQ(split_options("--=x").error().message, "unrecognized configuration parameter \"\"");
    EXPECT_EQ(split_options("--=x").error().sqlstate, sqlstate::undefined_object);
}

}  // namespace
}  // namespace howdah::protocol
