#include "protocol/wire/reply_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <string>
#include <string_view>

namespace howdah::protocol {
namespace {

using queue = reply_queue<std::string>;
using kind = queue::kind;
using handling = queue::handling;

constexpr std::string_view backend_types = "123ACDEGHINRSTVWZcdnstvK";

/// A queue that writes down what it reports.
struct recorded {
    queue replies;
    std::string done;
    std::string skipped;

    handling feed(char type) {
        return replies.on_message(
            type, [this](queue::entry& e) { done += e.note + ' '; },
            [this](queue::entry& e, bool failed) { skipped += e.note + (failed ? "! " : " "); });
    }
    /// One letter per message: f(orward), s(wallow), !(violation).
    std::string feed_all(std::string_view types) {
        std::string out;
        for (const char type : types) {
            const handling h = feed(type);
            out += h == handling::forward ? 'f' : h == handling::swallow ? 's' : '!';
        }
        return out;
    }
};

struct grammar {
    kind what;
    const char* name;
    std::string_view goes_on;  ///< messages after which more follows
    std::string_view ends;     ///< messages that complete the reply
};
const grammar grammars[] = {
    {kind::query, "query", "TDCIGHWdc", "Z"},
    {kind::parse, "parse", "", "1"},
    {kind::bind, "bind", "", "2"},
    {kind::describe_statement, "describe_statement", "t", "Tn"},
    {kind::describe_portal, "describe_portal", "", "Tn"},
    {kind::execute, "execute", "TDGHWdc", "CIs"},
    {kind::close, "close", "", "3"},
    {kind::sync, "sync", "", "Z"},
    {kind::function_call, "function_call", "V", "Z"},
};

TEST(ReplyQueue, a_new_queue_owes_nothing) {
    recorded q;
    EXPECT_TRUE(q.replies.empty());
    EXPECT_FALSE(q.replies.owed());
    EXPECT_FALSE(q.replies.copy_in());
    EXPECT_FALSE(q.replies.local_at_front());
    EXPECT_EQ(q.replies.size(), 0U);
}

TEST(ReplyQueue, every_kind_is_completed_by_its_last_message_only) {
    for (const grammar& g : grammars) {
        for (const char last : g.ends) {
            SCOPED_TRACE(std::string(g.name) + " ended by " + last);
            recorded q;
            q.replies.expect(g.what, "it");
            for (const char type : g.goes_on) {
                EXPECT_EQ(q.feed(type), handling::forward) << type;
                EXPECT_TRUE(q.replies.owed());
                EXPECT_EQ(q.done, "");
            }
            EXPECT_EQ(q.feed(last), handling::forward);
            EXPECT_EQ(q.done, "it ");
            EXPECT_EQ(q.skipped, "");
            EXPECT_TRUE(q.replies.empty());
            EXPECT_FALSE(q.replies.owed());
            EXPECT_FALSE(q.replies.copy_in());
        }
    }
}

TEST(ReplyQueue, every_kind_refuses_what_its_reply_cannot_contain) {
    for (const grammar& g : grammars) {
        for (const char type : backend_types) {
            if (std::string_view("NSAE").find(type) != std::string_view::npos ||
                g.goes_on.find(type) != std::string_view::npos ||
                g.ends.find(type) != std::string_view::npos)
                continue;
            recorded q;
            q.replies.expect(g.what, "it");
            EXPECT_EQ(q.feed(type), handling::violation) << g.name << " and " << type;
            EXPECT_EQ(q.done, "");
        }
    }
}

TEST(ReplyQueue, without_an_open_reply_only_unsolicited_messages_and_errors_are_valid) {
    for (const char type : backend_types) {
        recorded q;
        const bool valid = std::string_view("NSAE").find(type) != std::string_view::npos;
        EXPECT_EQ(q.feed(type), valid ? handling::forward : handling::violation) << type;
        EXPECT_TRUE(q.replies.empty());
    }
}

TEST(ReplyQueue, notices_parameters_and_notifications_come_between_any_two_messages) {
    for (const grammar& g : grammars) {
        recorded q;
        q.replies.expect(g.what, "it");
        EXPECT_EQ(q.feed_all("NSA"), "fff") << g.name;
        for (const char type : g.goes_on) {
            EXPECT_EQ(q.feed(type), handling::forward) << g.name;
            EXPECT_EQ(q.feed_all("NSA"), "fff") << g.name;
        }
        EXPECT_EQ(q.feed(g.ends.front()), handling::forward) << g.name;
        EXPECT_EQ(q.feed_all("NSA"), "fff") << g.name;
        EXPECT_EQ(q.done, "it ");
    }
}

TEST(ReplyQueue, an_injected_entry_is_swallowed_whole) {
    for (const grammar& g : grammars) {
        recorded q;
        q.replies.expect(g.what, "ours", true);
        for (const char type : g.goes_on)
            EXPECT_EQ(q.feed(type), handling::swallow) << g.name;
        EXPECT_EQ(q.feed_all("NS"), "ss") << g.name;
        EXPECT_EQ(q.feed(g.ends.front()), handling::swallow) << g.name;
        EXPECT_EQ(q.done, "ours ");
        EXPECT_TRUE(q.replies.empty());
    }
}

// It may have been on its way before the injected message reached the server.
TEST(ReplyQueue, a_notification_is_for_the_client_even_while_an_injected_reply_is_awaited) {
    for (const grammar& g : grammars) {
        recorded q;
        q.replies.expect(g.what, "ours", true);
        EXPECT_EQ(q.feed('A'), handling::forward) << g.name;
    }
}

TEST(ReplyQueue, only_the_injected_part_of_a_pipeline_is_swallowed) {
    recorded q;
    q.replies.expect(kind::parse, "injected", true);
    q.replies.expect(kind::close, "evicted", true);
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::execute, "execute");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("132DDCZ"), "ssfffff");
    EXPECT_EQ(q.done, "injected evicted bind execute sync ");
}

