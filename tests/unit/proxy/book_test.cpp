#include "proxy/pool/book.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace howdah::proxy {
namespace {

using what = pool_book::claim_result::what;

class PoolBook : public ::testing::Test {
protected:
    const server_entry* server(const std::string& host) { return names_.server({host, 5432}); }

    identities names_;
    pool_book book_;
    const server_entry* a_ = server("a");
    const server_entry* b_ = server("b");
    const pool_login* alice_ = names_.login("shop", "alice");
    const pool_login* bob_ = names_.login("shop", "bob");
};

TEST_F(PoolBook, a_limit_of_n_opens_n_connections_and_not_one_more) {
    (void)book_.place({{10, {{a_, 1, 3}}}});
    for (unsigned i = 0; i < 3; ++i) {
        const auto q = book_.enqueue(10, alice_, i, a_);
        ASSERT_TRUE(q.open);
        EXPECT_EQ(q.open->server, a_);
        EXPECT_EQ(q.open->login, alice_);
        EXPECT_EQ(q.open->worker, i);
        EXPECT_EQ(q.open->ticket, q.ticket);
    }
    EXPECT_FALSE(book_.enqueue(10, alice_, 0, a_).open);
    EXPECT_FALSE(book_.enqueue(10, bob_, 0, a_).open);
    EXPECT_EQ(book_.used(a_), 3U);
    EXPECT_EQ(book_.waiting(), 5U);
}

TEST_F(PoolBook, a_server_in_two_hostgroups_has_one_account_with_the_larger_limit) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{a_, 1, 2}}}});
    EXPECT_TRUE(book_.enqueue(10, alice_, 0, a_).open);
    EXPECT_TRUE(book_.enqueue(20, alice_, 0, a_).open);
    EXPECT_FALSE(book_.enqueue(20, alice_, 0, a_).open);
    EXPECT_EQ(book_.used(a_), 2U);
}

TEST_F(PoolBook, a_limit_of_zero_opens_nothing) {
    (void)book_.place({{10, {{a_, 1, 0}}}});
    EXPECT_FALSE(book_.enqueue(10, alice_, 0, a_).open);
    EXPECT_EQ(book_.used(a_), 0U);
}

TEST_F(PoolBook, the_preferred_server_is_taken_while_it_has_a_permit_then_the_emptiest) {
    (void)book_.place({{20, {{a_, 1, 2}, {b_, 1, 5}}}});
    EXPECT_EQ(book_.enqueue(20, alice_, 0, a_).open->server, a_);
    EXPECT_EQ(book_.enqueue(20, alice_, 0, a_).open->server, a_);
    EXPECT_EQ(book_.enqueue(20, alice_, 0, a_).open->server, b_);
    (void)book_.closed(a_);
    (void)book_.closed(a_);
    EXPECT_EQ(book_.enqueue(20, alice_, 0, nullptr).open->server, a_);
}

TEST_F(PoolBook, a_preferred_server_of_another_hostgroup_is_not_used) {
    (void)book_.place({{10, {{a_, 1, 5}}}, {20, {{b_, 1, 5}}}});
    EXPECT_EQ(book_.enqueue(20, alice_, 0, a_).open->server, b_);
    EXPECT_EQ(book_.used(a_), 0U);
}

TEST_F(PoolBook, an_unknown_hostgroup_is_waited_in) {
    (void)book_.place({{10, {{a_, 1, 5}}}});
    EXPECT_FALSE(book_.enqueue(99, alice_, 0, nullptr).open);
    EXPECT_TRUE(book_.anyone_waits_in(99));
    EXPECT_FALSE(book_.anyone_waits_in(10));
}

