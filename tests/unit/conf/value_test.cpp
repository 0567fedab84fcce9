#include "conf/value.hpp"

#include <gtest/gtest.h>

#include "conf/nearest.hpp"

namespace howdah::conf {
namespace {

constexpr limits any{0, std::numeric_limits<std::int64_t>::max()};

std::optional<std::int64_t> number(std::string_view text, value_kind kind, limits range = any) {
    std::int64_t out = -1;
    if (parse_number(text, kind, range, out)) return std::nullopt;
    return out;
}

TEST(a_number, may_have_a_unit_of_its_kind) {
    EXPECT_EQ(number("7", value_kind::milliseconds), 7);
    EXPECT_EQ(number("7ms", value_kind::milliseconds), 7);
    EXPECT_EQ(number(" 7 s ", value_kind::milliseconds), 7000);
    EXPECT_EQ(number("2min", value_kind::milliseconds), 120000);
    EXPECT_EQ(number("1h", value_kind::milliseconds), 3600000);
    EXPECT_EQ(number("1d", value_kind::milliseconds), 86400000);
    EXPECT_EQ(number("1h", value_kind::seconds), 3600);
    EXPECT_EQ(number("3kB", value_kind::size), 3072);
    EXPECT_EQ(number("3mb", value_kind::size), 3145728);
    EXPECT_EQ(number("1GB", value_kind::size), 1073741824);
}

TEST(a_number, with_anything_else_behind_it_is_refused) {
    for (const char* text : {"", " ", "x", "1x", "1.0", "1 2", "+1", "0x10", "1e3", "ms", "-"})
        EXPECT_EQ(number(text, value_kind::milliseconds), std::nullopt) << text;
    EXPECT_EQ(number("1s", value_kind::integer), std::nullopt);
    EXPECT_EQ(number("1ms", value_kind::seconds), std::nullopt);
}

TEST(a_number, is_checked_against_its_bounds_after_the_unit) {
    EXPECT_EQ(number("60s", value_kind::milliseconds, {0, 60000}), 60000);
    EXPECT_EQ(number("61s", value_kind::milliseconds, {0, 60000}), std::nullopt);
    EXPECT_EQ(number("1s", value_kind::milliseconds, {1001, 60000}), std::nullopt);
    EXPECT_EQ(number("-1s", value_kind::milliseconds), std::nullopt);
    EXPECT_EQ(number("9223372036854775807", value_kind::integer), 9223372036854775807);
    EXPECT_EQ(number("9223372036854775808", value_kind::integer), std::nullopt);
    EXPECT_EQ(number("9223372036854775807d", value_kind::milliseconds), std::nullopt);
}

TEST(a_boolean, has_the_usual_spellings) {
    for (const char* text : {"true", "TRUE", "on", "Yes", "1"}) {
        bool out = false;
        EXPECT_FALSE(parse_bool(text, out)) << text;
        EXPECT_TRUE(out) << text;
    }
    for (const char* text : {"false", "Off", "NO", "0"}) {
        bool out = true;
        EXPECT_FALSE(parse_bool(text, out)) << text;
        EXPECT_FALSE(out) << text;
    }
    bool out = true;
    for (const char* text : {"", "2", "t", "truee", "00"})
        EXPECT_TRUE(parse_bool(text, out)) << text;
}

TEST(an_enumeration, ignores_case_and_accepts_proxysqls_numbers) {
    using enum authentication_method;
    EXPECT_EQ(from_string<authentication_method>("SCRAM-SHA-256"), scram_sha_256);
    EXPECT_EQ(from_string<authentication_method>("3"), scram_sha_256);
    EXPECT_EQ(from_string<authentication_method>("2"), md5);
    EXPECT_EQ(from_string<authentication_method>("1"), password);
    EXPECT_EQ(from_string<authentication_method>("0"), std::nullopt);
    EXPECT_EQ(to_string(scram_sha_256), "scram-sha-256");
    EXPECT_EQ(choices_of<authentication_method>(),
              (std::vector<std::string_view>{"scram-sha-256", "md5", "password", "trust"}));
}

TEST(listen_addresses, are_read_and_printed) {
    std::vector<listen_address> out;
    EXPECT_FALSE(
        parse_listen_addresses("0.0.0.0:1; [::]:2,/tmp/x:3;127.0.0.1;::1;[::2];/tmp;", out));
    EXPECT_EQ(out, (std::vector<listen_address>{{"0.0.0.0", 1},
                                                {"::", 2},
                                                {"/tmp/x", 3},
                                                {"127.0.0.1", 6133},
                                                {"::1", 6133},
                                                {"::2", 6133},
                                                {"/tmp", 6133}}));
    EXPECT_EQ(format_value(out),
              "0.0.0.0:1;[::]:2;/tmp/x:3;127.0.0.1:6133;[::1]:6133;[::2]:6133;/tmp:6133");
    EXPECT_TRUE(out[2].is_unix());
    EXPECT_FALSE(out[1].is_unix());
}

TEST(listen_addresses, may_ask_for_free_ports_several_times) {
    std::vector<listen_address> out;
    EXPECT_FALSE(parse_listen_addresses("127.0.0.1:0;127.0.0.1:0", out));
    EXPECT_EQ(out.size(), 2u);
}

TEST(listen_addresses, that_nobody_can_listen_on_are_refused) {
    const std::vector<listen_address> before{{"127.0.0.1", 5}};
    auto out = before;
    for (const char* text : {"", ";", ":6133", "host:1", "1.2.3:1", "1.2.3.4:", "1.2.3.4:x",
                             "1.2.3.4:-1", "[1.2.3.4]:1", "[::1", "[]:1", "1.2.3.4:65536", "/tmp:0",
                             "/tmp:", "1.2.3.4:1:2", "::1;[::1]:6133"}) {
        EXPECT_TRUE(parse_listen_addresses(text, out)) << text;
        EXPECT_EQ(out, before) << text;
    }
}

TEST(listen_addresses, of_unix_sockets_fit_into_a_socket_address) {
    // "/.s.PGSQL.65535" and the final NUL take 16 of the 108 bytes.
    std::vector<listen_address> out;
    EXPECT_FALSE(parse_listen_addresses("/" + std::string(91, 'd') + ":1", out));
    EXPECT_TRUE(parse_listen_addresses("/" + std::string(92, 'd') + ":1", out));
}

TEST(the_nearest_name, is_the_one_with_the_fewest_edits) {
    const std::vector<std::string_view> names{"port", "hostname", "weight", "comment"};
    EXPECT_EQ(nearest("prot", names), "port");
    EXPECT_EQ(nearest("hostnam", names), "hostname");
    EXPECT_EQ(nearest("wieght", names), "weight");
    EXPECT_EQ(nearest("coment", names), "comment");
    EXPECT_EQ(nearest("elephant", names), std::nullopt);
    EXPECT_EQ(nearest("", names), std::nullopt);
    EXPECT_EQ(nearest(std::string(100000, 'x'), names), std::nullopt);
    EXPECT_EQ(nearest("port", {}), std::nullopt);
}

TEST(the_edit_distance, counts_insertions_deletions_replacements_and_swaps) {
    EXPECT_EQ(edit_distance("", ""), 0u);
    EXPECT_EQ(edit_distance("abc", "abc"), 0u);
    EXPECT_EQ(edit_distance("", "abc"), 3u);
    EXPECT_EQ(edit_distance("abc", ""), 3u);
    EXPECT_EQ(edit_distance("abc", "abcd"), 1u);
    EXPECT_EQ(edit_distance("abc", "axc"), 1u);
    EXPECT_EQ(edit_distance("abc", "acb"), 1u);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace howdah::conf
