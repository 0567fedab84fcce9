#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;

const std::string answer_of_writer =
    framed('T', i16(1) + cstr("c") + i32(0) + i16(0) + i32(25) + i16(-1) + i32(-1) + i16(0)) +
    framed('D', i16(1) + i32(6) + "writer") + framed('C', cstr("SELECT 1")) + framed('Z', "I");

const std::string rows_of_extended = "D(writer) C(SELECT 1)";

TEST_F(loopback, a_simple_query_and_its_answer_are_relayed_byte_for_byte) {
    start();
    client c = connect();
    c.send(query("SELECT 'x'"));
    EXPECT_EQ(c.bytes(answer_of_writer.size()), answer_of_writer);
    EXPECT_EQ(writer.seen(), (strings{"1:Q SELECT 'x'"}));
}

TEST_F(loopback, client_messages_may_be_cut_at_every_offset) {
    start();
    client c = connect();
    const std::string batch = query("SELECT 1") + parse("s", "INSERT INTO t VALUES (1)") +
                              bind("", "s") + describe('P', "") + execute("") + sync() +
                              close('S', "s") + sync();
    const std::string answer = "T D(writer) C(SELECT 1) Z(I) 1 2 T C(INSERT 0 1) Z(I) 3 Z(I)";
    for (std::size_t at = 0; at <= batch.size(); ++at) {
        ASSERT_TRUE(c.link().send_cut(batch, at));
        ASSERT_EQ(c.until_ready(3), answer) << "cut at " << at;
    }
    EXPECT_EQ(writer.count("Q SELECT 1"), static_cast<int>(batch.size()) + 1);
}

TEST_F(loopback, server_messages_may_be_cut_at_every_offset) {
    std::string scripted;
    protocol::append_notice(scripted, protocol::severity::notice, "00000", "note");
    protocol::append_parameter_status(scripted, "TimeZone", "UTC");
    scripted += answer_of_writer.substr(0, answer_of_writer.size() - 6);
    writer.on("SELECT cut", [&](backend& b) { b.raw(scripted); });
    start();
    client c = connect();
    const std::size_t size = scripted.size() + 6;
    for (std::size_t at = 1; at < size; ++at) {
        writer.cut_at(at);
        c.send(query("SELECT cut"));
        ASSERT_EQ(c.bytes(size), scripted + framed('Z', "I")) << "cut at " << at;
    }
}

TEST_F(loopback, an_error_may_be_cut_at_every_offset) {
    start();
    client c = connect();
    for (std::size_t at = 1; at < 60; ++at) {
        writer.cut_at(at);
        ASSERT_EQ(c.ask("FAIL"), "E(22012) Z(I)") << "cut at " << at;
        ASSERT_EQ(c.send(run("FAIL") + sync()).until_ready(), "1 2 E(22012) Z(I)")
            << "cut at " << at;
    }
}

TEST_F(loopback, pipelined_batches_with_their_own_sync_are_answered_in_order) {
    start();
    client c = connect();
    c.send(run("INSERT 1") + sync() + run("FAIL") + sync() + sync() + query("INSERT 2") +
           run("INSERT 3") + sync());
    EXPECT_EQ(c.until_ready(5),
              "1 2 C(INSERT 0 1) Z(I) 1 2 E(22012) Z(I) Z(I) C(INSERT 0 1) Z(I) "
              "1 2 C(INSERT 0 1) Z(I)");
}

TEST_F(loopback, statements_before_a_malformed_message_in_the_same_packet_leave_their_server_free) {
    start({.variables = "", .user = "", .more_users = "", .threads = 1, .max_connections = 1});
    client c = connect();
    // The server is in place, so that all is read at once.
    (void)c.ask("BEGIN");
    c.send(query("COMMIT") + run("INSERT 1") + sync() + std::string("Q\0\0\0\1", 5));
    (void)c.until_closed();
    client other = connect();
    EXPECT_EQ(other.ask("INSERT 2"), "C(INSERT 0 1) Z(I)");
    EXPECT_EQ(writer.count("P |INSERT 1"), 1);
}