TEST_F(PoolBook, a_free_connection_that_nobody_wants_is_kept) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto q = book_.enqueue(10, alice_, 0, a_);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::serve);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_FALSE(book_.cancel(q.ticket)) << "served tickets are gone";
    EXPECT_EQ(book_.waiting(), 0U);
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, a_free_connection_serves_the_oldest_ticket_of_its_login_over_all_hostgroups) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{a_, 1, 1}, {b_, 1, 0}}}, {30, {{b_, 1, 0}}}});
    const auto opening = book_.enqueue(10, alice_, 0, a_);
    (void)book_.cancel(opening.ticket);
    const auto elsewhere = book_.enqueue(30, alice_, 1, nullptr);
    const auto first = book_.enqueue(20, alice_, 2, nullptr);
    const auto second = book_.enqueue(10, alice_, 3, nullptr);

    auto claim = book_.claim(a_, alice_);
    EXPECT_EQ(claim.action, what::serve);
    EXPECT_EQ(claim.ticket, first.ticket);
    EXPECT_EQ(claim.worker, 2U);
    claim = book_.claim(a_, alice_);
    EXPECT_EQ(claim.ticket, second.ticket);
    EXPECT_EQ(claim.worker, 3U);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_TRUE(book_.anyone_waits_in(30));
    EXPECT_TRUE(book_.cancel(elsewhere.ticket));
}

TEST_F(PoolBook, a_full_server_replaces_a_free_connection_for_an_older_ticket_of_another_login) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    const auto bob = book_.enqueue(10, bob_, 4, a_);
    const auto alice = book_.enqueue(10, alice_, 5, a_);
    ASSERT_FALSE(bob.open || alice.open);

    const auto claim = book_.claim(a_, alice_);
    EXPECT_EQ(claim.action, what::replace);
    ASSERT_TRUE(claim.open);
    EXPECT_EQ(claim.open->ticket, bob.ticket);
    EXPECT_EQ(claim.open->login, bob_);
    EXPECT_EQ(claim.open->worker, 4U);
    EXPECT_EQ(book_.used(a_), 1U);
    EXPECT_EQ(book_.waiting(), 2U);
}

TEST_F(PoolBook, a_ticket_whose_connection_is_being_opened_does_not_take_another_logins) {
    (void)book_.place({{10, {{a_, 1, 2}}}});
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    ASSERT_TRUE(book_.enqueue(10, bob_, 0, a_).open);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
}

TEST_F(PoolBook, a_ticket_whose_connection_is_being_opened_takes_an_earlier_free_one) {
    (void)book_.place({{10, {{a_, 1, 2}}}});
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    const auto waiting = book_.enqueue(10, alice_, 0, a_);
    ASSERT_TRUE(waiting.open);
    EXPECT_EQ(book_.claim(a_, alice_).ticket, waiting.ticket);
    // Its own connection arrives late and is free.
    book_.opened(waiting.ticket);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_EQ(book_.used(a_), 2U);
}

TEST_F(PoolBook, a_ticket_gets_no_older_connection_of_the_server_that_it_avoids) {
    (void)book_.place({{20, {{a_, 1, 1}, {b_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(20, alice_, 0, a_).ticket);
    const auto waiting = book_.enqueue(20, alice_, 0, b_, a_);
    ASSERT_TRUE(waiting.open);
    EXPECT_EQ(waiting.open->server, b_);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_EQ(book_.claim(b_, alice_).ticket, waiting.ticket);
}

TEST_F(PoolBook, a_ticket_may_get_a_new_connection_of_the_server_that_it_avoids) {
    (void)book_.place({{20, {{a_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(20, alice_, 0, a_).ticket);
    const auto waiting = book_.enqueue(20, alice_, 0, nullptr, a_);
    ASSERT_FALSE(waiting.open);
    const auto claim = book_.claim(a_, alice_);
    EXPECT_EQ(claim.action, what::replace);
    ASSERT_TRUE(claim.open);
    EXPECT_EQ(claim.open->ticket, waiting.ticket);
    book_.opened(waiting.ticket);
    const auto fresh = book_.claim(a_, alice_, true);
    EXPECT_EQ(fresh.action, what::serve);
    EXPECT_EQ(fresh.ticket, waiting.ticket);
}

TEST_F(PoolBook, a_ticket_for_one_server_gets_no_connection_or_permit_of_another) {
    (void)book_.place({{20, {{a_, 1, 1}, {b_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(20, alice_, 0, b_).ticket);
    const auto waiting = book_.enqueue(20, alice_, 0, b_, nullptr, b_);
    EXPECT_FALSE(waiting.open) << "a has a permit, but will not do";
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    const auto behind = book_.enqueue(20, alice_, 0, nullptr);
    EXPECT_EQ(behind.open->server, a_);
    EXPECT_FALSE(book_.order_again(waiting.ticket));
    EXPECT_EQ(book_.claim(a_, alice_).ticket, behind.ticket);
    EXPECT_EQ(book_.closed(b_)->ticket, waiting.ticket);
    EXPECT_EQ(book_.claim(b_, alice_, true).ticket, waiting.ticket);
}

TEST_F(PoolBook, the_permit_of_a_closed_connection_goes_to_the_oldest_waiter_of_any_login) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{a_, 1, 1}}}});
    (void)book_.claim(a_, alice_);
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    const auto first = book_.enqueue(20, bob_, 7, nullptr);
    const auto second = book_.enqueue(10, alice_, 8, nullptr);
    auto order = book_.closed(a_);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->ticket, first.ticket);
    EXPECT_EQ(order->login, bob_);
    EXPECT_EQ(order->worker, 7U);
    order = book_.closed(a_);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->ticket, second.ticket);
    EXPECT_FALSE(book_.closed(a_)) << "both have a connection on its way";
    EXPECT_EQ(book_.used(a_), 0U);
}

TEST_F(PoolBook, a_permit_is_not_given_to_waiters_of_hostgroups_without_the_server) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{b_, 1, 0}}}});
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    (void)book_.enqueue(20, alice_, 0, nullptr);
    EXPECT_FALSE(book_.closed(a_));
}

