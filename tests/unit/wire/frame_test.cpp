#include "protocol/wire/frame.hpp"

#include "protocol/wire/messages.hpp"
#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;

TEST(Frame, NeedsFiveBytes) {
    const auto message = bytes("Q\x00\x00\x00\x06x\0");
    for (std::size_t size = 0; size < frame_header_size; ++size)
        EXPECT_FALSE(peek_frame(std::string_view(message).substr(0, size))) << size;
    for (std::size_t size = frame_header_size; size <= message.size(); ++size) {
        const auto header = peek_frame(std::string_view(message).substr(0, size));
        ASSERT_TRUE(header) << size;
        EXPECT_EQ(header->type, 'Q');
        EXPECT_EQ(header->length, 6u);
        EXPECT_EQ(header->size(), message.size());
        EXPECT_EQ(header->body_size(), 2u);
        EXPECT_TRUE(header->valid());
    }
}

TEST(Frame, IsInvalidBelowTheSizeOfTheLengthWord) {
    EXPECT_FALSE(peek_frame(bytes("Q\x00\x00\x00\x00"))->valid());
    EXPECT_FALSE(peek_frame(bytes("Q\x00\x00\x00\x03"))->valid());
    EXPECT_TRUE(peek_frame(bytes("Q\x00\x00\x00\x04"))->valid());
}

TEST(Frame, IsInvalidWhenTheLengthIsNegative) {
    EXPECT_TRUE(peek_frame(bytes("d\x7f\xff\xff\xff"))->valid());
    EXPECT_FALSE(peek_frame(bytes("d\x80\x00\x00\x00"))->valid());
    EXPECT_FALSE(peek_frame(bytes("d\xff\xff\xff\xff"))->valid());
    EXPECT_EQ(peek_frame(bytes("d\xff\xff\xff\xff"))->size(), std::size_t{0x100000000});
}

TEST(Frame, WalksMessagesWrittenOneAfterTheOther) {
    std::string stream;
    append_query(stream, "SELECT 1");
    append_sync(stream);
    append_terminate(stream);
    std::string types;
    std::string_view left = stream;
    while (const auto header = peek_frame(left)) {
        types.push_back(header->type);
        left.remove_prefix(header->size());
    }
    EXPECT_EQ(types, "QSX");
    EXPECT_TRUE(left.empty());
}

}  // namespace
}  // namespace howdah::protocol
