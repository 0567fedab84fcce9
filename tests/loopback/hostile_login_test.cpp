#include <gmock/gmock.h>

#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/scram.hpp"
#include "protocol/wire/startup.hpp"
#include "tests/support/loopback/running_proxy.hpp"

// Shapes of attacks on logins that other poolers have fallen for. Under sanitizers these tests say
// more than that the proxy lives on.
namespace howdah::tests {
namespace {

using ::testing::EndsWith;

const std::string inserted = "C(INSERT 0 1) Z(I)";
const std::string mechanism = cstr("SCRAM-SHA-256");

std::string startup() {
    std::string packet;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "alice"},
                                                                        {"database", "db"}};
    protocol::append_startup(packet, 0, parameters);
    return packet;
}

std::string initial(std::int64_t said, std::string_view data) {
    return framed('p', mechanism + i32(said) + std::string(data));
}

std::string initial(std::string_view data) {
    return initial(static_cast<std::int64_t>(data.size()), data);
}

class hostile_login : public loopback {
protected:
    /// A client whose first answer is asked for.
    client asked() {
        client c(port());
        EXPECT_EQ(c.send(startup()).next(), "R");
        return c;
    }
    void expect_refused(client& c, const std::string& sqlstate, const std::string& which) {
        EXPECT_EQ(c.until_closed(), "E(" + sqlstate + ") closed") << which;
    }
    void expect_others_are_served() { EXPECT_EQ(asked().send(initial("n,,n=,r=abc")).next(), "R"); }
};

const proxy_setup with_scram{.variables =
                                 "authentication_method: scram-sha-256\n"
                                 "failed_login_delay: 0",
                             .user = "",
                             .more_users = ""};

// PgBouncer's CVE-2026-6664: lengths inside a SASLInitialResponse before authentication.
TEST_F(hostile_login, lengths_of_a_first_answer_that_are_not_there_are_refused) {
    start(with_scram);
    for (const std::int64_t said :
         {0x7fffffffL, 0x7ffffffcL, 0x80000000L, 0xfffffffeL, 0xffff0000L, 65536L, 12L, 10L}) {
        client c = asked();
        c.send(initial(said, "n,,n=,r=abc"));
        expect_refused(c, "08P01", std::to_string(said));
    }
    client empty = asked();
    empty.send(framed('p', mechanism + i32(0x7fffffff)));
    expect_refused(empty, "08P01", "nothing behind the length");
    client cut = asked();
    cut.send(framed('p', mechanism + std::string(3, '\x7f')));
    expect_refused(cut, "08P01", "half a length");
    expect_others_are_served();
}

TEST_F(hostile_login, messages_that_say_they_are_huge_or_negative_are_refused_unread) {
    start(with_scram);
    for (const std::int64_t said : {0x7fffffffL, 0x80000000L, 0xffffffffL, 65536L, 3L, 0L}) {
        client c = asked();
        c.send("p" + i32(said) + std::string(100, 'x'));
        expect_refused(c, "08P01", std::to_string(said));
    }
    expect_others_are_served();
}

TEST_F(hostile_login, long_attributes_before_authentication_are_refused) {
    start(with_scram);
    const std::string lots(60000, 'a');
    for (const std::string& first :
         {"n,,n=,r=" + lots, "n,,n=" + lots + ",r=abc", "n,a=" + lots + ",n=,r=abc",
          "p=" + lots + ",,n=,r=abc", "n,,n=,r=abc,x=" + lots}) {
        client c = asked();
        c.send(initial(first));
        expect_refused(c, "08P01", first.substr(0, 12));
    }
    for (const std::string& last :
         {"c=" + lots + ",r=abc,p=AAAA", "c=biws,r=" + lots + ",p=AAAA",
          "c=biws,r=abc,x=" + lots + ",p=AAAA", "c=biws,r=abc,p=" + lots}) {
        client c = asked();
        EXPECT_EQ(c.send(initial("n,,n=,r=abc")).next(), "R");
        c.send(framed('p', last));
        expect_refused(c, "08P01", last.substr(0, 12));
    }
    expect_others_are_served();
}