TEST_F(PoolBook, a_failed_attempt_is_repeated_on_another_server_of_the_hostgroup) {
    (void)book_.place({{20, {{a_, 1, 1}, {b_, 1, 1}}}});
    const auto q = book_.enqueue(20, alice_, 3, a_);
    ASSERT_EQ(q.open->server, a_);
    const auto failure = book_.open_failed(q.ticket, a_);
    EXPECT_TRUE(failure.still_waiting);
    ASSERT_TRUE(failure.retry);
    EXPECT_EQ(failure.retry->server, b_);
    EXPECT_EQ(failure.retry->ticket, q.ticket);
    EXPECT_EQ(failure.retry->worker, 3U);
    EXPECT_FALSE(failure.other);
    EXPECT_EQ(book_.used(a_), 0U);
    EXPECT_EQ(book_.used(b_), 1U);
}

TEST_F(PoolBook, without_another_server_the_ticket_waits_and_orders_again_later) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto q = book_.enqueue(10, alice_, 3, a_);
    const auto failure = book_.open_failed(q.ticket, a_);
    EXPECT_TRUE(failure.still_waiting);
    EXPECT_FALSE(failure.retry);
    EXPECT_EQ(book_.used(a_), 0U);
    const auto again = book_.order_again(q.ticket);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->server, a_);
    EXPECT_EQ(again->ticket, q.ticket);
    EXPECT_EQ(again->worker, 3U);
    EXPECT_EQ(book_.used(a_), 1U);
    EXPECT_FALSE(book_.order_again(q.ticket)) << "one order at a time";
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, a_failed_attempt_for_somebody_who_left_gives_its_permit_to_the_next) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto gone = book_.enqueue(10, alice_, 0, a_);
    const auto next = book_.enqueue(10, bob_, 1, a_);
    EXPECT_TRUE(book_.cancel(gone.ticket));
    const auto failure = book_.open_failed(gone.ticket, a_);
    EXPECT_FALSE(failure.still_waiting);
    EXPECT_FALSE(failure.retry);
    ASSERT_TRUE(failure.other);
    EXPECT_EQ(failure.other->ticket, next.ticket);
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, the_permit_of_a_failed_attempt_that_moves_on_goes_to_somebody_else) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{a_, 1, 1}, {b_, 1, 1}}}});
    const auto reader = book_.enqueue(20, alice_, 0, a_);
    const auto writer = book_.enqueue(10, alice_, 1, a_);
    ASSERT_FALSE(writer.open);
    const auto failure = book_.open_failed(reader.ticket, a_);
    ASSERT_TRUE(failure.retry);
    EXPECT_EQ(failure.retry->server, b_);
    ASSERT_TRUE(failure.other) << "a has a free permit and somebody waits for it";
    EXPECT_EQ(failure.other->ticket, writer.ticket);
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, a_permit_is_not_lost_when_the_ticket_that_failed_with_it_leaves) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto failed = book_.enqueue(10, alice_, 0, a_);
    const auto next = book_.enqueue(10, alice_, 1, a_);
    std::optional<pool_book::open_order> order = book_.open_failed(failed.ticket, a_).other;
    (void)book_.cancel(failed.ticket);
    // Whichever way it comes, the second ticket has its turn.
    if (!order) order = book_.order_again(next.ticket);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->ticket, next.ticket);
}

