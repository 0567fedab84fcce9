#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string copy = "COPY t FROM STDIN";

std::string data(const std::string& line) {
    return framed('d', line);
}
std::string done() {
    return framed('c', "");
}
std::string fail() {
    return framed('f', cstr("no more"));
}

class copying : public loopback {
protected:
    void copy_on_writer(int fail_after = 0) {
        writer.on(copy, [fail_after](backend& b) { b.copy_in(fail_after); });
        start();
    }
    /// Another client gets a connection in order.
    void expect_others_are_served() {
        client other = connect();
        EXPECT_EQ(other.ask("INSERT other"), "C(INSERT 0 1) Z(I)");
        EXPECT_EQ(other.send(run("INSERT other") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    }
};

TEST_F(copying, copy_in_by_a_simple_query) {
    copy_on_writer();
    client c = connect();
    c.send(query(copy));
    EXPECT_EQ(c.next(), "G");
    c.send(data("1\n")).send(data("2\n") + done());
    EXPECT_EQ(c.until_ready(), "C(COPY 2) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
}

TEST_F(copying, copy_in_by_the_extended_protocol_with_sync_at_the_end) {
    copy_on_writer();
    client c = connect();
    c.send(run(copy) + flush());
    EXPECT_EQ(c.next(3), "1 2 G");
    c.send(data("1\n") + done() + sync());
    EXPECT_EQ(c.until_ready(), "C(COPY 1) Z(I)");
    expect_others_are_served();
}

TEST_F(copying, copy_in_by_the_extended_protocol_with_an_early_sync) {
    copy_on_writer();
    client c = connect();
    c.send(run(copy) + sync());
    EXPECT_EQ(c.next(3), "1 2 G");
    c.send(data("1\n") + done() + sync());
    EXPECT_EQ(c.until_ready(), "C(COPY 1) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    expect_others_are_served();
}

TEST_F(copying, after_an_early_sync_the_server_is_kept_until_the_last_one) {
    copy_on_writer();
    client c = connect();
    c.send(run(copy) + sync());
    EXPECT_EQ(c.next(3), "1 2 G");
    c.send(data("1\n") + done());
    writer.wait_for("c");
    expect_others_are_served();
    c.send(sync());
    EXPECT_EQ(c.until_ready(), "C(COPY 1) Z(I)");
    EXPECT_EQ(writer.logins(), 2);
    EXPECT_EQ(writer.seen().back(), "1:S");
}

TEST_F(copying, copy_fail_by_either_protocol) {
    copy_on_writer();
    client c = connect();
    c.send(query(copy));
    EXPECT_EQ(c.next(), "G");
    c.send(data("1\n") + fail());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
    for (const bool early : {false, true}) {
        c.send(run(copy) + (early ? sync() : flush()));
        EXPECT_EQ(c.next(3), "1 2 G");
        c.send(data("1\n") + fail() + sync());
        EXPECT_EQ(c.until_ready(), "E(57014) Z(I)") << "early Sync: " << early;
        expect_others_are_served();
    }
}

TEST_F(copying, data_after_an_error_of_a_simple_copy_is_ignored) {
    copy_on_writer(2);
    client c = connect();
    c.send(query(copy));
    EXPECT_EQ(c.next(), "G");
    c.send(data("1\n") + data("2\n"));
    EXPECT_EQ(c.until_ready(), "E(22P04) Z(I)");
    c.send(data("3\n") + data("4\n") + done() + query("INSERT 1"));
    EXPECT_EQ(c.until_ready(), "C(INSERT 0 1) Z(I)");
    expect_others_are_served();
}

TEST_F(copying, data_after_an_error_of_an_extended_copy_is_ignored_up_to_sync) {
    copy_on_writer(2);
    client c = connect();
    c.send(run(copy) + flush());
    EXPECT_EQ(c.next(3), "1 2 G");
    c.send(data("1\n") + data("2\n"));
    EXPECT_EQ(c.next(), "E(22P04)");
    c.send(data("3\n") + done() + sync());
    EXPECT_EQ(c.until_ready(), "Z(I)");
    expect_others_are_served();
}

TEST_F(copying, data_after_an_error_of_a_copy_with_an_early_sync_is_ignored_up_to_sync) {
    copy_on_writer(2);
    client c = connect();
    c.send(run(copy) + sync());
    EXPECT_EQ(c.next(3), "1 2 G");
    c.send(data("1\n") + data("2\n"));
    EXPECT_EQ(c.next(), "E(22P04)");
    expect_others_are_served();
    c.send(data("3\n") + done() + sync());
    EXPECT_EQ(c.until_ready(), "Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    expect_others_are_served();
}

TEST_F(copying, copy_out_is_relayed) {
    writer.on("COPY t TO STDOUT", [](backend& b) {
        b.raw(framed('H', std::string(1, '\0') + i16(1) + i16(0)));
        for (int i = 0; i < 10000; ++i)
            b.raw(data("a line of a copy\n"));
        b.raw(done());
        b.complete("COPY 10000");
    });
    start();
    client c = connect();
    std::string rows;
    for (int i = 0; i < 10000; ++i)
        rows += " d";
    EXPECT_EQ(c.ask("COPY t TO STDOUT"), "H" + rows + " c C(COPY 10000) Z(I)");
    EXPECT_EQ(c.send(run("COPY t TO STDOUT") + sync()).until_ready(),
              "1 2 H" + rows + " c C(COPY 10000) Z(I)");
}

TEST_F(copying, a_client_that_vanishes_in_a_copy_takes_its_connection_with_it) {
    copy_on_writer();
    {
        client c = connect();
        c.send(query(copy));
        EXPECT_EQ(c.next(), "G");
        c.send(data("1\n"));
    }
    writer.wait_for_closed(1);
    expect_others_are_served();
}

}  // namespace
}  // namespace howdah::tests
