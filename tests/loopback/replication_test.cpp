#include "protocol/wire/startup.hpp"
#include "proxy/session/replication_relay.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string start_streaming = "START_REPLICATION 0/0";

std::string copy_both() {
    return framed('W', std::string(1, '\0') + i16(0));
}
std::string data(const std::string& text) {
    return framed('d', text);
}

class replicating : public loopback {
protected:
    /// A client that has asked for a replication connection and got one.
    client connect_walsender(const client::parameters& more = {}) {
        client::parameters all{{"replication", "true"}};
        all.insert(all.end(), more.begin(), more.end());
        return connect(all);
    }
    /// Answers START_REPLICATION by what `stream` does behind CopyBothResponse.
    void stream_by(fake_server::script stream) {
        writer.on(start_streaming, [stream](backend& b) {
            b.raw(copy_both());
            b.flush();
            stream(b);
        });
    }
    static void expect_streaming(client& c) {
        c.send(query(start_streaming));
        EXPECT_EQ(c.next(), "W");
    }
};

proxy_setup with(const std::string& variables, int max_connections = 80) {
    proxy_setup setup;
    setup.variables = variables;
    setup.max_connections = max_connections;
    return setup;
}

TEST(AsksForReplication, as_postgresql_reads_the_parameter) {
    using proxy::asks_for_replication;
    for (const char* yes : {"true", "TRUE", "t", "1", "on", "yes", "y", "database"})
        EXPECT_EQ(asks_for_replication(yes), true) << yes;
    for (const char* no : {"false", "f", "0", "off", "of", "no", "N"})
        EXPECT_EQ(asks_for_replication(no), false) << no;
    for (const char* neither : {"", "o", "Database", "physical", "2", "truest"})
        EXPECT_EQ(asks_for_replication(neither), std::nullopt) << neither;
}

TEST_F(replicating, the_server_gets_the_start_up_parameters_as_the_client_sent_them) {
    writer.parameter("server_version", "17.0");
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {{"database", "shop"},
                                 {"replication", "database"},
                                 {"application_name", "sub1"},
                                 {"options", "-c work_mem=1MB"}}),
              "R K Z(I)");
    EXPECT_NE(c.parameter_list().find("S(server_version=17.0)"), std::string::npos);
    const std::map<std::string, std::string> expected{{"user", "alice"},
                                                      {"database", "shop"},
                                                      {"replication", "database"},
                                                      {"application_name", "sub1"},
                                                      {"options", "-c work_mem=1MB"}};
    EXPECT_EQ(writer.startup(), expected);
    // Nothing else was said, no setting was replayed.
    EXPECT_EQ(c.ask("IDENTIFY_SYSTEM"), "T D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(writer.seen(), std::vector<std::string>{"1:Q IDENTIFY_SYSTEM"});
}

TEST_F(replicating, a_value_that_postgresql_does_not_know_is_refused_in_its_words) {
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {{"replication", "perhaps"}}), "E(22023) closed");
    EXPECT_EQ(c.error_text(), "invalid value for parameter \"replication\": \"perhaps\"");
    EXPECT_EQ(writer.logins(), 0);
}

