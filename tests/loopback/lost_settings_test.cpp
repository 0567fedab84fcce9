#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

// RESET of a parameter that the client brought with its login: Howdah sets it again behind it.
TEST_F(loopback, a_transaction_whose_server_dies_while_a_reset_is_completed_is_reported_as_lost) {
    event& armed = make_event();
    writer.on("SELECT pg_catalog.set_config('application_name','mine',false)", [&](backend& b) {
        if (armed.is_set()) return b.close();
        b.row("mine");
        b.complete("SELECT 1");
    });
    start();
    client c = connect({{"application_name", "mine"}});
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    armed.set();
    EXPECT_EQ(c.ask("RESET application_name"), "C(RESET) E(08006) Z(E)");
    EXPECT_EQ(c.ask("INSERT 1"), "E(25P02) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
}

}  // namespace
}  // namespace howdah::tests