TEST(ReplyQueue, a_pipeline_with_several_syncs_is_answered_in_order) {
    recorded q;
    for (const char* n : {"1", "2", "3"}) {
        q.replies.expect(kind::parse, std::string("parse") + n);
        q.replies.expect(kind::describe_statement, std::string("describe") + n);
        q.replies.expect(kind::bind, std::string("bind") + n);
        q.replies.expect(kind::execute, std::string("execute") + n);
        q.replies.expect(kind::sync, std::string("sync") + n);
    }
    q.replies.expect(kind::query, "query");
    EXPECT_EQ(q.feed_all("1tT2DCZ"), "fffffff");
    EXPECT_EQ(q.done, "parse1 describe1 bind1 execute1 sync1 ");
    EXPECT_EQ(q.replies.size(), 11U);
    EXPECT_EQ(q.feed_all("1tn2IZ1tT2DsZ"), "fffffffffffff");
    EXPECT_TRUE(q.replies.owed());
    EXPECT_EQ(q.feed_all("TDCICZ"), "ffffff");
    EXPECT_TRUE(q.replies.empty());
    EXPECT_EQ(q.skipped, "");
}

TEST(ReplyQueue, two_copies_of_one_pipeline_end_each_with_the_client_s_own_end) {
    recorded q;
    for (int i = 0; i < 2; ++i) {
        q.replies.expect(kind::bind, "bind");
        q.replies.expect(kind::execute, "copy");
        q.replies.copy_ended();
        q.replies.expect(kind::sync, "sync");
    }
    EXPECT_EQ(q.feed_all("2G"), "ff");
    EXPECT_FALSE(q.replies.copy_in()) << "the client has ended it already";
    EXPECT_EQ(q.feed_all("CZ2GCZ"), "ffffff");
    EXPECT_EQ(q.done, "bind copy sync bind copy sync ");
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, the_sync_behind_a_message_that_makes_a_copy_fail_is_answered) {
    recorded q;
    for (const kind what : {kind::bind, kind::execute, kind::sync, kind::parse, kind::sync})
        q.replies.expect(what, "x");
    EXPECT_EQ(q.feed_all("2G"), "ff");
    EXPECT_FALSE(q.replies.copy_in()) << "the Parse ends it";
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, a_message_that_comes_during_a_copy_ends_it) {
    recorded q;
    for (const kind what : {kind::bind, kind::execute, kind::sync})
        q.replies.expect(what, "x");
    EXPECT_EQ(q.feed_all("2G"), "ff");
    EXPECT_TRUE(q.replies.copy_in());
    q.replies.expect(kind::parse, "x");
    EXPECT_FALSE(q.replies.copy_in());
    q.replies.expect(kind::sync, "x");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, a_copy_of_a_query_that_the_client_has_ended_already_does_not_eat_later_syncs) {
    recorded q;
    q.replies.expect(kind::query, "copy");
    q.replies.copy_ended();
    EXPECT_EQ(q.feed('G'), handling::forward);
    EXPECT_FALSE(q.replies.copy_in());
}