TEST_F(replicating, replication_switched_off_is_an_ordinary_client) {
    start();
    client c = connect({{"replication", "off"}});
    EXPECT_EQ(c.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    EXPECT_FALSE(writer.startup().contains("replication"));
}

TEST_F(replicating, both_sides_talk_at_once_after_copy_both) {
    event& heard = make_event();
    stream_by([&](backend& b) {
        b.raw(data("w1") + data("w2"));
        b.flush();
        for (const char* expected : {"status 1", "status 2"})
            if (const auto m = b.link().next(); !m || m->body != expected) return b.close();
        heard.set();
        b.raw(data("w3"));
        b.flush();
        (void)b.link().next();
        b.raw(framed('c', ""));
        b.complete("COPY 0");
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    EXPECT_EQ(c.bytes(14), data("w1") + data("w2"));
    c.send(data("status 1")).send(data("status 2"));
    heard.wait();
    EXPECT_EQ(c.bytes(7), data("w3"));
    c.send(framed('c', ""));
    EXPECT_EQ(c.until_ready(), "c C(COPY 0) Z(I)");
    EXPECT_EQ(c.ask("IDENTIFY_SYSTEM"), "T D(writer) C(SELECT 1) Z(I)");
}

TEST_F(replicating, the_connection_is_neither_one_from_the_pool_nor_goes_back_to_it) {
    start();
    {
        client before = connect();
        EXPECT_EQ(before.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    }
    client c = connect_walsender();
    EXPECT_EQ(c.ask("IDENTIFY_SYSTEM"), "T D(writer) C(SELECT 1) Z(I)");
    c.send(terminate());
    EXPECT_EQ(c.until_closed(), "closed");
    writer.wait_for_closed(1);
    client after = connect();
    EXPECT_EQ(after.ask("INSERT 2"), "C(INSERT 0 1) Z(I)");
    const std::vector<std::string> expected{"1:Q INSERT 1", "2:Q IDENTIFY_SYSTEM", "2:X",
                                            "1:Q INSERT 2"};
    EXPECT_EQ(writer.seen(), expected);
}

TEST_F(replicating, the_connection_counts_towards_the_limit_of_the_server) {
    start(with("", 1));
    client ordinary = connect();
    EXPECT_EQ(ordinary.ask("INSERT 1"), "C(INSERT 0 1) Z(I)");
    // The idle connection makes way.
    client c = connect_walsender();
    writer.wait_for_closed(1);
    ordinary.send(query("INSERT 2"));
    wait_for_waiters(1);
    c.send(terminate());
    EXPECT_EQ(ordinary.until_ready(), "C(INSERT 0 1) Z(I)");
    writer.wait_for_closed(2);
}

TEST_F(replicating, a_client_waits_for_a_permit_and_is_told_when_there_is_none) {
    start(with("connect_timeout_server: 50\nconnect_timeout_server_max: 1000\n", 1));
    client first = connect_walsender();
    client second(port());
    EXPECT_EQ(second.log_in("alice", {{"replication", "1"}}), "E(08001) closed");
    EXPECT_NE(second.error_text().find("hostgroup 10"), std::string::npos);
    EXPECT_EQ(first.ask("IDENTIFY_SYSTEM"), "T D(writer) C(SELECT 1) Z(I)");
}

TEST_F(replicating, a_client_that_leaves_while_it_waits_leaves_the_queue) {
    start(with("", 1));
    client first = connect_walsender();
    {
        client second(port());
        std::string packet;
        const std::pair<std::string_view, std::string_view> p[] = {{"user", "alice"},
                                                                   {"replication", "1"}};
        protocol::append_startup(packet, 0, p);
        second.send(packet);
        wait_for_waiters(1);
    }
    wait_for_waiters(0);
    first.send(terminate());
    client third = connect_walsender();
    EXPECT_EQ(third.ask("IDENTIFY_SYSTEM"), "T D(writer) C(SELECT 1) Z(I)");
}

TEST_F(replicating, what_the_server_says_against_it_reaches_the_client_at_once) {
    writer.refuse_logins("53300",
                         "number of requested standby connections exceeds max_wal_senders");
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {{"replication", "true"}}), "R E(53300) closed");
    EXPECT_EQ(c.error_text(), "number of requested standby connections exceeds max_wal_senders");
    EXPECT_EQ(writer.logins(), 1) << "asked once, and no second time";
}

TEST_F(replicating, a_cancel_reaches_what_the_connection_runs) {
    writer.on("BASE_BACKUP", [](backend& b) {
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    start();
    client c = connect_walsender();
    c.send(query("BASE_BACKUP"));
    writer.wait_for("Q BASE_BACKUP");
    send_cancel(port(), c.pid(), std::string(c.key().size(), '?'));
    EXPECT_EQ(writer.cancels(), 0);
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
}

TEST_F(replicating, a_server_that_is_lost_between_messages_is_reported) {
    stream_by([](backend& b) {
        b.raw(data("w1"));
        b.flush();
        (void)b.link().next();
        b.link().reset();
        b.close();
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    EXPECT_EQ(c.next(), "d");
    c.send(data("go"));
    EXPECT_EQ(c.until_closed(), "E(08006) closed");
}

TEST_F(replicating, half_a_message_is_not_followed_by_an_error) {
    stream_by([](backend& b) {
        b.raw(std::string("d\0\0\0\x50half", 9));
        b.flush();
        (void)b.link().next();
        b.link().reset();
        b.close();
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    EXPECT_EQ(c.bytes(9), std::string("d\0\0\0\x50half", 9));
    c.send(data("go"));
    EXPECT_EQ(c.link().rest(), "");
}

TEST_F(replicating, a_server_that_closes_in_order_closes_the_client) {
    stream_by([](backend& b) {
        b.complete("COPY 0");
        b.flush();
        b.close();
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    EXPECT_EQ(c.until_closed(), "C(COPY 0) closed");
}

TEST_F(replicating, a_client_that_vanishes_ends_the_connection_to_the_server) {
    stream_by([](backend& b) { b.link().wait_until_closed_by_peer(); });
    start();
    {
        client c = connect_walsender();
        expect_streaming(c);
        c.link().reset();
    }
    writer.wait_for_closed(1);
    wait_for_permits(0);
}

TEST_F(replicating, a_client_that_does_not_read_stops_the_server_and_not_the_proxy) {
    const std::string piece = data(std::string(64 * 1024, 'x'));
    constexpr int pieces = 512;
    event& blocked = make_event();
    event& finished = make_event();
    stream_by([&](backend& b) {
        std::string all;
        for (int i = 0; i < pieces; ++i)
            all += piece;
        b.link().send_buffer(1 << 16);
        if (b.link().send_reporting(all, [&] { blocked.set(); })) finished.set();
        b.complete("COPY 0");
    });
    start();
    client c = connect_walsender();
    c.link().receive_buffer(1 << 16);
    c.send(query(start_streaming));
    blocked.wait();
    EXPECT_FALSE(finished.is_set()) << "the proxy took it all into memory";
    EXPECT_EQ(c.next(), "W");
    for (int i = 0; i < pieces; ++i)
        ASSERT_EQ(c.bytes(piece.size()), piece) << i;
    EXPECT_EQ(c.until_ready(), "C(COPY 0) Z(I)");
}

TEST_F(replicating, a_server_that_does_not_read_stops_the_client) {
    event& go_on = make_event();
    const std::string piece = data(std::string(64 * 1024, 'y'));
    constexpr int pieces = 512;
    stream_by([&](backend& b) {
        go_on.wait();
        for (int i = 0; i < pieces; ++i)
            if (const auto m = b.link().next(); !m || m->body.size() != 64 * 1024) return b.close();
        b.complete("COPY 0");
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    std::string all;
    for (int i = 0; i < pieces; ++i)
        all += piece;
    bool was_blocked = false;
    c.link().send_reporting(all, [&] {
        was_blocked = true;
        go_on.set();
    });
    EXPECT_TRUE(was_blocked) << "the proxy took it all into memory";
    EXPECT_EQ(c.until_ready(), "C(COPY 0) Z(I)");
}

TEST_F(replicating, nothing_that_is_silent_is_thrown_out) {
    event& go_on = make_event();
    stream_by([&](backend& b) {
        go_on.wait();
        b.complete("COPY 0");
    });
    start(with("wait_timeout: 40\nmax_transaction_idle_time: 40\n"));
    client c = connect_walsender();
    expect_streaming(c);
    // An ordinary client is thrown out meanwhile.
    client other = connect();
    EXPECT_EQ(other.until_closed(), "E(57P05) closed");
    go_on.set();
    EXPECT_EQ(c.until_ready(), "C(COPY 0) Z(I)");
}

TEST_F(replicating, at_the_end_of_howdah_it_outlasts_the_open_transactions) {
    stream_by([](backend& b) {
        while (const auto m = b.link().next()) {
            b.raw(framed('d', m->body));
            b.flush();
        }
        b.close();
    });
    start();
    client c = connect_walsender();
    expect_streaming(c);
    client writing = connect();
    EXPECT_EQ(writing.ask("BEGIN"), "C(BEGIN) Z(T)");
    client idle = connect();
    request_stop();
    EXPECT_EQ(idle.until_closed(), "E(57P01) closed");
    EXPECT_EQ(c.send(data("still there")).bytes(16), data("still there"));
    EXPECT_EQ(writing.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(c.until_closed(), "E(57P01) closed");
    expect_exit();
}

TEST_F(replicating, tls_towards_the_client_and_large_messages) {
    const temporary_folder folder;
    write_certificate(folder.path("c.pem"), folder.path("k.pem"));
    const std::string large = data(std::string(3 << 20, 'z'));
    stream_by([&](backend& b) {
        b.raw(large);
        b.flush();
        const auto m = b.link().next();
        if (!m || framed(m->type, m->body) != large) return b.close();
        b.complete("COPY 0");
    });
    start(with("ssl_cert: " + folder.path("c.pem") + "\nssl_key: " + folder.path("k.pem") + "\n"));
    client c(port());
    std::string request;
    protocol::append_ssl_request(request);
    c.send(request);
    EXPECT_EQ(c.bytes(1), "S");
    ASSERT_TRUE(c.link().start_tls_client());
    EXPECT_EQ(c.log_in("alice", {{"replication", "true"}}), "R K Z(I)");
    expect_streaming(c);
    EXPECT_EQ(c.bytes(large.size()), large);
    c.send(large);
    EXPECT_EQ(c.until_ready(), "C(COPY 0) Z(I)");
}

}  // namespace
}  // namespace howdah::tests
