#include "protocol/io/buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <set>
#include <string>

#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

constexpr std::size_t chunk = buffer_pool::chunk_size;

void put(input_buffer& b, std::string_view bytes, std::size_t limit) {
    while (!bytes.empty()) {
        const std::span<char> space = b.prepare(limit);
        ASSERT_FALSE(space.empty());
        const std::size_t n = std::min(space.size(), bytes.size());
        std::memcpy(space.data(), bytes.data(), n);
        b.commit(n);
        bytes.remove_prefix(n);
    }
}

TEST(BufferPool, gives_the_latest_chunk_again) {
    buffer_pool pool;
    char* first = pool.take();
    char* second = pool.take();
    EXPECT_NE(first, second);
    pool.give(first);
    pool.give(second);
    EXPECT_EQ(pool.take(), second);
    EXPECT_EQ(pool.take(), first);
    pool.give(first);
    pool.give(second);
}

TEST(BufferPool, returns_a_burst_to_the_system) {
    buffer_pool pool;
    std::vector<char*> many;
    for (int i = 0; i < 200; ++i)
        many.push_back(pool.take());
    EXPECT_EQ(std::set<char*>(many.begin(), many.end()).size(), 200U);
    for (char* c : many) {
        c[0] = c[chunk - 1] = 'x';
        pool.give(c);
    }
}

TEST(InputBuffer, owns_nothing_until_it_is_used) {
    buffer_pool pool;
    input_buffer b(pool);
    EXPECT_TRUE(b.empty());
    EXPECT_EQ(b.size(), 0U);
    EXPECT_EQ(b.capacity(), 0U);
    EXPECT_EQ(b.data(), "");
    b.reset();
    EXPECT_EQ(b.capacity(), 0U);
}

TEST(InputBuffer, a_consumed_buffer_goes_back_to_the_pool) {
    buffer_pool pool;
    input_buffer a(pool);
    const char* memory = a.prepare(chunk).data();
    put(a, "hello", chunk);
    EXPECT_EQ(a.data(), "hello");
    a.consume(2);
    EXPECT_EQ(a.data(), "llo");
    a.consume(3);
    EXPECT_EQ(a.capacity(), 0U);
    input_buffer b(pool);
    EXPECT_EQ(b.prepare(chunk).data(), memory);
}

TEST(InputBuffer, a_destroyed_buffer_goes_back_to_the_pool) {
    buffer_pool pool;
    const char* memory = nullptr;
    {
        input_buffer a(pool);
        memory = a.prepare(chunk).data();
        a.commit(10);
    }
    input_buffer b(pool);
    EXPECT_EQ(b.prepare(chunk).data(), memory);
}

TEST(InputBuffer, after_rebinding_it_serves_and_feeds_the_other_pool) {
    buffer_pool first;
    buffer_pool second;
    input_buffer b(first);
    put(b, "x", chunk);
    b.reset();
    b.rebind(second);
    const char* memory = b.prepare(chunk).data();
    b.reset();
    char* again = second.take();
    EXPECT_EQ(again, memory);
    second.give(again);
}

TEST(InputBuffer, makes_room_by_moving_what_is_left_to_the_front) {
    buffer_pool pool;
    input_buffer b(pool);
    const std::string bytes = test::pattern(chunk);
    put(b, bytes, chunk);
    b.consume(chunk - 3);
    const std::span<char> space = b.prepare(chunk);
    EXPECT_EQ(space.size(), chunk - 3);
    EXPECT_EQ(b.data(), std::string_view(bytes).substr(chunk - 3));
    EXPECT_EQ(b.capacity(), chunk);
}

TEST(InputBuffer, a_full_buffer_within_its_limit_offers_no_room) {
    buffer_pool pool;
    input_buffer b(pool);
    put(b, test::pattern(chunk), chunk);
    EXPECT_TRUE(b.prepare(chunk).empty());
    b.consume(1);
    EXPECT_EQ(b.prepare(chunk).size(), 1U);
}

TEST(InputBuffer, grows_with_what_arrived_and_not_with_what_was_announced) {
    buffer_pool pool;
    input_buffer b(pool);
    const std::size_t limit = 64 << 20;
    (void)b.prepare(limit);
    EXPECT_EQ(b.capacity(), chunk);
    const std::string bytes = test::pattern(10 * chunk);
    std::size_t sent = 0;
    while (sent < bytes.size()) {
        const std::size_t n = std::min(b.prepare(limit).size(), bytes.size() - sent);
        put(b, std::string_view(bytes).substr(sent, n), limit);
        sent += n;
        EXPECT_LE(b.capacity(), std::max(chunk, 4 * sent));
    }
    EXPECT_EQ(b.data(), bytes);
    b.consume(bytes.size());
    EXPECT_EQ(b.capacity(), 0U);
}

TEST(InputBuffer, grows_to_its_limit_and_not_beyond) {
    buffer_pool pool;
    input_buffer b(pool);
    const std::size_t limit = chunk + 100;
    const std::string bytes = test::pattern(limit);
    put(b, bytes, limit);
    EXPECT_EQ(b.data(), bytes);
    EXPECT_EQ(b.capacity(), limit);
    EXPECT_TRUE(b.prepare(limit).empty());
}

TEST(InputBuffer, random_reads_and_consumptions_keep_every_byte_in_order) {
    std::mt19937 random(7);
    buffer_pool pool;
    input_buffer b(pool);
    const std::string bytes = test::pattern(2 << 20);
    std::size_t written = 0;
    std::size_t consumed = 0;
    while (consumed < bytes.size()) {
        const std::size_t limit = b.size() + 1 + random() % (2 * chunk);
        const std::span<char> space = b.prepare(limit);
        ASSERT_FALSE(space.empty());
        const std::size_t n = std::min(
            {space.size(), bytes.size() - written, static_cast<std::size_t>(random() % 20000)});
        std::memcpy(space.data(), bytes.data() + written, n);
        b.commit(n);
        written += n;
        ASSERT_EQ(b.data(), std::string_view(bytes).substr(consumed, written - consumed));
        const std::size_t taken = random() % (b.size() + 1);
        const std::size_t take = written == bytes.size() ? b.size() : taken;
        b.consume(take);
        consumed += take;
    }
    EXPECT_EQ(b.capacity(), 0U);
}

}  // namespace
}  // namespace howdah::protocol
