#include "monitor/resolver_cache.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <deque>

namespace howdah::monitor {
namespace {

using addresses = resolver_cache::addresses;
using std::chrono::milliseconds;

/// A cache over a name service that answers when it is told to.
class ResolverCache : public testing::Test {
protected:
    boost::asio::io_context io;
    std::deque<std::pair<std::string, resolver_cache::handler>> asked;
    std::shared_ptr<resolver_cache> subject = std::make_shared<resolver_cache>(
        io, [this](const std::string& host, resolver_cache::handler done) {
            asked.emplace_back(host, std::move(done));
        });
    std::vector<addresses> changes;

    ResolverCache() {
        subject->on_change([this](const std::string& host, const addresses& now) {
            EXPECT_EQ(host, "db1");
            changes.push_back(now);
        });
        subject->set_time_to_live(milliseconds(-1));  // every answer is old at once
    }
    void reply(addresses found, const std::string& error = "") {
        ASSERT_FALSE(asked.empty());
        const auto done = asked.front().second;
        asked.pop_front();
        done(std::move(found), error);
    }
    /// The answer so far; nothing while it is waited for.
    std::optional<addresses> resolve(const std::string& host = "db1") {
        auto answer = std::make_shared<std::optional<addresses>>();
        subject->resolve(host,
                         [answer](const addresses& found, const std::string&) { *answer = found; });
        return *answer;
    }
    void know(const addresses& first) {
        resolve();
        reply(first);
    }
};

TEST_F(ResolverCache, an_address_is_its_own_answer) {
    EXPECT_EQ(resolve("10.0.0.1"), addresses{"10.0.0.1"});
    EXPECT_EQ(resolve("::1"), addresses{"::1"});
    EXPECT_TRUE(asked.empty());
}

TEST_F(ResolverCache, all_who_wait_for_a_name_get_the_one_answer) {
    int answers = 0;
    for (int i = 0; i < 3; ++i)
        subject->resolve("db1", [&](const addresses& found, const std::string&) {
            EXPECT_THAT(found, testing::ElementsAre("10.0.0.1", "10.0.0.2"));
            ++answers;
        });
    EXPECT_EQ(asked.size(), 1U);
    reply({"10.0.0.1", "10.0.0.1", "10.0.0.2"});
    EXPECT_EQ(answers, 3);
    EXPECT_TRUE(changes.empty()) << "the first answer is no change";
}

TEST_F(ResolverCache, an_old_answer_is_used_while_it_is_asked_again_behind_it) {
    know({"10.0.0.1"});
    EXPECT_EQ(resolve(), addresses{"10.0.0.1"});
    EXPECT_EQ(resolve(), addresses{"10.0.0.1"});
    EXPECT_EQ(asked.size(), 1U);
    reply({"10.0.0.2"});
    EXPECT_THAT(changes, testing::ElementsAre(addresses{"10.0.0.2"}));
    EXPECT_EQ(resolve(), addresses{"10.0.0.2"});
}

TEST_F(ResolverCache, a_young_answer_is_believed) {
    subject->set_time_to_live(std::chrono::hours(1));
    know({"10.0.0.1"});
    resolve();
    EXPECT_TRUE(asked.empty());
}

TEST_F(ResolverCache, the_same_addresses_in_another_order_are_no_change) {
    know({"10.0.0.1", "10.0.0.2"});
    subject->rotate("db1");
    EXPECT_EQ(resolve(), (addresses{"10.0.0.2", "10.0.0.1"}));
    reply({"10.0.0.1", "10.0.0.2"});
    EXPECT_EQ(resolve(), (addresses{"10.0.0.2", "10.0.0.1"})) << "what did not answer stays last";
    EXPECT_TRUE(changes.empty());
}

TEST_F(ResolverCache, a_name_service_that_is_down_takes_no_address_away) {
    know({"10.0.0.1"});
    resolve();
    reply({}, "host not found");
    EXPECT_EQ(resolve(), addresses{"10.0.0.1"});
    EXPECT_TRUE(changes.empty());
}

TEST_F(ResolverCache, an_unknown_name_is_told_why_and_asked_for_again) {
    std::string why;
    subject->resolve("db1", [&](const addresses& found, const std::string& error) {
        EXPECT_TRUE(found.empty());
        why = error;
    });
    reply({}, "host not found");
    EXPECT_EQ(why, "host not found");
    EXPECT_EQ(resolve(), std::nullopt);
    EXPECT_EQ(asked.size(), 1U);
}

TEST_F(ResolverCache, an_address_that_fails_does_not_make_it_ask_at_every_attempt) {
    subject->set_time_to_live(std::chrono::hours(1));
    know({"10.0.0.1"});
    for (int i = 0; i < 10; ++i)
        subject->doubt("db1");
    EXPECT_TRUE(asked.empty()) << "the answer has just come";
    subject->doubt("never asked");
    EXPECT_TRUE(asked.empty());
}

TEST_F(ResolverCache, stopped_it_answers_nobody) {
    bool answered = false;
    subject->resolve("db1", [&](const addresses&, const std::string&) { answered = true; });
    subject->stop();
    reply({"10.0.0.1"});
    EXPECT_FALSE(answered);
    EXPECT_EQ(resolve("10.0.0.1"), std::nullopt);
}

}  // namespace
}  // namespace howdah::monitor