TEST(ReplyQueue, the_end_of_a_copy_that_was_refused_does_not_end_the_next_one) {
    recorded q;
    q.replies.expect(kind::execute, "refused");
    q.replies.copy_ended();
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    q.replies.expect(kind::execute, "copy");
    EXPECT_EQ(q.feed('G'), handling::forward);
    EXPECT_TRUE(q.replies.copy_in());
}

TEST(ReplyQueue, an_error_skips_to_the_next_sync_and_reports_each_skipped_entry_once) {
    recorded q;
    q.replies.expect(kind::parse, "parse");
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::execute, "execute");
    q.replies.expect(kind::sync, "sync1");
    q.replies.expect(kind::bind, "next");
    q.replies.expect(kind::sync, "sync2");
    EXPECT_EQ(q.feed_all("1E"), "ff");
    EXPECT_EQ(q.done, "parse ");
    EXPECT_EQ(q.skipped, "execute bind! ") << "newest first";
    EXPECT_EQ(q.replies.front().note, "sync1");
    EXPECT_EQ(q.feed_all("Z2Z"), "fff");
    EXPECT_EQ(q.done, "parse sync1 next sync2 ");
    EXPECT_EQ(q.skipped, "execute bind! ") << "newest first";
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, an_error_in_any_extended_reply_cancels_that_reply) {
    for (const grammar& g : grammars) {
        if (g.what == kind::query || g.what == kind::function_call || g.what == kind::sync)
            continue;
        recorded q;
        q.replies.expect(g.what, "it");
        q.replies.expect(kind::sync, "sync");
        for (const char type : g.goes_on)
            if (type != 'G') (void)q.feed(type);
        EXPECT_EQ(q.feed('E'), handling::forward) << g.name;
        EXPECT_EQ(q.skipped, "it! ") << g.name;
        EXPECT_EQ(q.feed('Z'), handling::forward) << g.name;
        EXPECT_EQ(q.done, "sync ") << g.name;
    }
}

TEST(ReplyQueue, a_query_behind_a_failed_extended_message_without_sync_is_skipped_as_well) {
    recorded q;
    q.replies.expect(kind::parse, "parse");
    q.replies.expect(kind::query, "query");
    q.replies.expect(kind::function_call, "call");
    q.replies.expect(kind::local, "local");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_EQ(q.skipped, "local call query parse! ");
    EXPECT_EQ(q.done, "sync ");
    EXPECT_FALSE(q.replies.owed());
}

TEST(ReplyQueue, an_error_before_the_sync_was_sent_leaves_the_queue_empty) {
    recorded q;
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::execute, "execute");
    EXPECT_EQ(q.feed('E'), handling::forward);
    EXPECT_TRUE(q.replies.empty());
    EXPECT_FALSE(q.replies.owed());
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed('Z'), handling::forward);
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, an_error_in_a_query_or_function_call_is_followed_by_its_ready_for_query) {
    for (const kind what : {kind::query, kind::function_call}) {
        recorded q;
        q.replies.expect(what, "first");
        q.replies.expect(kind::query, "second");
        EXPECT_EQ(q.feed('E'), handling::forward);
        EXPECT_EQ(q.skipped, "");
        EXPECT_EQ(q.replies.front().note, "first");
        EXPECT_EQ(q.feed_all("ZTCZ"), "ffff");
        EXPECT_EQ(q.done, "first second ");
    }
}

