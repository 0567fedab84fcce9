#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "proxy/pool/book.hpp"

namespace howdah::proxy {
namespace {

/// Workers and connections around a pool_book, without sockets: does what proxy::pool does with
/// the book's decisions, in one thread and in random order.
class simulation {
public:
    simulation(unsigned seed, bool failures) : random_(seed), failures_(failures) {
        for (const char* host : {"a", "b", "c"})
            servers_.push_back(names_.server({host, 5432}));
        for (const char* user : {"x", "y"})
            logins_.push_back(names_.login("d", user));
        place();
    }

    void step() {
        switch (roll(failures_ ? 12 : 10)) {
            case 0:
            case 1:
            case 2:
                request();
                break;
            case 3:
            case 4:
                finish_opening();
                break;
            case 5:
            case 6:
                give_back(roll(8) == 0);
                break;
            case 7:
                if (roll(4) == 0) leave();
                break;
            case 8:
                if (roll(10) == 0) place();
                break;
            case 9:
                order_again();
                break;
            default:
                fail_opening();
                break;
        }
        check();
    }

    void drain() {
        // Nothing new comes and all attempts succeed: everybody is served in the end.
        for (int i = 0; i < 4000 && book_.waiting() > 0; ++i) {
            finish_opening();
            order_again();
            give_back(false);
            check();
        }
    }

    /// Tickets whose hostgroup has a server.
    [[nodiscard]] std::size_t neglected() const {
        return static_cast<std::size_t>(std::count_if(
            waiters_.begin(), waiters_.end(),
            [this](const auto& item) { return placement_.contains(item.second.hostgroup); }));
    }
    [[nodiscard]] std::size_t served() const { return served_; }

private:
    enum class condition { opening, busy, idle };
    struct connection {
        const server_entry* server;
        const pool_login* login;
        condition state;
        pool_book::ticket_id ticket;
    };
    struct waiter {
        int hostgroup;
        const pool_login* login;
        const server_entry* avoid;
    };

    unsigned roll(unsigned n) { return static_cast<unsigned>(random_() % n); }

    bool stands_in(const server_entry* server, int hostgroup) const {
        const auto it = placement_.find(hostgroup);
        return it != placement_.end() &&
               std::any_of(it->second.begin(), it->second.end(),
                           [&](const auto& c) { return c.server == server; });
    }
    bool usable(const server_entry* server) const {
        return stands_in(server, 10) || stands_in(server, 20);
    }
    std::uint32_t limit_of(const server_entry* server) const {
        std::uint32_t limit = 0;
        for (const auto& [hostgroup, candidates] : placement_)
            for (const auto& c : candidates)
                if (c.server == server) limit = std::max(limit, c.max_connections);
        return limit;
    }
    std::uint32_t count_on(const server_entry* server) const {
        return static_cast<std::uint32_t>(
            std::count_if(connections_.begin(), connections_.end(),
                          [&](const connection& c) { return c.server == server; }));
    }

    static bool suits(const waiter& w, const connection& c, bool just_opened) {
        return w.login == c.login && (just_opened || w.avoid != c.server);
    }

    void carry_out(const pool_book::open_order& order) {
        EXPECT_TRUE(waiters_.contains(order.ticket));
        EXPECT_EQ(waiters_.at(order.ticket).login, order.login);
        EXPECT_TRUE(stands_in(order.server, waiters_.at(order.ticket).hostgroup));
        connections_.push_back({order.server, order.login, condition::opening, order.ticket});
        EXPECT_LE(count_on(order.server), limit_of(order.server));
    }
    void carry_out(const std::vector<pool_book::open_order>& orders) {
        for (const auto& order : orders)
            carry_out(order);
    }

    void request() {
        const int hostgroup = roll(2) == 0 ? 10 : 20;
        const pool_login* login = logins_[roll(2)];
        const server_entry* avoid = roll(4) == 0 ? servers_[roll(3)] : nullptr;
        if (!book_.anyone_waits_in(hostgroup)) {
            for (connection& c : connections_) {
                if (c.state != condition::idle || c.login != login ||
                    !stands_in(c.server, hostgroup) || c.server == avoid)
                    continue;
                c.state = condition::busy;
                return;
            }
        }
        const server_entry* preferred = servers_[roll(3)];
        const auto q = book_.enqueue(hostgroup, login, 0, preferred, avoid);
        waiters_.emplace(q.ticket, waiter{hostgroup, login, avoid});
        if (q.open) carry_out(*q.open);
        offer_idle();
    }

    void offer_idle() {
        for (bool again = true; again;) {
            again = false;
            for (std::size_t i = 0; i < connections_.size() && !again; ++i)
                again = connections_[i].state == condition::idle && pass_on(i);
        }
    }

    /// True: the connection has gone to somebody.
    bool pass_on(std::size_t i, bool just_opened = false) {
        const connection c = connections_[i];
        const auto claim = book_.claim(c.server, c.login, just_opened);
        switch (claim.action) {
            case pool_book::claim_result::what::keep:
                return false;
            case pool_book::claim_result::what::serve:
                expect_oldest(claim.ticket, c, just_opened);
                waiters_.erase(claim.ticket);
                retry_.erase(claim.ticket);
                ++served_;
                connections_[i].state = condition::busy;
                return true;
            case pool_book::claim_result::what::replace:
                connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
                if (claim.open) carry_out(*claim.open);
                return true;
        }
        return false;
    }

