#include "protocol/wire/md5.hpp"

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

constexpr std::string_view hash = "md54a0a68b43b6cd5cf266fa02f196e2371";
constexpr std::string_view response = "md598a0412b9c31436fc53776e863350083";

TEST(Md5, PasswordHashIsSaltedWithTheUserName) {
    EXPECT_EQ(md5_password("secret", "alice"), hash);
    EXPECT_NE(md5_password("secret", "bob"), hash);
}

TEST(Md5, ResponseIsTheSameFromAPasswordAndFromItsHash) {
    const auto salt = test::bytes("\x01\x02\x03\x04");
    EXPECT_EQ(md5_response("secret", "alice", salt), response);
    EXPECT_EQ(md5_response(hash, "alice", salt), response);
    EXPECT_NE(md5_response("secret", "alice", test::bytes("\x01\x02\x03\x05")), response);
}

TEST(Md5, AHashIsToldFromAPassword) {
    EXPECT_TRUE(is_md5_password(hash));
    EXPECT_FALSE(is_md5_password(hash.substr(0, 34)));
    EXPECT_FALSE(is_md5_password(std::string(hash) + "0"));
    EXPECT_FALSE(is_md5_password("md54a0a68b43b6cd5cf266fa02f196e237G"));
    EXPECT_FALSE(is_md5_password("xd54a0a68b43b6cd5cf266fa02f196e2371"));
    EXPECT_FALSE(is_md5_password(""));
}

TEST(Md5, SecretsAreComparedWhole) {
    EXPECT_TRUE(constant_time_equal("", ""));
    EXPECT_TRUE(constant_time_equal("abc", "abc"));
    EXPECT_FALSE(constant_time_equal("abc", "abd"));
    EXPECT_FALSE(constant_time_equal("abc", "ab"));
}

}  // namespace
}  // namespace howdah::protocol