TEST(ReplyQueue, an_error_that_answers_a_sync_keeps_the_sync_open) {
    recorded q;
    q.replies.expect(kind::execute, "insert");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("CEZ"), "fff");
    EXPECT_EQ(q.done, "insert sync ");
    EXPECT_EQ(q.skipped, "");
}

TEST(ReplyQueue, an_error_to_an_injected_parse_is_shown_to_the_client) {
    recorded q;
    q.replies.expect(kind::parse, "injected", true);
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_EQ(q.skipped, "bind injected! ");
}

TEST(ReplyQueue, an_error_in_an_injected_query_or_sync_stays_hidden) {
    for (const kind what : {kind::query, kind::sync}) {
        recorded q;
        q.replies.expect(what, "ours", true);
        EXPECT_EQ(q.feed_all("EZ"), "ss");
        EXPECT_EQ(q.done, "ours ");
    }
}

TEST(ReplyQueue, a_local_entry_waits_for_its_turn_and_is_owed_by_nobody) {
    recorded q;
    q.replies.expect(kind::parse, "parse");
    q.replies.expect(kind::local, "ours");
    q.replies.expect(kind::sync, "sync");
    EXPECT_FALSE(q.replies.local_at_front());
    EXPECT_EQ(q.feed('1'), handling::forward);
    ASSERT_TRUE(q.replies.local_at_front());
    EXPECT_EQ(q.replies.front().note, "ours");
    q.replies.pop();
    EXPECT_FALSE(q.replies.local_at_front());
    EXPECT_TRUE(q.replies.owed());
    EXPECT_EQ(q.feed('Z'), handling::forward);
    EXPECT_EQ(q.done, "parse sync ");
}

TEST(ReplyQueue, a_queue_of_local_entries_is_not_empty_but_owes_nothing) {
    recorded q;
    q.replies.expect(kind::local, "a");
    q.replies.expect(kind::local, "b");
    EXPECT_FALSE(q.replies.empty());
    EXPECT_FALSE(q.replies.owed());
    EXPECT_EQ(q.feed('Z'), handling::violation);
    EXPECT_EQ(q.feed_all("EN"), "ff");
    q.replies.pop();
    q.replies.pop();
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, an_error_cancels_local_entries_up_to_the_sync) {
    recorded q;
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::local, "before");
    q.replies.expect(kind::sync, "sync");
    q.replies.expect(kind::local, "after");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_EQ(q.skipped, "before bind! ");
    ASSERT_TRUE(q.replies.local_at_front());
    EXPECT_EQ(q.replies.front().note, "after");
    EXPECT_FALSE(q.replies.owed());
}

TEST(ReplyQueue, copy_in_of_a_simple_query_ends_with_its_ready_for_query) {
    recorded q;
    q.replies.expect(kind::query, "copy");
    EXPECT_FALSE(q.replies.copy_in());
    EXPECT_EQ(q.feed('G'), handling::forward);
    EXPECT_TRUE(q.replies.copy_in());
    q.replies.copy_ended();
    EXPECT_FALSE(q.replies.copy_in());
    EXPECT_EQ(q.feed_all("CZ"), "ff");
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, copy_in_of_a_simple_query_keeps_the_queries_behind_it) {
    recorded q;
    q.replies.expect(kind::query, "copy");
    q.replies.expect(kind::query, "next");
    EXPECT_EQ(q.feed_all("GCZTCZ"), "ffffff");
    EXPECT_EQ(q.done, "copy next ");
}

TEST(ReplyQueue, a_failed_copy_in_is_over) {
    for (const kind what : {kind::query, kind::execute}) {
        recorded q;
        q.replies.expect(what, "copy");
        (void)q.feed('G');
        EXPECT_TRUE(q.replies.copy_in());
        EXPECT_EQ(q.feed('E'), handling::forward);
        EXPECT_FALSE(q.replies.copy_in());
    }
}