/// Asks for SCRAM and answers the client's first message with what `challenge` makes of its nonce.
void challenge_with(fake_server& server,
                    const std::function<std::string(const std::string& nonce)>& challenge) {
    server.on_login([challenge](backend& b) {
        std::string out;
        const std::string_view mechanisms[] = {protocol::scram_sha_256};
        protocol::append_authentication_sasl(out, mechanisms);
        b.link().send(out);
        const auto m = b.link().next();
        if (!m) return false;
        const auto first = protocol::parse_sasl_initial(m->body);
        const std::string data(first->data.value());
        out.clear();
        protocol::append_authentication_sasl_continue(out,
                                                      challenge(data.substr(data.find("r=") + 2)));
        b.link().send(out);
        (void)b.link().next();  // an answer, or the end
        return false;
    });
}

// PgBouncer's CVE-2026-6665: a server whose challenge is larger, or more work, than it may be.
TEST_F(hostile_login, a_servers_challenge_beyond_its_bounds_is_refused_without_working_on_it) {
    start();
    const std::string salt = ",s=MDEyMzQ1Njc4OWFiY2RlZg==";
    const std::vector<std::function<std::string(const std::string&)>> challenges{
        [&](const auto& nonce) { return "r=" + nonce + std::string(1000, 'x') + salt + ",i=4096"; },
        [&](const auto& nonce) {
            return "r=" + nonce + std::string(60000, 'x') + salt + ",i=4096";
        },
        [&](const auto& nonce) { return "r=" + nonce + "x" + salt + ",i=2147483647"; },
        [&](const auto& nonce) { return "r=" + nonce + "x" + salt + ",i=1000001"; },
        [&](const auto& nonce) { return "r=" + nonce + "x" + salt + ",i=99999999999999999999"; },
        [&](const auto& nonce) { return "r=" + nonce + "x" + salt + ",i=-1"; },
        [&](const auto& nonce) { return "r=" + nonce + "x" + salt + ",i=0"; },
        [&](const auto& nonce) { return "r=" + nonce + "x,s=" + std::string(4000, 'A') + ",i=1"; },
        [&](const auto&) { return "r=another" + salt + ",i=4096"; },
        [&](const auto& nonce) { return "r=" + nonce; },
        [](const auto&) { return std::string(); },
    };
    int number = 0;
    for (const auto& challenge : challenges) {
        challenge_with(writer, challenge);
        client c(port());
        EXPECT_THAT(c.log_in(), EndsWith("E(08P01) closed")) << "challenge " << number;
        EXPECT_NE(c.error_text().find("127.0.0.1:" + std::to_string(writer.port())),
                  std::string::npos)
            << "the server is named: " << c.error_text();
        ++number;
    }
    writer.on_login({});
    EXPECT_EQ(connect().ask("INSERT 1"), inserted);
}

TEST_F(hostile_login, a_server_that_says_ok_without_proof_is_not_believed) {
    start();
    writer.on_login([](backend& b) {
        std::string out;
        const std::string_view mechanisms[] = {protocol::scram_sha_256};
        protocol::append_authentication_sasl(out, mechanisms);
        b.link().send(out);
        (void)b.link().next();
        return true;
    });
    client c(port());
    EXPECT_THAT(c.log_in(), EndsWith("E(28P01) closed"));
}

// PgBouncer's CVE-2026-6666: an ErrorResponse without the fields that it must have.
TEST_F(hostile_login, an_error_of_a_server_without_sqlstate_at_login_is_an_error_for_the_client) {
    start({.variables = "connect_timeout_server_max: 500", .user = "", .more_users = ""});
    for (const std::string& body :
         {cstr("SFATAL") + cstr("Mboom") + std::string(1, '\0'), std::string(1, '\0'),
          std::string(), std::string("Mboom"), cstr("C") + std::string(1, '\0'),
          cstr("Cx") + cstr("Mboom") + std::string(1, '\0')}) {
        writer.on_login([body](backend& b) {
            b.link().send(framed('E', body));
            return false;
        });
        client c(port());
        EXPECT_THAT(c.log_in(), EndsWith("E(08001) closed")) << body;
    }
    writer.on_login({});
    EXPECT_EQ(connect().ask("INSERT 1"), inserted);
}

TEST_F(hostile_login,
       an_error_of_a_server_without_sqlstate_in_a_query_leaves_the_client_connected) {
    int number = 0;
    for (const std::string& body :
         {cstr("SERROR") + cstr("Mboom") + std::string(1, '\0'), std::string(1, '\0')})
        writer.on("INSERT " + std::to_string(number++),
                  [body](backend& b) { b.raw(framed('E', body)); });
    start();
    client c = connect();
    EXPECT_EQ(c.ask("INSERT 0"), "E() Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), "E() Z(I)");
    EXPECT_EQ(c.ask("INSERT 2"), inserted);
}

}  // namespace
}  // namespace howdah::tests
