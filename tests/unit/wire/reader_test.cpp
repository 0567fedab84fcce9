#include "protocol/wire/reader.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

using test::bytes;

TEST(Reader, ReadsIntegersInNetworkByteOrder) {
    const auto data = bytes("\x01\x02\x03\xff\xfe\x00\x01\x02\x03\xff\xff\xff\xff\x80\x00\x00\x00");
    reader in(data);
    EXPECT_EQ(in.u8(), 1);
    EXPECT_EQ(in.u16(), 0x0203);
    EXPECT_EQ(in.i16(), -2);
    EXPECT_EQ(in.i32(), 0x00010203);
    EXPECT_EQ(in.u32(), 0xffffffffu);
    EXPECT_EQ(in.i32(), std::numeric_limits<std::int32_t>::min());
    EXPECT_TRUE(in.at_end());
}

TEST(Reader, ReadsStringsWithoutTheirTerminator) {
    const auto data = bytes("one\0\0three");
    reader in(data);
    EXPECT_EQ(in.cstring(), "one");
    EXPECT_EQ(in.cstring(), "");
    EXPECT_EQ(in.remaining(), 5u);
    EXPECT_EQ(in.bytes(2), "th");
    EXPECT_EQ(in.rest(), "ree");
    EXPECT_TRUE(in.at_end());
}

TEST(Reader, AnEmptyRestIsNoFailure) {
    reader in("");
    EXPECT_EQ(in.rest(), "");
    EXPECT_EQ(in.bytes(0), "");
    EXPECT_TRUE(in.ok());
    EXPECT_TRUE(in.at_end());
}

TEST(Reader, AStringWithoutTerminatorIsAFailure) {
    reader in("abc");
    EXPECT_EQ(in.cstring(), "");
    EXPECT_FALSE(in.ok());
}

TEST(Reader, EveryGetterFailsOneByteShort) {
    const auto fails = [](std::size_t size, auto get) {
        const std::string data(size, '\x7f');
        reader in(data);
        EXPECT_EQ(get(in), 0) << size;
        EXPECT_FALSE(in.ok()) << size;
    };
    fails(0, [](reader& in) { return in.u8(); });
    fails(1, [](reader& in) { return in.i16(); });
    fails(1, [](reader& in) { return in.u16(); });
    fails(3, [](reader& in) { return in.i32(); });
    fails(3, [](reader& in) { return static_cast<int>(in.u32()); });
    fails(3, [](reader& in) { return static_cast<int>(in.bytes(4).size()); });
    fails(3, [](reader& in) {
        return static_cast<int>(in.bytes(std::numeric_limits<std::size_t>::max()).size());
    });
}

TEST(Reader, StaysFailedAndReturnsNothingAfterAFailure) {
    const auto data = bytes("\x01\x02\x03\0");
    reader in(data);
    EXPECT_EQ(in.bytes(5), "");
    EXPECT_EQ(in.u8(), 0);
    EXPECT_EQ(in.i16(), 0);
    EXPECT_EQ(in.i32(), 0);
    EXPECT_EQ(in.cstring(), "");
    EXPECT_EQ(in.bytes(1), "");
    EXPECT_EQ(in.rest(), "");
    EXPECT_EQ(in.remaining(), 0u);
    EXPECT_FALSE(in.ok());
    EXPECT_FALSE(in.at_end());
}

}  // namespace
}  // namespace howdah::protocol
