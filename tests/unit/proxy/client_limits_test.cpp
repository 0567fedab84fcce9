#include "proxy/client_limits.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace howdah::proxy {
namespace {

using place = client_limits::place;
using verdict = client_limits::verdict;

class ClientLimits : public ::testing::Test {
protected:
    verdict enter(place& p, bool may_use_reserved = false, std::string_view address = "10.0.0.1") {
        return limits_.enter(p, address, bounds_, may_use_reserved);
    }
    client_limits limits_;
    client_limits::bounds bounds_{3, 0, 0};
};

TEST_F(ClientLimits, as_many_enter_as_may_and_one_that_leaves_makes_room) {
    std::vector<place> all(4);
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(enter(all[static_cast<std::size_t>(i)]), verdict::welcome);
    EXPECT_EQ(enter(all[3], true), verdict::full);
    all[3].leave();
    EXPECT_EQ(limits_.count(), 3U) << "who never entered takes nothing with him";
    all[1].leave();
    all[1].leave();
    EXPECT_EQ(limits_.count(), 2U);
    EXPECT_EQ(enter(all[3]), verdict::welcome);
}

TEST_F(ClientLimits, a_place_moves_with_its_owner) {
    place kept;
    {
        place first;
        EXPECT_EQ(enter(first), verdict::welcome);
        kept = std::move(first);
    }
    EXPECT_EQ(limits_.count(), 1U);
    kept = place();
    EXPECT_EQ(limits_.count(), 0U);
}

TEST_F(ClientLimits, the_last_ones_are_kept_for_those_who_may_use_them) {
    bounds_.reserved = 2;
    place a, b, c, d;
    EXPECT_EQ(enter(a), verdict::welcome);
    EXPECT_EQ(enter(b), verdict::reserved);
    EXPECT_EQ(enter(b, true), verdict::welcome);
    EXPECT_EQ(enter(c, true), verdict::welcome);
    EXPECT_EQ(enter(d, true), verdict::full);
    // They took up what anybody may have: there is none for others until it is free again.
    a.leave();
    EXPECT_EQ(enter(d), verdict::reserved);
}

TEST_F(ClientLimits, each_address_has_its_own_count_and_sockets_without_one_have_none) {
    bounds_ = {100, 0, 2};
    std::vector<place> all(8);
    EXPECT_EQ(enter(all[0]), verdict::welcome);
    EXPECT_EQ(enter(all[1]), verdict::welcome);
    EXPECT_EQ(enter(all[2], true), verdict::address);
    EXPECT_EQ(enter(all[3], false, "10.0.0.2"), verdict::welcome);
    for (std::size_t i = 4; i < 8; ++i)
        EXPECT_EQ(enter(all[i], false, ""), verdict::welcome);
    all[0].leave();
    EXPECT_EQ(enter(all[2]), verdict::welcome);
}

TEST_F(ClientLimits, users_and_databases_are_counted_apart) {
    bounds_.all = 100;
    std::vector<place> all(4);
    for (place& p : all)
        EXPECT_EQ(enter(p), verdict::welcome);
    EXPECT_TRUE(limits_.join_user(all[0], "alice", 1));
    EXPECT_FALSE(limits_.join_user(all[1], "alice", 1));
    EXPECT_TRUE(limits_.join_user(all[1], "shop", 1));
    EXPECT_TRUE(limits_.join_database(all[0], "shop", 1));
    EXPECT_FALSE(limits_.join_database(all[1], "shop", 1));
    EXPECT_TRUE(limits_.join_database(all[2], "other", std::nullopt));
    EXPECT_FALSE(limits_.join_database(all[3], "closed", 0));
    all[0].leave();
    EXPECT_TRUE(limits_.join_user(all[2], "alice", 1));
    EXPECT_TRUE(limits_.join_database(all[1], "shop", 1));
}

TEST(AddressOf, is_the_peer_without_port_and_brackets) {
    EXPECT_EQ(address_of("10.0.0.1:5432"), "10.0.0.1");
    EXPECT_EQ(address_of("[::1]:5432"), "::1");
    EXPECT_EQ(address_of("unix"), "unix");
}

}  // namespace
}  // namespace howdah::proxy