TEST(ReplyQueue, one_query_may_copy_in_twice) {
    recorded q;
    q.replies.expect(kind::query, "two");
    (void)q.feed('G');
    q.replies.copy_ended();
    EXPECT_EQ(q.feed_all("CG"), "ff");
    EXPECT_TRUE(q.replies.copy_in());
    q.replies.copy_ended();
    EXPECT_EQ(q.feed_all("CZ"), "ff");
}

TEST(ReplyQueue, copy_in_in_the_extended_protocol_voids_the_syncs_under_way) {
    recorded q;
    q.replies.expect(kind::bind, "bind");
    q.replies.expect(kind::execute, "copy");
    q.replies.expect(kind::sync, "void1");
    q.replies.expect(kind::sync, "void2");
    EXPECT_EQ(q.feed_all("2G"), "ff");
    EXPECT_TRUE(q.replies.copy_in());
    EXPECT_EQ(q.replies.size(), 1U);
    q.replies.copy_ended();
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("CZ"), "ff");
    EXPECT_EQ(q.done, "bind copy sync ");
    EXPECT_TRUE(q.replies.empty());
    EXPECT_FALSE(q.replies.owed());
}

TEST(ReplyQueue, copy_in_in_the_extended_protocol_that_fails_waits_for_a_new_sync) {
    recorded q;
    q.replies.expect(kind::execute, "copy");
    q.replies.expect(kind::sync, "void");
    EXPECT_EQ(q.feed_all("GE"), "ff");
    EXPECT_TRUE(q.replies.empty());
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed('Z'), handling::forward);
    EXPECT_EQ(q.done, "sync ");
}

TEST(ReplyQueue, an_execute_that_fails_instead_of_copying_keeps_its_sync) {
    recorded q;
    q.replies.expect(kind::execute, "copy");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("EZ"), "ff");
    EXPECT_EQ(q.done, "sync ");
}

// Legal, if bold: the client does not wait for CopyInResponse. The server ignores the Sync in front
// of CopyDone and answers the one behind it.
TEST(ReplyQueue, a_sync_behind_the_end_of_the_copied_data_counts_even_if_sent_blindly) {
    recorded q;
    q.replies.expect(kind::execute, "copy");
    q.replies.expect(kind::sync, "void");
    q.replies.copy_ended();
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("GCZ"), "fff");
    EXPECT_EQ(q.done, "copy sync ");
    EXPECT_TRUE(q.replies.empty());
}

TEST(ReplyQueue, copy_out_and_copy_both_are_parts_of_a_result) {
    recorded q;
    q.replies.expect(kind::query, "out");
    EXPECT_EQ(q.feed_all("HdddcCZ"), "fffffff");
    q.replies.expect(kind::execute, "out");
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed_all("HdcCZ"), "fffff");
    q.replies.expect(kind::query, "replication");
    EXPECT_EQ(q.feed_all("WddcCZ"), "ffffff");
    EXPECT_TRUE(q.replies.empty());
    EXPECT_FALSE(q.replies.copy_in());
}

TEST(ReplyQueue, clear_forgets_everything) {
    recorded q;
    q.replies.expect(kind::query, "copy");
    (void)q.feed('G');
    q.replies.expect(kind::local, "local");
    q.replies.clear();
    EXPECT_TRUE(q.replies.empty());
    EXPECT_FALSE(q.replies.owed());
    EXPECT_FALSE(q.replies.copy_in());
    q.replies.expect(kind::sync, "sync");
    EXPECT_EQ(q.feed('Z'), handling::forward);
}

TEST(ReplyQueue, shows_the_outstanding_entries_oldest_first) {
    recorded q;
    q.replies.expect(kind::parse, "gone");
    q.replies.expect(kind::bind, "a");
    q.replies.expect(kind::local, "b");
    q.replies.expect(kind::sync, "c");
    (void)q.feed('1');
    std::string seen;
    for (const auto& e : q.replies)
        seen += e.note;
    EXPECT_EQ(seen, "abc");
}

/// Answers requests as PostgreSQL does, with failures where told.
class model_server {
public:
    std::deque<char> wire;

