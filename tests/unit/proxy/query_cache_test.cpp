#include "proxy/cache/query_cache.hpp"

#include <gtest/gtest.h>

#include "protocol/wire/messages.hpp"

namespace howdah::proxy {
namespace {

using namespace std::chrono_literals;
using clock = query_cache::clock;

class a_query_cache : public ::testing::Test {
protected:
    cache_key key(const std::string& request) { return {login_, settings_, request}; }
    void keep(const std::string& request, const std::string& messages,
              std::chrono::milliseconds ttl = 1000ms, std::size_t capacity = 1 << 20) {
        cache_.store(key(request), {messages, 1}, ttl, now_, capacity);
    }
    /// What is found; "-" for nothing.
    std::string find(const std::string& request, unsigned soft = 0) {
        const cached_result* r = cache_.find(key(request), now_, soft);
        return r == nullptr ? "-" : r->messages;
    }

    const pool_login alice_{1, "shop", "alice", {}, {}};
    const pool_login bob_{2, "shop", "bob", {}, {}};
    const pool_login* login_ = &alice_;
    settings_registry registry_;
    settings_ptr settings_ = registry_.none();
    clock::time_point now_{1h};
    query_cache cache_;
};

TEST_F(a_query_cache, gives_what_was_kept_until_its_time_is_over) {
    EXPECT_EQ(find("a"), "-");
    keep("a", "result");
    now_ += 999ms;
    EXPECT_EQ(find("a"), "result");
    EXPECT_EQ(find("b"), "-");
    now_ += 1ms;
    EXPECT_EQ(find("a"), "-");
    EXPECT_EQ(cache_.counters().entries, 0u);
    EXPECT_EQ(cache_.counters().memory, 0u);
}

TEST_F(a_query_cache, keeps_clients_and_settings_apart) {
    keep("a", "alice's");
    login_ = &bob_;
    EXPECT_EQ(find("a"), "-");
    keep("a", "bob's");
    login_ = &alice_;
    EXPECT_EQ(find("a"), "alice's");
    for (const char* statement :
         {"SET role TO 'other'", "SET search_path TO 'x'", "SET app.tenant TO '7'"}) {
        settings_ = registry_.intern({{"name", statement}});
        EXPECT_EQ(find("a"), "-") << statement;
    }
    settings_ = registry_.intern({});
    EXPECT_EQ(find("a"), "alice's");
}

TEST_F(a_query_cache, does_not_mistake_settings_that_are_gone_for_others) {
    settings_ = registry_.intern({{"role", "SET role TO 'a'"}});
    keep("q", "of role a");
    for (int i = 0; i < 100; ++i) {
        settings_ = nullptr;
        settings_ = registry_.intern({{"role", "SET role TO 'b" + std::to_string(i) + "'"}});
        EXPECT_EQ(find("q"), "-") << "the entry holds its settings, so their address is not reused";
    }
    settings_ = registry_.intern({{"role", "SET role TO 'a'"}});
    EXPECT_EQ(find("q"), "of role a");
}

TEST_F(a_query_cache, replaces_an_older_result) {
    keep("a", "old");
    now_ += 500ms;
    keep("a", "new");
    now_ += 700ms;
    EXPECT_EQ(find("a"), "new");
    EXPECT_EQ(cache_.counters().entries, 1u);
    EXPECT_EQ(cache_.counters().sets, 2u);
}

TEST_F(a_query_cache, drops_the_least_recently_used_when_it_is_full) {
    const std::string big(10000, 'x');
    const std::size_t capacity = 35000;
    keep("a", big, 1000ms, capacity);
    keep("b", big, 1000ms, capacity);
    keep("c", big, 1000ms, capacity);
    EXPECT_EQ(find("a"), big);
    keep("d", big, 1000ms, capacity);
    EXPECT_EQ(find("b"), "-");
    EXPECT_EQ(find("a"), big);
    EXPECT_EQ(find("c"), big);
    EXPECT_EQ(find("d"), big);
    EXPECT_LE(cache_.counters().memory, capacity);
    EXPECT_GE(cache_.counters().memory, 30000u);
    EXPECT_EQ(cache_.counters().purged, 1u);
    cache_.shrink(20000);
    EXPECT_EQ(cache_.counters().entries, 1u);
    cache_.clear();
    EXPECT_EQ(cache_.counters().memory, 0u);
}

TEST_F(a_query_cache, keeps_nothing_that_does_not_fit) {
    keep("small", "x");
    keep("a", std::string(5000, 'x'), 1000ms, 5000);
    EXPECT_EQ(find("a"), "-");
    EXPECT_EQ(find("small"), "x") << "and nothing has to go for it";
    keep("b", "x", 1000ms, 0);
    EXPECT_EQ(find("b"), "-");
}

TEST_F(a_query_cache, lets_one_client_renew_a_result_before_its_end) {
    keep("a", "old");
    now_ += 499ms;
    EXPECT_EQ(find("a", 50), "old");
    now_ += 1ms;
    EXPECT_EQ(find("a", 50), "-") << "this one renews it";
    EXPECT_EQ(find("a", 50), "old");
    now_ += 100ms;
    keep("a", "new");
    EXPECT_EQ(find("a", 50), "new");
    now_ += 500ms;
    EXPECT_EQ(find("a", 50), "-");
}

TEST_F(a_query_cache, counts) {
    (void)find("a");
    keep("a", "1234567");
    (void)find("a");
    (void)find("a");
    const query_cache_counters& c = cache_.counters();
    EXPECT_EQ(c.gets, 3u);
    EXPECT_EQ(c.hits, 2u);
    EXPECT_EQ(c.bytes_in, 7u);
    EXPECT_EQ(c.bytes_out, 14u);
}

// --- recordings

std::string message(char type, std::string_view body = {}) {
    std::string out;
    protocol::append_message(out, type, body);
    return out;
}
const std::string columns = message('T', "columns");
const std::string row = message('D', "row");
const std::string end = message('C', "SELECT 2");

/// What is kept of these bytes, whatever the parts in which they come; "-" for nothing.
std::string recorded(const std::string& bytes, result_shape shape, std::size_t most = 1000) {
    std::string whole;
    for (std::size_t part = 1; part <= bytes.size(); part += 5) {
        result_recording r(most);
        for (std::size_t at = 0; at < bytes.size(); at += part)
            r.add(std::string_view(bytes).substr(at, part));
        const auto result = std::move(r).finish(shape);
        const std::string text =
            result ? std::to_string(result->rows) + ":" + result->messages : "-";
        if (part == 1) whole = text;
        EXPECT_EQ(text, whole);
    }
    return whole;
}

TEST(result_recording, keeps_whole_results) {
    EXPECT_EQ(recorded(columns + row + row + end, result_shape::simple),
              "2:" + columns + row + row + end);
    EXPECT_EQ(recorded(columns + end, result_shape::simple), "0:" + columns + end);
    const std::string bound = message('2');
    EXPECT_EQ(recorded(bound + row + end, result_shape::extended), "1:" + bound + row + end);
    EXPECT_EQ(recorded(bound + columns + row + end, result_shape::described),
              "1:" + bound + columns + row + end);
}

TEST(result_recording, leaves_out_the_answer_to_a_parse) {
    const std::string bound = message('2');
    EXPECT_EQ(recorded(message('1') + bound + row + end, result_shape::extended),
              "1:" + bound + row + end);
    EXPECT_EQ(recorded(message('1') + columns + row + end, result_shape::simple), "-");
    EXPECT_EQ(recorded(message('1') + message('1') + bound + end, result_shape::extended), "-");
}

TEST(result_recording, keeps_nothing_else) {
    const std::string bound = message('2');
    for (const std::string& bytes :
         {std::string("x"), columns, columns + row, row + end, columns + row + end + end,
          columns + row + end + columns + end, columns + message('E', "e"),
          columns + row + message('E', "e"), columns + message('N', "n") + row + end,
          message('S', "a\0b\0") + columns + end, columns + end + message('A', "n"),
          columns + row + message('s'), message('I'), message('H') + message('d') + end,
          columns + row + end.substr(0, 5), columns + row + end + "C"})
        EXPECT_EQ(recorded(bytes, result_shape::simple), "-");
    EXPECT_EQ(recorded(bound + columns + row + end, result_shape::extended), "-");
    EXPECT_EQ(recorded(bound + row + end, result_shape::described), "-");
    EXPECT_EQ(recorded(bound + row + message('s'), result_shape::extended), "-");
    EXPECT_EQ(recorded(columns + row + end, result_shape::extended), "-");
    EXPECT_FALSE(result_recording(100).finish(result_shape::simple));
}

TEST(result_recording, gives_up_a_result_that_is_too_large) {
    const std::string bytes = columns + row + end;
    EXPECT_NE(recorded(bytes, result_shape::simple, bytes.size()), "-");
    EXPECT_EQ(recorded(bytes, result_shape::simple, bytes.size() - 1), "-");
}

}  // namespace
}  // namespace howdah::proxy
