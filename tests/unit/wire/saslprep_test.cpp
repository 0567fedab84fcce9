#include "protocol/wire/saslprep.hpp"

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

TEST(Saslprep, AsciiIsUnchanged) {
    std::string ascii;
    for (int i = 0; i < 128; ++i)
        ascii.push_back(static_cast<char>(i));
    EXPECT_EQ(saslprep(ascii), ascii);
    EXPECT_EQ(saslprep(""), "");
}

TEST(Saslprep, NonAsciiSpacesBecomeSpaces) {
    EXPECT_EQ(saslprep("a\u00a0b\u3000c\u200bd"), "a b c d");
}

TEST(Saslprep, SoftHyphensAndJoinersVanish) {
    EXPECT_EQ(saslprep("I\u00adX"), "IX");
    EXPECT_EQ(saslprep("a\u200db\ufeff"), "ab");
}

TEST(Saslprep, OtherLettersStay) {
    EXPECT_EQ(saslprep("pässwörd-пароль-密码-😀"), "pässwörd-пароль-密码-😀");
}

TEST(Saslprep, WhatItWouldEmptyOrProhibitStaysAsGiven) {
    EXPECT_EQ(saslprep("\u00ad"), "\u00ad");
    EXPECT_EQ(saslprep("\u00a0\x07"), "\u00a0\x07");
    EXPECT_EQ(saslprep("\u00a0\ue000"), "\u00a0\ue000");
    EXPECT_EQ(saslprep("\u00a0\U0001ffff"), "\u00a0\U0001ffff");
    EXPECT_EQ(saslprep("\u00a0\u200e"), "\u00a0\u200e");
}

TEST(Saslprep, WhatIsNotUtf8StaysAsGiven) {
    const std::string space = "\u00a0";
    for (const std::string& broken :
         {test::bytes("\xff"), test::bytes("\xc3"), test::bytes("\x80"), test::bytes("\xc0\x80"),
          test::bytes("\xe0\x80\x80"), test::bytes("\xed\xa0\x80"), test::bytes("\xf0\x80\x80\x80"),
          test::bytes("\xf4\x90\x80\x80"), test::bytes("\xf5\x80\x80\x80"), test::bytes("\xe2\x82"),
          test::bytes("\xe2(\xa1")})
        EXPECT_EQ(saslprep(space + broken), space + broken);
}

}  // namespace
}  // namespace howdah::protocol