    void simple(std::mt19937& random, bool copy) {
        if (skipping_) return;
        if (copy) {
            say("G");
            copying_ = true;
            extended_copy_ = false;
            return;
        }
        static constexpr std::string_view answers[] = {"TDDCZ",   "IZ",     "EZ",   "TDEZ",
                                                       "CTDCICZ", "HddcCZ", "TDCEZ"};
        say(answers[random() % std::size(answers)]);
    }
    void call(std::mt19937& random) {
        if (!skipping_) say(random() % 4 == 0 ? "EZ" : "VZ");
    }
    void extended(std::string_view answer) {
        if (skipping_) return;
        say(answer);
        skipping_ = answer.back() == 'E';
        if (answer.back() == 'G') copying_ = extended_copy_ = true;
    }
    void sync(bool commit_fails) {
        if (copying_) return;
        if (commit_fails && !skipping_) say("E");
        skipping_ = false;
        say("Z");
    }
    void copy_done(bool fails) {
        if (!copying_) return;
        copying_ = false;
        say(fails ? "E" : "C");
        if (extended_copy_) {
            skipping_ = fails;
        } else {
            say("Z");
        }
    }

private:
    void say(std::string_view types) { wire.insert(wire.end(), types.begin(), types.end()); }

    bool skipping_ = false;
    bool copying_ = false;
    bool extended_copy_ = false;
};

/// A client that pipelines at random and follows the protocol, over a queue and a model server.
class exchange {
public:
    explicit exchange(unsigned seed) : random_(seed) {}

    void run(int steps) {
        for (int i = 0; i < steps && !violated_; ++i) {
            if (roll(2) == 0) {
                deliver();
            } else {
                send();
            }
        }
        // What is begun is brought to an end.
        while (!violated_ && !server_.wire.empty())
            deliver();
        if (q_.copy_in()) end_copy(false);
        if (extended_open_ || skip_) send_sync(false);
        while (!violated_ && !server_.wire.empty())
            deliver();
    }

    [[nodiscard]] bool violated() const { return violated_; }
    [[nodiscard]] const reply_queue<unsigned>& replies() const { return q_; }
    [[nodiscard]] unsigned expected() const { return next_ - 1; }
    [[nodiscard]] unsigned settled() const { return settled_; }
    [[nodiscard]] unsigned voided() const { return voided_; }
    [[nodiscard]] bool ordered() const { return ordered_; }
    [[nodiscard]] bool swallowed_rightly() const { return rightly_; }

private:
    using ids = reply_queue<unsigned>;

    unsigned roll(unsigned n) { return static_cast<unsigned>(random_() % n); }

    void expect(ids::kind what, bool swallow = false) { q_.expect(what, next_++, swallow); }

    void settle(unsigned id) {
        if (id <= last_) ordered_ = false;
        last_ = id;
        ++settled_;
        if (id == awaited_copy_) awaited_copy_ = 0;
    }
    void drain() {
        while (q_.local_at_front()) {
            settle(q_.front().note);
            q_.pop();
        }
    }

    void deliver() {
        drain();
        char type;
        if (roll(6) == 0) {
            type = "NSA"[roll(3)];
        } else {
            if (server_.wire.empty()) return;
            type = server_.wire.front();
            server_.wire.pop_front();
        }
        const bool owed = q_.owed();
        const bool hidden = owed && q_.front().swallow;
        const std::size_t before = q_.size();
        std::vector<unsigned> skipped;
        const auto h = q_.on_message(
            type, [this](ids::entry& e) { settle(e.note); },
            [&](ids::entry& e, bool) { skipped.push_back(e.note); });
        for (auto it = skipped.rbegin(); it != skipped.rend(); ++it)
            settle(*it);
        if (type == 'G') {
            voided_ += static_cast<unsigned>(before - q_.size());
            awaited_copy_ = 0;
        }
        if (h == ids::handling::violation) violated_ = true;
        if (type != 'E' && type != 'A' && (h == ids::handling::swallow) != hidden) rightly_ = false;
        if (type == 'E') {
            // Simple queries bring their own ReadyForQuery; else the client's next Sync ends it.
            const bool extended =
                q_.empty() || (q_.front().what == ids::kind::sync && q_.front().swallow);
            const bool sync_sent = std::any_of(q_.begin(), q_.end(), [](const ids::entry& e) {
                return e.what == ids::kind::sync && !e.swallow;
            });
            if (owed && extended && !sync_sent) skip_ = true;
        }
        drain();
    }

