#include "protocol/wire/writer.hpp"

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;

TEST(MessageWriter, CountsTheLengthWordButNotTheType) {
    std::string out;
    message_writer(out, 'S');
    EXPECT_EQ(out, bytes("S\x00\x00\x00\x04"));
}

TEST(MessageWriter, WritesNoTypeForTypeZero) {
    std::string out;
    message_writer(out, 0).i32(-2);
    EXPECT_EQ(out, bytes("\x00\x00\x00\x08\xff\xff\xff\xfe"));
}

TEST(MessageWriter, WritesFieldsInNetworkByteOrder) {
    std::string out;
    {
        message_writer message(out, 'x');
        message.u8(0xfe);
        message.i16(-2);
        message.u16(0xfffd);
        message.i32(0x01020304);
        message.u32(0x80000000u);
        message.cstring("ab");
        message.bytes("cd");
    }
    EXPECT_EQ(out, bytes("x\x00\x00\x00\x16\xfe\xff\xfe\xff\xfd\x01\x02\x03\x04\x80\x00\x00\x00"
                         "ab\0cd"));
}

TEST(MessageWriter, AppendsBehindWhatIsThere) {
    std::string out = "before";
    message_writer(out, 'a').u8(1);
    message_writer(out, 'b').u8(2);
    EXPECT_EQ(out, bytes("beforea\x00\x00\x00\x05\x01"
                         "b\x00\x00\x00\x05\x02"));
}

TEST(MessageWriter, CutsAStringAtAnEmbeddedTerminator) {
    std::string out;
    message_writer(out, 'x').cstring(bytes("ab\0cd"));
    EXPECT_EQ(out, bytes("x\x00\x00\x00\x07"
                         "ab\0"));
}

TEST(MessageWriter, WritesALengthThatNeedsAllFourBytes) {
    std::string out;
    message_writer(out, 'd').bytes(std::string(0x01020304 - 4, 'z'));
    EXPECT_EQ(out.substr(0, 6), bytes("d\x01\x02\x03\x04z"));
}

TEST(MessageWriter, CountsBytesThatAreSentFromElsewhere) {
    std::string out;
    {
        message_writer message(out, 'B');
        message.u8(0);
        message.elsewhere(0x10000);
    }
    EXPECT_EQ(out, bytes("B\x00\x01\x00\x05\x00"));
}

}  // namespace
}  // namespace howdah::protocol