TEST_F(loopback, an_error_in_a_pipeline_skips_everything_up_to_sync) {
    start();
    client c = connect();
    c.send(run("INSERT 1") + run("FAIL") + run("INSERT 2") + parse("late", "SELECT 1") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 C(INSERT 0 1) 1 2 E(22012) Z(I)");
    // A name from the part that was skipped was never taken.
    EXPECT_EQ(c.send(bind("", "late") + sync()).until_ready(), "E(26000) Z(I)");
    EXPECT_EQ(c.send(parse("late", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
}

TEST_F(loopback, messages_after_an_error_are_ignored_even_when_they_come_later) {
    start();
    client c = connect();
    c.send(run("FAIL") + flush());
    EXPECT_EQ(c.next(3), "1 2 E(22012)");
    c.send(run("INSERT 1") + query("INSERT 2"));
    c.send(sync());
    EXPECT_EQ(c.until_ready(), "Z(I)");
    EXPECT_EQ(c.ask("INSERT 3"), "C(INSERT 0 1) Z(I)");
}

TEST_F(loopback, notices_and_parameter_changes_between_rows_reach_the_client_in_order) {
    writer.on("SELECT noisy()", [](backend& b) {
        std::string notice;
        protocol::append_notice(notice, protocol::severity::warning, "01000", "careful");
        b.row("one");
        b.raw(notice);
        std::string status;
        protocol::append_parameter_status(status, "TimeZone", "Asia/Tokyo");
        b.raw(status);
        b.raw(framed('D', i16(1) + i32(3) + "two"));
        b.complete("SELECT 2");
    });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("SELECT noisy()"),
              "T D(one) N(01000) S(TimeZone=Asia/Tokyo) D(two) C(SELECT 2) Z(I)");
}

TEST_F(loopback, what_follows_ready_for_query_in_one_segment_reaches_a_pinned_client) {
    start();
    writer.on("LISTEN news", [](backend& b) {
        b.complete("LISTEN");
        b.raw(framed('Z', "I") + framed('A', i32(1) + cstr("news") + cstr("now")));
        b.flush();
        // The end of this answer is sent already; what comes is the question whether it listens.
        (void)b.link().next();
        b.row("4");
        b.complete("SELECT 1");
    });
    client c = connect();
    EXPECT_EQ(c.ask("LISTEN news"), "C(LISTEN) Z(I)");
    EXPECT_EQ(c.next(), "A(news)");
}

TEST_F(loopback, a_function_call_is_relayed) {
    start();
    client c = connect();
    c.send(framed('F', i32(1) + i16(0) + i16(0) + i16(0)));
    EXPECT_EQ(c.until_ready(), "V Z(I)");
}

TEST_F(loopback, an_empty_query_is_relayed) {
    writer.on("", [](backend& b) { b.raw(framed('I', "")); });
    start();
    client c = connect();
    EXPECT_EQ(c.ask(""), "I Z(I)");
}

TEST_F(loopback, a_50_mb_row_streams_and_the_server_is_slowed_down_by_a_slow_client) {
    const std::string big(50 << 20, 'x');
    event& blocked = make_event();
    event& finished = make_event();
    writer.on("SELECT big()", [&](backend& b) {
        b.row("first");
        b.raw(framed('D', i16(1) + i32(static_cast<std::int64_t>(big.size())) + big));
        b.link().send_buffer(1 << 16);
        if (b.link().send_reporting(std::exchange(b.buffer(), {}), [&] { blocked.set(); }))
            finished.set();
        b.complete("SELECT 2");
    });
    start();
    client c = connect();
    c.link().receive_buffer(1 << 16);
    c.send(query("SELECT big()"));
    blocked.wait();
    EXPECT_FALSE(finished.is_set()) << "the proxy took it all into memory";
    EXPECT_EQ(c.next(2), "T D(first)");
    const auto m = c.link().next();
    ASSERT_TRUE(m);
    EXPECT_EQ(m->body.size(), big.size() + 6);
    EXPECT_TRUE(m->body.ends_with(big));
    EXPECT_EQ(c.until_ready(), "C(SELECT 2) Z(I)");
}

TEST_F(loopback, a_50_mb_parameter_streams_and_the_client_is_slowed_down_by_a_slow_server) {
    event& resume = make_event();
    writer.on("INSERT wait", [&](backend& b) {
        b.link().receive_buffer(1 << 16);
        b.complete("INSERT 0 1");
        b.flush();
        resume.wait();
    });
    start();
    client c = connect();
    c.link().send_buffer(1 << 16);
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    c.send(query("INSERT wait"));
    EXPECT_EQ(c.next(), "C(INSERT 0 1)");
    const std::string big(50 << 20, 'y');
    const std::string value = i16(0) + i16(1) + i32(static_cast<std::int64_t>(big.size())) + big;
    const std::string batch = parse("", "INSERT $1") +
                              framed('B', cstr("") + cstr("") + value + i16(0)) + execute("") +
                              sync();
    bool was_blocked = false;
    c.link().send_reporting(batch, [&] {
        was_blocked = true;
        resume.set();
    });
    EXPECT_TRUE(was_blocked) << "the proxy took it all into memory";
    EXPECT_EQ(c.until_ready(2), "Z(T) 1 2 C(INSERT 0 1) Z(T)");
    EXPECT_EQ(writer.bytes_received(), value.size() + 4);
}

struct malformed {
    const char* what;
    std::string bytes;
};

TEST_F(loopback, what_is_no_message_ends_its_client_with_08P01_and_nobody_else) {
    const malformed cases[] = {
        {"unknown type", framed('q', "")},
        {"type 0", framed('\0', "")},
        {"length 3", std::string("Q\0\0\0\3", 5)},
        {"negative length", std::string("Q\xff\xff\xff\xff", 5)},
        {"a password now", framed('p', cstr("secret"))},
        {"a large Sync", framed('S', std::string(20000, 'x'))},
    };
    start();
    client witness = connect();
    for (const malformed& one : cases) {
        client c = connect();
        c.send(one.bytes);
        const std::string said = c.until_closed();
        EXPECT_TRUE(said.ends_with("E(08P01) closed")) << one.what << ": " << said;
        ASSERT_EQ(witness.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)") << one.what;
    }
}

TEST_F(loopback, a_malformed_message_is_the_servers_to_refuse_and_the_client_goes_on) {
    const malformed cases[] = {
        {"query without its end", framed('Q', "SELECT 1")},
        {"bytes behind the query", framed('Q', cstr("SELECT 1") + "x")},
        {"parse without types", framed('P', cstr("") + cstr("SELECT 1")) + sync()},
        {"bind without names", framed('B', "abc") + sync()},
        {"describe of nothing", framed('D', "X" + cstr("")) + sync()},
        {"close of nothing", framed('C', "X" + cstr("")) + sync()},
        {"execute without a count", framed('E', cstr("")) + bind("", "") + sync()},
    };
    start();
    client c = connect();
    client witness = connect();
    for (const malformed& one : cases) {
        EXPECT_EQ(c.send(one.bytes).until_ready(), "E(08P01) Z(I)") << one.what;
        EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)") << one.what;
        EXPECT_EQ(witness.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)") << one.what;
    }
    EXPECT_EQ(writer.logins(), 1);
}

TEST_F(loopback, a_malformed_message_behind_a_good_one_leaves_nothing_for_other_clients) {
    start();
    client witness = connect();
    for (int i = 0; i < 3; ++i) {
        client c = connect();
        c.send(query("INSERT lost") + framed('q', ""));
        EXPECT_EQ(c.until_closed().substr(0, 8), "E(08P01)");
        ASSERT_EQ(witness.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
    }
    for (const std::string& line : writer.seen())
        EXPECT_TRUE(line.find("malformed") == std::string::npos) << line;
}

TEST_F(loopback, terminate_right_behind_a_query_leaves_nothing_for_other_clients) {
    start();
    client witness = connect();
    for (int i = 0; i < 3; ++i) {
        client c = connect();
        c.send(query("INSERT and go") + terminate());
        (void)c.until_closed();
        ASSERT_EQ(witness.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(I)");
        ASSERT_EQ(witness.ask("INSERT 2"), "C(INSERT 0 1) Z(I)");
    }
}

TEST_F(loopback, a_query_with_terminate_right_behind_it_is_still_run) {
    start();
    client c = connect();
    c.send(query("INSERT and go") + terminate());
    (void)c.until_closed();
    writer.wait_for("Q INSERT and go");
}

}  // namespace
}  // namespace howdah::tests