    void end_copy(bool fails) {
        q_.copy_ended();
        server_.copy_done(fails || roll(4) == 0);
    }

    void send_sync(bool ours) {
        expect(ids::kind::sync, ours);
        // An injected Sync follows nothing that could fail to commit.
        server_.sync(!ours && roll(12) == 0);
        if (!ours) extended_open_ = skip_ = false;
    }

    void send_extended(ids::kind what, bool ours, std::initializer_list<std::string_view> answers) {
        expect(what, ours);
        server_.extended(*(answers.begin() + roll(static_cast<unsigned>(answers.size()))));
        extended_open_ = true;
    }

    void send() {
        if (q_.copy_in()) {
            if (roll(3) == 0) end_copy(roll(2) == 0);
            return;
        }
        if (skip_) {
            // Whatever the client sends is dropped until its Sync.
            if (roll(3) == 0) send_sync(false);
            return;
        }
        if (awaited_copy_ != 0) {
            if (extended_open_ && roll(8) == 0) {
                expect(ids::kind::sync);
                server_.sync(false);
            }
            return;
        }
        switch (roll(14)) {
            case 0:
            case 1:
                if (extended_open_) return;
                if (roll(4) == 0) awaited_copy_ = next_;
                expect(ids::kind::query);
                server_.simple(random_, awaited_copy_ != 0);
                break;
            case 2:
                if (extended_open_) return;
                expect(ids::kind::function_call);
                server_.call(random_);
                break;
            case 3:
                send_extended(ids::kind::parse, roll(2) == 0, {"1", "1", "1", "E"});
                break;
            case 4:
                send_extended(ids::kind::bind, false, {"2", "2", "2", "E"});
                break;
            case 5:
                send_extended(ids::kind::describe_statement, false, {"tT", "tn", "E", "tT"});
                break;
            case 6:
                send_extended(ids::kind::describe_portal, false, {"T", "n", "E", "T"});
                break;
            case 7:
            case 8:
                send_extended(ids::kind::execute, false,
                              {"DDC", "I", "Ds", "HddcC", "C", "DE", "E", "C"});
                break;
            case 9:
                send_extended(ids::kind::close, roll(2) == 0, {"3"});
                break;
            case 10:
                if (!q_.empty()) expect(ids::kind::local);
                break;
            case 11:
                awaited_copy_ = next_;
                send_extended(ids::kind::execute, false, {"G", "G", "E"});
                break;
            case 12:
                send_sync(roll(4) == 0);
                break;
            default:
                send_sync(false);
                break;
        }
    }

    std::mt19937 random_;
    ids q_;
    model_server server_;
    unsigned next_ = 1;
    unsigned last_ = 0;
    unsigned settled_ = 0;
    unsigned voided_ = 0;
    bool ordered_ = true;
    bool rightly_ = true;
    bool violated_ = false;
    bool skip_ = false;           // an error was shown: nothing counts until the client's Sync
    bool extended_open_ = false;  // extended messages were sent that no Sync has followed
    unsigned awaited_copy_ = 0;   // its CopyInResponse or failure is awaited
};

TEST(ReplyQueueProperty, valid_exchanges_never_are_violations_and_end_in_sync) {
    unsigned requests = 0;
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        exchange x(seed);
        x.run(300);
        ASSERT_FALSE(x.violated());
        ASSERT_TRUE(x.replies().empty());
        ASSERT_FALSE(x.replies().owed());
        ASSERT_FALSE(x.replies().copy_in());
        // Every entry was completed, skipped, answered here or voided by a COPY; once, in order.
        ASSERT_TRUE(x.ordered());
        ASSERT_EQ(x.settled() + x.voided(), x.expected());
        ASSERT_TRUE(x.swallowed_rightly());
        requests += x.expected();
    }
    EXPECT_GT(requests, 100000U);
}

}  // namespace
}  // namespace howdah::protocol
