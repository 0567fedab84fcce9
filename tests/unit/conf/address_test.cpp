#include "conf/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/hba_names.hpp"

namespace howdah::conf {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

bool within(const char* range, const char* address) {
    return parse_ip_range(range).value().contains(parse_ip(address).value());
}

TEST(an_ip_range, holds_the_addresses_with_its_first_bits) {
    EXPECT_TRUE(within("10.1.2.3/8", "10.255.0.1"));
    EXPECT_FALSE(within("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(within("192.168.16.0/20", "192.168.31.255"));
    EXPECT_FALSE(within("192.168.16.0/20", "192.168.32.0"));
    EXPECT_TRUE(within("0.0.0.0/0", "255.1.2.3"));
    EXPECT_TRUE(within("127.0.0.1", "127.0.0.1"));
    EXPECT_FALSE(within("127.0.0.1/32", "127.0.0.2"));
    EXPECT_TRUE(within("fd00::/9", "fd7f::1"));
    EXPECT_FALSE(within("fd00::/9", "fd80::1"));
    EXPECT_TRUE(within("::1", "::1"));
    EXPECT_TRUE(within("::/0", "fe80::1"));
}

TEST(an_ip_range, of_one_family_holds_no_address_of_the_other) {
    EXPECT_FALSE(within("0.0.0.0/0", "::1"));
    EXPECT_FALSE(within("::/0", "10.0.0.1"));
}

TEST(an_ip_address, of_ipv4_mapped_into_ipv6_counts_as_ipv4) {
    EXPECT_EQ(parse_ip("::ffff:10.0.0.1"), parse_ip("10.0.0.1"));
    EXPECT_TRUE(within("10.0.0.0/8", "::ffff:10.9.9.9"));
}

TEST(an_ip_address, is_printed_as_it_is_written) {
    for (const char* text : {"10.0.0.1", "::1", "fd00::ab:1", "255.255.255.255"})
        EXPECT_EQ(to_string(parse_ip(text).value()), text);
}

TEST(a_rules_address, is_refused_unless_it_is_one) {
    for (const char* text : {"all", "samehost", "samenet", "10.0.0.0/8", "::/0", "1.2.3.4"})
        EXPECT_EQ(check_hba_address(text), std::nullopt) << text;
    for (const char* text :
         {"", "localhost", "ALL", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8s", "10/8",
          "::/129", "10.0.0.0 255.0.0.0", "10.0.0.0/255.0.0.0", "1.2.3.4/ 8", ".example.com"})
        EXPECT_NE(check_hba_address(text), std::nullopt) << text;
    EXPECT_EQ(parse_ip(std::string_view("1.2.3.4\0x", 9)), std::nullopt);
}

TEST(a_list_of_names, is_split_at_commas_except_in_expressions) {
    EXPECT_THAT(split_hba_names("a, b;c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(split_hba_names("/^a{1,2}$;b"), ElementsAre("/^a{1,2}$", "b"));
    EXPECT_THAT(split_hba_names(" all "), ElementsAre("all"));
    EXPECT_THAT(split_hba_names(" , ;"), IsEmpty());
    EXPECT_THAT(split_hba_names("a b, \"all\""), ElementsAre("a b", "\"all\""));
}

}  // namespace
}  // namespace howdah::conf
