#include "protocol/wire/startup.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

const proxy_setup looking_up{.variables = "auth_user: asker\nauthentication_method: scram-sha-256",
                             .user = "",
                             .more_users = ""};

/// A client that names a user whom only a server can know.
client unlisted(std::uint16_t port) {
    client c(port);
    std::string packet;
    const std::pair<std::string_view, std::string_view> parameters[] = {{"user", "somebody"},
                                                                        {"database", "db"}};
    protocol::append_startup(packet, 0, parameters);
    c.send(packet);
    return c;
}

/// From now on logins at the server wait for `go_on`; `reached` is set by the first.
void hold_logins(fake_server& server, event& reached, event& go_on) {
    server.on_login([&](backend&) {
        reached.set();
        go_on.wait();
        return false;
    });
}

TEST_F(loopback, a_stop_does_not_wait_for_a_user_who_is_being_looked_up) {
    event& reached = make_event();
    event& go_on = make_event();
    hold_logins(writer, reached, go_on);
    start(looking_up);
    client c = unlisted(port());
    reached.wait();
    request_stop();
    expect_exit();
}

TEST_F(loopback, a_client_that_leaves_while_it_is_looked_up_hurts_nobody) {
    event& reached = make_event();
    event& go_on = make_event();
    hold_logins(writer, reached, go_on);
    start(looking_up);
    {
        client c = unlisted(port());
        reached.wait();
    }
    go_on.set();
    EXPECT_EQ(unlisted(port()).until_closed(), "E(08001) closed");
}

}  // namespace
}  // namespace howdah::tests