TEST_F(PoolBook, whoever_waits_behind_a_ticket_that_failed_gets_the_permit) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto failed = book_.enqueue(10, alice_, 0, a_);
    const auto next = book_.enqueue(10, bob_, 1, a_);
    const auto failure = book_.open_failed(failed.ticket, a_);
    EXPECT_TRUE(failure.still_waiting);
    ASSERT_TRUE(failure.other) << "nothing else will ever offer it the permit";
    EXPECT_EQ(failure.other->ticket, next.ticket);
}

TEST_F(PoolBook, order_again_for_a_ticket_that_is_gone_orders_nothing) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    EXPECT_FALSE(book_.order_again(12345));
    EXPECT_EQ(book_.used(a_), 0U);
}

TEST_F(PoolBook, after_its_connection_went_to_somebody_else_a_ticket_may_order_again) {
    (void)book_.place({{10, {{a_, 1, 2}}}});
    const auto first = book_.enqueue(10, alice_, 0, a_);
    const auto second = book_.enqueue(10, alice_, 0, a_);
    // The second connection is there first: it goes to the older ticket.
    book_.opened(second.ticket);
    EXPECT_EQ(book_.claim(a_, alice_).ticket, first.ticket);
    (void)book_.place({{10, {{a_, 1, 3}}}});
    EXPECT_EQ(book_.used(a_), 3U);
    EXPECT_FALSE(book_.order_again(second.ticket)) << "place has ordered for it";
}

TEST_F(PoolBook, a_raised_limit_opens_for_as_many_waiters_as_it_admits_oldest_first) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    std::vector<pool_book::ticket_id> waiting;
    (void)book_.enqueue(10, alice_, 0, a_);
    for (unsigned i = 0; i < 4; ++i)
        waiting.push_back(book_.enqueue(10, alice_, i, a_).ticket);
    const auto orders = book_.place({{10, {{a_, 1, 3}}}});
    ASSERT_EQ(orders.size(), 2U);
    EXPECT_EQ(orders[0].ticket, waiting[0]);
    EXPECT_EQ(orders[1].ticket, waiting[1]);
    EXPECT_EQ(book_.used(a_), 3U);
}

TEST_F(PoolBook, a_lowered_limit_opens_nothing_until_enough_connections_are_gone) {
    (void)book_.place({{10, {{a_, 1, 3}}}});
    for (int i = 0; i < 3; ++i) {
        (void)book_.enqueue(10, alice_, 0, a_);
        EXPECT_EQ(book_.claim(a_, alice_).action, what::serve);
    }
    EXPECT_TRUE(book_.place({{10, {{a_, 1, 1}}}}).empty());
    const auto waiting = book_.enqueue(10, alice_, 0, a_);
    EXPECT_FALSE(waiting.open);
    EXPECT_FALSE(book_.closed(a_));
    EXPECT_FALSE(book_.closed(a_));
    EXPECT_EQ(book_.used(a_), 1U);
    const auto order = book_.closed(a_);
    ASSERT_TRUE(order);
    EXPECT_EQ(order->ticket, waiting.ticket);
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, a_connection_above_a_lowered_limit_is_not_replaced_by_a_new_one) {
    (void)book_.place({{10, {{a_, 1, 2}}}});
    for (int i = 0; i < 2; ++i) {
        (void)book_.enqueue(10, alice_, 0, a_);
        EXPECT_EQ(book_.claim(a_, alice_).action, what::serve);
    }
    (void)book_.place({{10, {{a_, 1, 1}}}});
    (void)book_.enqueue(10, bob_, 0, a_);
    EXPECT_FALSE(book_.claim(a_, alice_).open) << "two connections are open, one is allowed";
}

