#include "monitor/password_cache.hpp"

#include <gtest/gtest.h>

namespace howdah::monitor {
namespace {

using namespace std::chrono_literals;

class PasswordCache : public testing::Test {
protected:
    void store(const std::string& user, bool exists = true, const std::string& password = "p") {
        cache.store(user, {exists, password}, now, lifetime);
    }
    std::string find(const std::string& user) const {
        const auto* found = cache.find(user, now);
        if (found == nullptr) return "not known";
        return found->exists ? found->password : "no such user";
    }

    password_cache cache;
    password_cache::clock::time_point now{1h};
    std::chrono::milliseconds lifetime{30s};
};

TEST_F(PasswordCache, answers_until_the_lifetime_is_over) {
    EXPECT_EQ(find("a"), "not known");
    store("a");
    now += 29999ms;
    EXPECT_EQ(find("a"), "p");
    now += 1ms;
    EXPECT_EQ(find("a"), "not known");
}

TEST_F(PasswordCache, believes_that_somebody_does_not_exist_for_five_seconds) {
    store("a", false, "");
    now += 4999ms;
    EXPECT_EQ(find("a"), "no such user");
    now += 1ms;
    EXPECT_EQ(find("a"), "not known");
    lifetime = 2s;
    store("a", false, "");
    now += 2s;
    EXPECT_EQ(find("a"), "not known");
}

TEST_F(PasswordCache, the_latest_answer_counts) {
    store("a");
    store("a", false, "");
    EXPECT_EQ(find("a"), "no such user");
    store("a", true, "q");
    EXPECT_EQ(find("a"), "q");
    EXPECT_EQ(cache.size(), 1U);
}

TEST_F(PasswordCache, forgets_a_password_that_did_not_fit_unless_it_was_just_read) {
    store("a");
    cache.forget("a", now);
    EXPECT_EQ(find("a"), "p");
    now += 1s;
    cache.forget("a", now);
    EXPECT_EQ(find("a"), "not known");
    cache.forget("nobody", now);
}

TEST_F(PasswordCache, without_a_lifetime_keeps_nothing) {
    lifetime = 0s;
    store("a");
    EXPECT_EQ(find("a"), "not known");
    EXPECT_EQ(cache.size(), 0U);
}

TEST_F(PasswordCache, is_bounded_and_made_up_names_do_not_drive_out_real_ones) {
    store("real");
    for (std::size_t i = 0; i < password_cache::max_entries + 10; ++i)
        store("made up " + std::to_string(i), false, "");
    EXPECT_EQ(find("real"), "p");
    EXPECT_EQ(find("made up 9"), "not known");
    EXPECT_EQ(find("made up 10"), "no such user");
    EXPECT_EQ(cache.size(), password_cache::max_entries + 1);
    for (std::size_t i = 0; i < password_cache::max_entries; ++i)
        store("role " + std::to_string(i));
    EXPECT_EQ(find("real"), "not known") << "the oldest goes first";
    EXPECT_EQ(cache.size(), 2 * password_cache::max_entries);
    cache.clear();
    EXPECT_EQ(cache.size(), 0U);
}

}  // namespace
}  // namespace howdah::monitor