    void expect_oldest(pool_book::ticket_id served, const connection& c, bool just_opened) {
        ASSERT_TRUE(waiters_.contains(served));
        EXPECT_TRUE(suits(waiters_.at(served), c, just_opened));
        EXPECT_TRUE(stands_in(c.server, waiters_.at(served).hostgroup));
        for (const auto& [ticket, w] : waiters_) {
            if (!suits(w, c, just_opened) || !stands_in(c.server, w.hostgroup)) continue;
            EXPECT_GE(ticket, served);
        }
    }

    void release(std::size_t i, bool just_opened = false) {
        connections_[i].state = condition::idle;
        if (!usable(connections_[i].server)) {
            close(i);
        } else {
            (void)pass_on(i, just_opened);
        }
    }
    void close(std::size_t i) {
        const server_entry* server = connections_[i].server;
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
        if (const auto order = book_.closed(server)) carry_out(*order);
    }

    std::vector<std::size_t> all(condition state) const {
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < connections_.size(); ++i)
            if (connections_[i].state == state) found.push_back(i);
        return found;
    }

    void finish_opening() {
        const auto opening = all(condition::opening);
        if (opening.empty()) return;
        const std::size_t i = opening[roll(static_cast<unsigned>(opening.size()))];
        const auto ticket = connections_[i].ticket;
        book_.opened(ticket);
        release(i, true);
        // Somebody older took it.
        if (const auto order = book_.order_again(ticket)) carry_out(*order);
    }

    void fail_opening() {
        const auto opening = all(condition::opening);
        if (opening.empty()) return;
        const std::size_t i = opening[roll(static_cast<unsigned>(opening.size()))];
        const connection failed = connections_[i];
        connections_.erase(connections_.begin() + static_cast<std::ptrdiff_t>(i));
        const auto result = book_.open_failed(failed.ticket, failed.server);
        EXPECT_EQ(result.still_waiting, waiters_.contains(failed.ticket));
        if (result.other) carry_out(*result.other);
        if (!result.still_waiting) return;
        if (result.retry) {
            EXPECT_NE(result.retry->server, failed.server);
            carry_out(*result.retry);
        } else {
            retry_.insert(failed.ticket);
        }
    }

    void order_again() {
        const std::set<pool_book::ticket_id> due = std::exchange(retry_, {});
        for (const auto ticket : due) {
            if (!waiters_.contains(ticket)) continue;
            if (const auto order = book_.order_again(ticket)) {
                carry_out(*order);
            } else {
                retry_.insert(ticket);
            }
        }
    }

    void give_back(bool broken) {
        const auto busy = all(condition::busy);
        if (busy.empty()) return;
        const std::size_t i = busy[roll(static_cast<unsigned>(busy.size()))];
        if (broken) {
            close(i);
        } else {
            release(i);
        }
    }

    void leave() {
        if (waiters_.empty()) return;
        const auto it = std::next(waiters_.begin(), roll(static_cast<unsigned>(waiters_.size())));
        EXPECT_TRUE(book_.cancel(it->first));
        retry_.erase(it->first);
        waiters_.erase(it);
    }

    void place() {
        placement_.clear();
        for (const server_entry* s : servers_) {
            const auto limit = static_cast<std::uint32_t>(1 + roll(3));
            if (roll(3) != 0) placement_[10].push_back({s, 1, limit});
            if (roll(3) != 0) placement_[20].push_back({s, 1, limit});
        }
        carry_out(book_.place(placement_));
        offer_idle();
    }

    void check() {
        ASSERT_EQ(book_.waiting(), waiters_.size());
        for (const server_entry* s : servers_)
            ASSERT_EQ(book_.used(s), count_on(s)) << s->at.host;
        for (const auto& [ticket, w] : waiters_) {
            bool ordered = retry_.contains(ticket);
            for (const connection& c : connections_) {
                if (c.state == condition::opening && c.ticket == ticket) ordered = true;
                ASSERT_FALSE(c.state == condition::idle && suits(w, c, false) &&
                             stands_in(c.server, w.hostgroup))
                    << "ticket " << ticket << " waits beside a free connection";
            }
            if (ordered) continue;
            for (const server_entry* s : servers_) {
                if (!stands_in(s, w.hostgroup)) continue;
                ASSERT_GE(book_.used(s), limit_of(s))
                    << "ticket " << ticket << " waits although " << s->at.host << " has a permit";
            }
        }
    }

    std::mt19937 random_;
    bool failures_;
    identities names_;
    pool_book book_;
    std::vector<const server_entry*> servers_;
    std::vector<const pool_login*> logins_;
    pool_book::placement placement_;
    std::vector<connection> connections_;
    std::map<pool_book::ticket_id, waiter> waiters_;
    std::set<pool_book::ticket_id> retry_;
    std::size_t served_ = 0;
};

void run(bool failures) {
    std::size_t served = 0;
    for (unsigned seed = 1; seed <= 100; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        simulation s(seed, failures);
        for (int i = 0; i < 400; ++i) {
            s.step();
            if (::testing::Test::HasFailure()) FAIL() << "at step " << i;
        }
        s.drain();
        if (::testing::Test::HasFailure()) FAIL() << "at the end";
        ASSERT_EQ(s.neglected(), 0U);
        served += s.served();
    }
    EXPECT_GT(served, 3000U);
}

TEST(PoolBookProperty, limits_hold_and_nobody_waits_in_vain) {
    run(false);
}
TEST(PoolBookProperty, limits_hold_and_nobody_waits_in_vain_while_attempts_fail) {
    run(true);
}

}  // namespace
}  // namespace howdah::proxy