TEST_F(PoolBook, waiters_of_an_empty_hostgroup_are_served_when_a_server_comes) {
    (void)book_.place({{20, {{a_, 1, 5}, {b_, 1, 5}}}});
    const auto first = book_.enqueue(10, alice_, 1, nullptr);
    const auto second = book_.enqueue(10, bob_, 2, nullptr);
    EXPECT_FALSE(first.open || second.open);
    EXPECT_TRUE(book_.anyone_waits_in(10));
    // A reader is promoted.
    const auto orders = book_.place({{10, {{b_, 1, 5}}}, {20, {{a_, 1, 5}}}});
    ASSERT_EQ(orders.size(), 2U);
    EXPECT_EQ(orders[0].ticket, first.ticket);
    EXPECT_EQ(orders[0].server, b_);
    EXPECT_EQ(orders[0].login, alice_);
    EXPECT_EQ(orders[1].ticket, second.ticket);
    EXPECT_EQ(orders[1].login, bob_);
}

TEST_F(PoolBook, a_free_connection_serves_the_hostgroup_that_its_server_has_moved_to) {
    (void)book_.place({{20, {{b_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(20, alice_, 0, b_).ticket);
    const auto writer = book_.enqueue(10, alice_, 0, nullptr);
    EXPECT_EQ(book_.claim(b_, alice_).action, what::keep);
    EXPECT_TRUE(book_.place({{10, {{b_, 1, 1}}}}).empty()) << "its only permit is in use";
    const auto claim = book_.claim(b_, alice_);
    EXPECT_EQ(claim.action, what::serve);
    EXPECT_EQ(claim.ticket, writer.ticket);
}

TEST_F(PoolBook, a_hostgroup_that_empties_leaves_its_waiters_waiting) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    (void)book_.cancel(book_.enqueue(10, alice_, 0, a_).ticket);
    const auto waiting = book_.enqueue(10, alice_, 0, a_);
    EXPECT_TRUE(book_.place({}).empty());
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_FALSE(book_.closed(a_));
    EXPECT_FALSE(book_.order_again(waiting.ticket));
    EXPECT_EQ(book_.used(a_), 0U);
    EXPECT_EQ(book_.place({{10, {{a_, 1, 1}}}}).size(), 1U);
}

TEST_F(PoolBook, a_permit_on_a_server_that_left_is_returned_when_its_opening_fails) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    const auto q = book_.enqueue(10, alice_, 0, a_);
    EXPECT_TRUE(book_.place({{10, {{b_, 1, 1}}}}).empty()) << "its attempt is under way";
    const auto failure = book_.open_failed(q.ticket, a_);
    ASSERT_TRUE(failure.retry);
    EXPECT_EQ(failure.retry->server, b_);
    EXPECT_EQ(book_.used(a_), 0U);
}

TEST_F(PoolBook, whoever_leaves_is_counted_no_longer_and_not_served) {
    (void)book_.place({{10, {{a_, 1, 0}}}});
    const auto first = book_.enqueue(10, alice_, 0, nullptr);
    const auto second = book_.enqueue(10, alice_, 0, nullptr);
    EXPECT_TRUE(book_.cancel(first.ticket));
    EXPECT_FALSE(book_.cancel(first.ticket));
    EXPECT_EQ(book_.waiting(), 1U);
    const auto orders = book_.place({{10, {{a_, 1, 5}}}});
    ASSERT_EQ(orders.size(), 1U);
    EXPECT_EQ(orders[0].ticket, second.ticket);
    EXPECT_TRUE(book_.cancel(second.ticket));
    EXPECT_FALSE(book_.anyone_waits_in(10));
    EXPECT_EQ(book_.waiting(), 0U);
}

TEST(Identities, equal_servers_and_logins_have_one_address) {
    identities names;
    EXPECT_EQ(names.server({"a", 5432}), names.server({"a", 5432}));
    EXPECT_NE(names.server({"a", 5432}), names.server({"a", 5433}));
    EXPECT_EQ(names.login("d", "u"), names.login("d", "u"));
    EXPECT_NE(names.login("d", "u"), names.login("u", "d"));
    EXPECT_NE(names.server({"a", 5432})->id, names.server({"a", 5433})->id);
    EXPECT_NE(names.login("d", "u")->id, names.login("u", "d")->id);
}

TEST_F(PoolBook, who_needs_a_connection_of_its_own_gets_none_that_was_opened_for_others) {
    (void)book_.place({{10, {{a_, 1, 2}}}});
    EXPECT_FALSE(book_.enqueue(10, alice_, 0, a_).open->own);
    const auto q = book_.enqueue(10, alice_, 1, a_, nullptr, nullptr, true);
    ASSERT_TRUE(q.open);
    EXPECT_TRUE(q.open->own);
    // Alice's first connection is there, and then free: it is not for this ticket.
    EXPECT_EQ(book_.claim(a_, alice_, true).ticket, q.ticket - 1);
    EXPECT_EQ(book_.claim(a_, alice_).action, what::keep);
    EXPECT_TRUE(book_.cancel(q.ticket));
    EXPECT_EQ(book_.used(a_), 2U);
}

TEST_F(PoolBook, a_free_connection_makes_way_for_who_needs_one_of_its_own) {
    (void)book_.place({{10, {{a_, 1, 1}}}});
    EXPECT_TRUE(book_.enqueue(10, alice_, 0, a_).open);
    EXPECT_EQ(book_.claim(a_, alice_, true).action, what::serve);
    const auto q = book_.enqueue(10, alice_, 1, a_, nullptr, nullptr, true);
    EXPECT_FALSE(q.open);
    const auto claim = book_.claim(a_, alice_);
    EXPECT_EQ(claim.action, what::replace);
    ASSERT_TRUE(claim.open);
    EXPECT_TRUE(claim.open->own);
    EXPECT_EQ(claim.open->ticket, q.ticket);
    EXPECT_EQ(book_.used(a_), 1U);
}

TEST_F(PoolBook, a_spare_permit_is_given_up_to_its_own_bound_and_the_servers_limit) {
    (void)book_.place({{10, {{a_, 1, 3}}}});
    EXPECT_TRUE(book_.reserve_spare(a_, 2));
    EXPECT_TRUE(book_.enqueue(10, alice_, 0, a_).open);
    EXPECT_FALSE(book_.reserve_spare(a_, 2));
    EXPECT_TRUE(book_.reserve_spare(a_, 9));
    EXPECT_FALSE(book_.reserve_spare(a_, 9));
    EXPECT_EQ(book_.used(a_), 3U);
    EXPECT_FALSE(book_.closed(a_));
    EXPECT_EQ(book_.used(a_), 2U);
}

TEST_F(PoolBook, an_order_says_for_which_hostgroup_it_is) {
    (void)book_.place({{10, {{a_, 1, 1}}}, {20, {{a_, 1, 1}}}});
    EXPECT_EQ(book_.enqueue(20, alice_, 0, a_).open->hostgroup, 20);
    (void)book_.enqueue(10, alice_, 0, a_);
    EXPECT_EQ(book_.closed(a_)->hostgroup, 10);
}

TEST_F(PoolBook, workers_together_keep_no_more_unused_connections_than_allowed) {
    EXPECT_EQ(book_.surplus(a_, 0, 3, 4), 0U);
    EXPECT_EQ(book_.surplus(a_, 1, 3, 4), 2U) << "who comes second closes";
    EXPECT_EQ(book_.surplus(a_, 0, 3, 4), 0U);
    EXPECT_EQ(book_.surplus(a_, 0, 8, 4), 5U);
    EXPECT_EQ(book_.surplus(a_, 1, 0, 4), 0U);
    EXPECT_EQ(book_.surplus(a_, 0, 3, 0), 3U);
    EXPECT_EQ(book_.surplus(b_, 0, 4, 4), 0U) << "another server is another account";
}

}  // namespace
}  // namespace howdah::proxy
