#include "proxy/traffic.hpp"

#include <gtest/gtest.h>

namespace howdah::proxy {
namespace {

using kind = traffic_scope::kind;

const traffic_scope everything{};
const traffic_scope shop{kind::database, "shop"};
const traffic_scope alice{kind::user, "alice"};
const traffic_scope first{kind::server, "h1:5432"};
const pool_login alice_in_shop{0, "shop", "alice", {}, {}};
const pool_login alice_in_wiki{1, "wiki", "alice", {}, {}};
const pool_login bob_in_shop{2, "shop", "bob", {}, {}};
const pool_login bob_in_wiki{3, "wiki", "bob", {}, {}};
const server_entry h1{0, {"h1", 5432}};
const server_entry h2{1, {"h2", 5432}};

TEST(TrafficScope, covers_the_clients_and_connections_it_names) {
    EXPECT_TRUE(everything.covers(bob_in_wiki) && everything.covers(bob_in_wiki, h2));
    EXPECT_TRUE(shop.covers(bob_in_shop) && shop.covers(alice_in_shop, h1));
    EXPECT_FALSE(shop.covers(bob_in_wiki) || shop.covers(alice_in_wiki, h1));
    EXPECT_TRUE(alice.covers(alice_in_wiki));
    EXPECT_FALSE(alice.covers(bob_in_wiki));
    EXPECT_TRUE(first.covers(h1) && first.covers(bob_in_wiki, h1));
    EXPECT_FALSE(first.covers(h2) || first.covers(bob_in_wiki, h2) || first.covers(bob_in_wiki));
    EXPECT_FALSE(everything.covers(h1)) << "who pauses everything does not take servers out";
}

TEST(Traffic, a_pause_lasts_until_it_or_everything_is_resumed) {
    traffic t;
    EXPECT_FALSE(t.paused(alice_in_shop));
    EXPECT_FALSE(t.resume(everything));
    EXPECT_TRUE(t.pause(shop));
    EXPECT_FALSE(t.pause(shop));
    EXPECT_TRUE(t.pause(alice));
    EXPECT_TRUE(t.paused(bob_in_shop) && t.paused(alice_in_wiki));
    EXPECT_FALSE(t.paused(bob_in_wiki));
    EXPECT_TRUE(t.resume(shop));
    EXPECT_FALSE(t.resume(shop));
    EXPECT_FALSE(t.paused(bob_in_shop));
    EXPECT_TRUE(t.paused(alice_in_shop));
    EXPECT_TRUE(t.resume(everything));
    EXPECT_FALSE(t.paused(alice_in_shop));
}

TEST(Traffic, a_paused_server_is_nobodys_and_no_login_is_paused) {
    traffic t;
    (void)t.pause(first);
    EXPECT_TRUE(t.paused(h1));
    EXPECT_FALSE(t.paused(h2));
    EXPECT_FALSE(t.paused(alice_in_shop));
    EXPECT_TRUE(t.unwanted(alice_in_shop, h1, {}));
    EXPECT_FALSE(t.unwanted(alice_in_shop, h2, {}));
}

TEST(Traffic, disabling_keeps_logins_out_and_connections_in) {
    traffic t;
    EXPECT_TRUE(t.disable(shop));
    EXPECT_TRUE(t.disabled(bob_in_shop));
    EXPECT_FALSE(t.disabled(bob_in_wiki));
    EXPECT_FALSE(t.paused(bob_in_shop) || t.unwanted(bob_in_shop, h1, {}));
    EXPECT_TRUE(t.enable(shop));
    EXPECT_FALSE(t.disabled(bob_in_shop));
}

TEST(Traffic, connections_from_before_a_renewal_are_unwanted_and_younger_ones_are_not) {
    const auto then = traffic::clock::now();
    const auto later = then + std::chrono::seconds(1);
    traffic t;
    t.renew(shop, later);
    EXPECT_TRUE(t.unwanted(bob_in_shop, h1, then));
    EXPECT_FALSE(t.unwanted(bob_in_shop, h1, later));
    EXPECT_FALSE(t.unwanted(bob_in_wiki, h1, then));
    t.renew(first, later);
    EXPECT_TRUE(t.unwanted(bob_in_wiki, h1, then));
    t.renew(everything, later);
    EXPECT_TRUE(t.unwanted(bob_in_wiki, h2, then));
}

}  // namespace
}  // namespace howdah::proxy
