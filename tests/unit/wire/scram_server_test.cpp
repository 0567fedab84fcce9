#include <gmock/gmock.h>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/scram.hpp"
#include "tests/unit/wire/bytes.hpp"
#include "tests/unit/wire/scram_vectors.hpp"

namespace howdah::protocol {
namespace {

using kind = scram_server::action::kind;

scram_server make_server(std::string binding = {}) {
    return {*parse_verifier(test::verifier_text), std::move(binding),
            std::string(test::server_nonce)};
}

void expect_failed(const scram_server& server, const scram_server::action& action,
                   std::string_view sqlstate, std::string_view message,
                   std::string_view detail = {}) {
    EXPECT_EQ(action.what, kind::failed);
    EXPECT_EQ(action.error.sqlstate, sqlstate);
    EXPECT_EQ(action.error.message, message);
    EXPECT_EQ(action.error.detail, detail);
    EXPECT_EQ(action.data, "");
    EXPECT_EQ(server.current(), scram_server::state::failed);
}

/// The failure that a client-first-message gets from a server that offers no channel binding.
void expect_initial_failure(std::string_view data, std::string_view sqlstate,
                            std::string_view message, std::string_view detail = {}) {
    SCOPED_TRACE(data);
    auto server = make_server();
    expect_failed(server, server.on_initial(scram_sha_256, data), sqlstate, message, detail);
}

/// The failure that a client-final-message gets after the start of RFC 7677.
void expect_response_failure(std::string_view data, std::string_view sqlstate,
                             std::string_view message, std::string_view detail = {}) {
    SCOPED_TRACE(data);
    auto server = make_server();
    ASSERT_EQ(server.on_initial(scram_sha_256, test::client_first).what, kind::continue_);
    expect_failed(server, server.on_response(data), sqlstate, message, detail);
}

constexpr std::string_view malformed = "malformed SCRAM message";

TEST(ScramServer, FollowsTheExchangeOfRfc7677) {
    auto server = make_server();
    const auto first = server.on_initial(scram_sha_256, test::client_first);
    EXPECT_EQ(first.what, kind::continue_);
    EXPECT_EQ(first.data, test::server_first);
    EXPECT_EQ(server.current(), scram_server::state::response);
    const auto last = server.on_response(test::client_final);
    EXPECT_EQ(last.what, kind::done);
    EXPECT_EQ(last.data, test::server_final);
    EXPECT_EQ(server.current(), scram_server::state::done);
}

TEST(ScramServer, AcceptsEveryKindOfChannelBinding) {
    for (const auto& exchange :
         {test::without_binding, test::binding_not_offered, test::with_binding}) {
        SCOPED_TRACE(exchange.gs2_header);
        const bool plus = exchange.gs2_header.starts_with('p');
        auto server = make_server(plus ? test::binding_data : std::string());
        const auto first = server.on_initial(
            plus ? scram_sha_256_plus : scram_sha_256,
            std::string(exchange.gs2_header) + "n=,r=" + std::string(test::client_nonce));
        EXPECT_EQ(first.data, test::server_first);
        const auto last = server.on_response(exchange.client_final);
        EXPECT_EQ(last.what, kind::done);
        EXPECT_EQ(last.data, exchange.server_final);
    }
}

TEST(ScramServer, WithoutBindingIsAcceptedWhereBindingWasOffered) {
    auto server = make_server(test::binding_data);
    EXPECT_EQ(server.on_initial(scram_sha_256, test::client_first).what, kind::continue_);
    EXPECT_EQ(server.on_response(test::client_final).what, kind::done);
}

TEST(ScramServer, RecoversTheClientKey) {
    auto server = make_server();
    (void)server.on_initial(scram_sha_256, test::client_first);
    (void)server.on_response(test::client_final);
    scram_client client("pencil", {}, false, std::string(test::client_nonce));
    (void)client.initial();
    ASSERT_TRUE(client.on_continue(test::server_first));
    EXPECT_EQ(server.client_key(), client.keys().client_key);
}

TEST(ScramServer, AsksForInitialDataThatIsMissing) {
    auto server = make_server();
    const auto empty = server.on_initial(scram_sha_256, std::nullopt);
    EXPECT_EQ(empty.what, kind::continue_);
    EXPECT_EQ(empty.data, "");
    EXPECT_EQ(server.on_response(test::client_first).data, test::server_first);
    EXPECT_EQ(server.on_response(test::client_final).what, kind::done);
}

TEST(ScramServer, IgnoresOptionalExtensions) {
    auto server = make_server();
    const auto first = server.on_initial(scram_sha_256, "n,,n=user,r=abc,x=y,Z=");
    EXPECT_EQ(first.what, kind::continue_);
    const auto last = server.on_response("c=biws,r=abc" + std::string(test::server_nonce) +
                                         ",x=y,p=" + base64_encode(std::string(32, 'p')));
    EXPECT_EQ(last.error.sqlstate, "28P01");
}

TEST(ScramServer, AWrongPasswordIsLeftToTheCallerToWord) {
    expect_response_failure(
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA=",
        "28P01", "");
}

TEST(ScramServer, AnUnknownUserFailsLikeAWrongPassword) {
    scram_server server(mock_verifier("nobody", "secret"), {}, "servernonce");
    scram_client client("pencil", {}, false, "clientnonce");
    const auto first = server.on_initial(client.mechanism(), client.initial());
    ASSERT_EQ(first.what, kind::continue_);
    const auto response = client.on_continue(first.data);
    ASSERT_TRUE(response);
    expect_failed(server, server.on_response(*response), "28P01", "");
}

TEST(ScramServer, RefusesUnknownMechanismsAndPlusThatWasNotOffered) {
    for (const auto mechanism : {std::string_view("SCRAM-SHA-1"), std::string_view(""),
                                 std::string_view("scram-sha-256"), scram_sha_256_plus}) {
        auto server = make_server();
        expect_failed(server, server.on_initial(mechanism, test::client_first), "08P01",
                      "client selected an invalid SASL authentication mechanism");
    }
}

TEST(ScramServer, RefusesADowngradeOfChannelBinding) {
    auto server = make_server(test::binding_data);
    expect_failed(server, server.on_initial(scram_sha_256, "y,,n=,r=abc"), "28000",
                  "SCRAM channel binding negotiation error",
                  "The client supports SCRAM channel binding but thinks the server does not.  "
                  "However, this server does support channel binding.");
}

TEST(ScramServer, RefusesPlusWithoutBindingInTheMessage) {
    for (const auto* data : {"n,,n=,r=abc", "y,,n=,r=abc"}) {
        auto server = make_server(test::binding_data);
        expect_failed(server, server.on_initial(scram_sha_256_plus, data), "08P01", malformed,
                      "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not "
                      "include channel binding data.");
    }
}

TEST(ScramServer, RefusesBindingWithoutPlus) {
    auto server = make_server(test::binding_data);
    expect_failed(server, server.on_initial(scram_sha_256, "p=tls-server-end-point,,n=,r=abc"),
                  "08P01", malformed,
                  "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM "
                  "message includes channel binding data.");
}

TEST(ScramServer, RefusesOtherBindingTypes) {
    auto server = make_server(test::binding_data);
    expect_failed(server, server.on_initial(scram_sha_256_plus, "p=tls-unique,,n=,r=abc"), "08P01",
                  "unsupported SCRAM channel-binding type \"tls-unique\"");
}

TEST(ScramServer, RefusesTheBindingOfAnotherConnection) {
    auto server = make_server("another certificate");
    const auto first = server.on_initial(
        scram_sha_256_plus, "p=tls-server-end-point,,n=,r=" + std::string(test::client_nonce));
    ASSERT_EQ(first.what, kind::continue_);
    expect_failed(server, server.on_response(test::with_binding.client_final), "28000",
                  "SCRAM channel binding check failed");
}

TEST(ScramServer, RefusesABindingFlagThatChangedOnTheWay) {
    expect_response_failure(test::binding_not_offered.client_final, "08P01",
                            "unexpected SCRAM channel-binding attribute in client-final-message");
}

TEST(ScramServer, WordsMalformedFirstMessagesAsPostgresqlDoes) {
    expect_initial_failure("", "08P01", malformed, "The message is empty.");
    expect_initial_failure(test::bytes("n,,n=,r=abc\0"), "08P01", malformed,
                           "Message length does not match input length.");
    expect_initial_failure("x,,n=,r=abc", "08P01", malformed,
                           "Unexpected channel-binding flag \"x\".");
    expect_initial_failure("\n,,n=,r=abc", "08P01", malformed,
                           "Unexpected channel-binding flag \"0x0a\".");
    expect_initial_failure("nx,n=,r=abc", "08P01", malformed,
                           "Comma expected, but found character \"x\".");
    expect_initial_failure("n,a=ann,n=,r=abc", "0A000",
                           "client uses authorization identity, but it is not supported");
    expect_initial_failure("n,x,n=,r=abc", "08P01", malformed,
                           "Unexpected attribute \"x\" in client-first-message.");
    expect_initial_failure("n,,m=x,n=,r=abc", "0A000",
                           "client requires an unsupported SCRAM extension");
    expect_initial_failure("n,,r=abc", "08P01", malformed,
                           "Expected attribute \"n\" but found \"r\".");
    expect_initial_failure("n,,n,r=abc", "08P01", malformed,
                           "Expected character \"=\" for attribute \"n\".");
    expect_initial_failure("n,,n=,r=a b", "08P01", "non-printable characters in SCRAM nonce");
    expect_initial_failure("n,,n=,r=abc,1=2", "08P01", malformed,
                           "Attribute expected, but found invalid character \"1\".");
    expect_initial_failure("n,,n=,r=" + std::string(scram_max_nonce + 1, 'r'), "08P01", malformed,
                           "The nonce is too long.");
    expect_initial_failure("n,,n=" + std::string(scram_max_message, 'u') + ",r=abc", "08P01",
                           malformed, "The message is too long.");
}

TEST(ScramServer, WordsMalformedFinalMessagesAsPostgresqlDoes) {
    const std::string start =
        "c=biws,r=" + std::string(test::client_nonce) + std::string(test::server_nonce);
    const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    expect_response_failure("", "08P01", malformed, "The message is empty.");
    expect_response_failure(start + proof + '\0', "08P01", malformed,
                            "Message length does not match input length.");
    expect_response_failure(start, "08P01", malformed,
                            "Attribute expected, but found end of string.");
    expect_response_failure("r=x", "08P01", malformed, "Expected attribute \"c\" but found \"r\".");
    expect_response_failure(start + ",p=AAAA", "08P01", malformed,
                            "Malformed proof in client-final-message.");
    expect_response_failure(start + ",p=!", "08P01", malformed,
                            "Malformed proof in client-final-message.");
    expect_response_failure(start + proof + ",x=y", "08P01", malformed,
                            "Garbage found at the end of client-final-message.");
    expect_response_failure("c=biws,r=" + std::string(test::client_nonce) + proof, "08P01",
                            "invalid SCRAM response", "Nonce does not match.");
    expect_response_failure(std::string(scram_max_message + 1, 'c'), "08P01", malformed,
                            "The message is too long.");
}

TEST(ScramServer, EveryTruncatedFirstMessageEitherFailsOrLeadsToAFailure) {
    for (std::size_t size = 0; size < test::client_first.size(); ++size) {
        auto server = make_server();
        const std::string prefix(test::client_first.substr(0, size));
        if (server.on_initial(scram_sha_256, prefix).what == kind::failed) continue;
        EXPECT_EQ(server.on_response(test::client_final).what, kind::failed) << size;
    }
}

TEST(ScramServer, EveryTruncatedFinalMessageFails) {
    for (std::size_t size = 0; size < test::client_final.size(); ++size) {
        auto server = make_server();
        (void)server.on_initial(scram_sha_256, test::client_first);
        const std::string prefix(test::client_final.substr(0, size));
        EXPECT_EQ(server.on_response(prefix).what, kind::failed) << size;
    }
}

TEST(ScramServer, EveryChangedByteOfTheFinalMessageFails) {
    for (std::size_t i = 0; i < test::client_final.size(); ++i) {
        auto server = make_server();
        (void)server.on_initial(scram_sha_256, test::client_first);
        std::string changed(test::client_final);
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_EQ(server.on_response(changed).what, kind::failed) << i;
    }
}

TEST(ScramServer, MessagesOutOfOrderFail) {
    auto early = make_server();
    expect_failed(early, early.on_response(test::client_final), "08P01",
                  "invalid SCRAM exchange state");
    auto twice = make_server();
    (void)twice.on_initial(scram_sha_256, test::client_first);
    expect_failed(twice, twice.on_initial(scram_sha_256, test::client_first), "08P01",
                  "invalid SCRAM exchange state");
    auto late = make_server();
    (void)late.on_initial(scram_sha_256, test::client_first);
    (void)late.on_response(test::client_final);
    expect_failed(late, late.on_response(test::client_final), "08P01",
                  "invalid SCRAM exchange state");
    auto failed = make_server();
    (void)failed.on_initial(scram_sha_256, "x");
    expect_failed(failed, failed.on_response(test::client_first), "08P01",
                  "invalid SCRAM exchange state");
}

}  // namespace
}  // namespace howdah::protocol
