#include <fstream>

#include "protocol/wire/md5.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/startup.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const std::string inserted = "C(INSERT 0 1) Z(I)";

std::string untyped(std::string_view body) {
    return i32(static_cast<std::int64_t>(body.size()) + 4) + std::string(body);
}
const std::string ssl_request = untyped(i32(80877103));
const std::string gss_request = untyped(i32(80877104));

TEST_F(loopback, ssl_and_gss_encryption_are_refused_by_one_byte_where_not_configured) {
    start();
    client c(port());
    EXPECT_EQ(c.send(gss_request).bytes(1), "N");
    EXPECT_EQ(c.send(ssl_request).bytes(1), "N");
    EXPECT_EQ(c.log_in(), "R K Z(I)");
    client twice(port());
    EXPECT_EQ(twice.send(ssl_request).bytes(1), "N");
    EXPECT_EQ(twice.send(ssl_request).next(), "E(08P01)");
    client early(port());
    EXPECT_EQ(early.send(ssl_request + "x").next(), "E(08P01)");
}

TEST_F(loopback, tls_is_accepted_after_an_ssl_request_and_directly_with_alpn) {
    const temporary_folder folder;
    write_certificate(folder.path("cert"), folder.path("key"));
    start({.variables = "ssl_cert: " + folder.path("cert") + "\nssl_key: " + folder.path("key"),
           .user = "use_ssl: true",
           .more_users = ""});
    client plain(port());
    EXPECT_EQ(plain.log_in(), "E(28000) closed");
    client c(port());
    EXPECT_EQ(c.send(ssl_request).bytes(1), "S");
    ASSERT_TRUE(c.link().start_tls_client());
    EXPECT_EQ(c.log_in(), "R K Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    client direct(port());
    ASSERT_TRUE(direct.link().start_tls_client("postgresql"));
    EXPECT_EQ(direct.log_in(), "R K Z(I)");
    EXPECT_EQ(direct.ask("INSERT 2"), inserted);
}

TEST_F(loopback, protocol_3_2_gives_a_cancel_key_of_32_bytes_that_works) {
    writer.on("INSERT slow", [](backend& b) {
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {}, 2), "R K Z(I)");
    EXPECT_EQ(c.key().size(), 32U);
    c.send(query("INSERT slow"));
    writer.wait_for("Q INSERT slow");
    send_cancel(port(), c.pid(), c.key().substr(0, 4));
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
}

TEST_F(loopback, unknown_versions_and_options_are_negotiated) {
    start();
    client c(port());
    EXPECT_EQ(c.log_in("alice", {{"_pq_.new_thing", "1"}}, 9999), "v R K Z(I)");
    EXPECT_EQ(c.key().size(), 32U);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    client old(port());
    EXPECT_EQ(old.log_in("alice", {{"_pq_.new_thing", "1"}}), "v R K Z(I)");
    EXPECT_EQ(old.key().size(), 4U);
}

TEST_F(loopback, a_startup_packet_may_be_cut_at_every_offset) {
    start();
    std::string packet;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "alice"},
                                                                        {"database", "db"}};
    protocol::append_startup(packet, 0, parameters);
    for (std::size_t at = 0; at <= packet.size(); ++at) {
        client c(port());
        ASSERT_TRUE(c.link().send_cut(packet, at));
        ASSERT_EQ(c.next(), "R") << "cut at " << at;
    }
}

TEST_F(loopback, a_query_behind_the_startup_packet_is_answered) {
    start();
    client c(port());
    std::string packet;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "alice"},
                                                                        {"database", "db"}};
    protocol::append_startup(packet, 0, parameters);
    c.send(packet + query("INSERT 1"));
    EXPECT_EQ(c.until_ready(2).substr(0, 2), "R ");
    EXPECT_EQ(writer.count("Q INSERT 1"), 1);
}

TEST_F(loopback, parameters_of_the_server_are_shown_to_the_client) {
    writer.parameter("TimeZone", "Mars/Olympus");
    start();
    client c = connect();
    EXPECT_EQ(c.parameter_list(),
              "S(TimeZone=Mars/Olympus) S(client_encoding=UTF8) S(server_version=15.0) "
              "S(standard_conforming_strings=on)");
}

TEST_F(loopback, an_unknown_user_and_too_many_clients_are_refused) {
    start({.variables = "max_connections: 2", .user = "", .more_users = ""});
    client stranger(port());
    EXPECT_EQ(stranger.log_in("mallory"), "E(28000) closed");
    client a = connect();
    {
        client b = connect();
        client c(port());
        EXPECT_EQ(c.log_in(), "E(53300) closed");
        b.send(terminate());
        EXPECT_EQ(b.until_closed(), "closed");
    }
    client d = connect();
    EXPECT_EQ(d.ask("INSERT 1"), inserted);
}

TEST_F(loopback, malformed_startup_packets_are_refused) {
    start();
    for (const std::string& bytes :
         {i32(3), i32(20000) + "x", untyped(i32(2 << 16) + "x"),
          untyped(i32(196608) + cstr("user")), untyped(i32(196608) + std::string(1, '\0'))}) {
        client c(port());
        c.send(bytes);
        EXPECT_EQ(c.next()[0], 'E');
        EXPECT_EQ(c.next(), "closed");
    }
}

struct server_login : loopback, ::testing::WithParamInterface<fake_server::auth> {};

TEST_P(server_login, a_server_that_asks_for_a_password_gets_it) {
    writer.require(GetParam(), "secret");
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_P(server_login, a_wrong_password_is_reported_to_the_client) {
    writer.require(GetParam(), "another");
    start();
    client c(port());
    EXPECT_EQ(c.log_in(), "R E(28P01) closed");
}

INSTANTIATE_TEST_SUITE_P(methods, server_login,
                         ::testing::Values(fake_server::auth::cleartext, fake_server::auth::md5,
                                           fake_server::auth::scram));

TEST_F(loopback, a_stop_lets_an_open_transaction_finish_and_ends_idle_clients) {
    start();
    client idle = connect();
    client busy = connect();
    (void)busy.ask("BEGIN");
    request_stop();
    EXPECT_EQ(idle.until_closed(), "E(57P01) closed");
    EXPECT_EQ(busy.ask("INSERT 1"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(busy.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(busy.until_closed(), "E(57P01) closed");
    expect_exit();
}

TEST_F(loopback, a_stop_ends_an_idle_client_in_session_mode) {
    start(
        {.variables = "shutdown_timeout: 3600000", .user = "pool_mode: session", .more_users = ""});
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    request_stop();
    EXPECT_EQ(c.until_closed(), "E(57P01) closed");
}

}  // namespace
}  // namespace howdah::tests
