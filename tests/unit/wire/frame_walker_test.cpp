#include "protocol/wire/frame_walker.hpp"

#include <gtest/gtest.h>

#include <string>

namespace howdah::protocol {
namespace {

using namespace std::string_view_literals;

const std::string stream("Z\0\0\0\5IH\0\0\0\4d\0\0\0\7abc"sv);

TEST(FrameWalker, begins_at_a_boundary_without_a_message) {
    const frame_walker w;
    EXPECT_TRUE(w.at_boundary());
    EXPECT_EQ(w.last_type(), '\0');
}

TEST(FrameWalker, finds_the_same_boundaries_wherever_the_stream_is_cut) {
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        frame_walker w;
        w.feed(std::string_view(stream).substr(0, cut));
        EXPECT_EQ(w.at_boundary(), cut == 0 || cut == 6 || cut == 11 || cut == 19) << cut;
        const char latest = cut < 5 ? '\0' : cut < 11 ? 'Z' : cut < 16 ? 'H' : 'd';
        EXPECT_EQ(w.last_type(), latest) << cut;
        w.feed(std::string_view(stream).substr(cut));
        EXPECT_TRUE(w.at_boundary()) << cut;
        EXPECT_EQ(w.last_type(), 'd');
    }
}

TEST(FrameWalker, takes_one_byte_at_a_time) {
    frame_walker w;
    std::string at;
    for (const char c : stream) {
        w.feed({&c, 1});
        at += w.at_boundary() ? '|' : '.';
    }
    EXPECT_EQ(at, ".....|....|.......|");
}

TEST(FrameWalker, is_lost_for_good_after_a_length_that_cannot_be) {
    for (const std::string_view bad : {"X\0\0\0\3"sv, "X\xff\xff\xff\xff"sv, "X\x80\0\0\0"sv}) {
        frame_walker w;
        w.feed(bad);
        EXPECT_TRUE(w.lost());
        w.feed(stream);
        EXPECT_FALSE(w.at_boundary());
    }
}

}  // namespace
}  // namespace howdah::protocol
