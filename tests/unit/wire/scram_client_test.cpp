#include <gmock/gmock.h>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/scram.hpp"
#include "tests/unit/wire/bytes.hpp"
#include "tests/unit/wire/scram_vectors.hpp"

namespace howdah::protocol {
namespace {

using testing::HasSubstr;

scram_client make_client(std::string password = std::string(test::password)) {
    return {std::move(password), {}, false, std::string(test::client_nonce)};
}

/// What a client says to a server-first-message that it must refuse.
std::string refusal(std::string_view server_first) {
    auto client = make_client();
    (void)client.initial();
    const auto response = client.on_continue(server_first);
    EXPECT_FALSE(response) << server_first;
    EXPECT_FALSE(client.on_final(test::server_final)) << server_first;
    EXPECT_FALSE(client.verified());
    return response ? std::string() : response.error().message;
}

std::string server_first(std::string_view nonce, std::string_view salt, std::string_view count) {
    return "r=" + std::string(nonce) + ",s=" + std::string(salt) + ",i=" + std::string(count);
}

const std::string nonce = std::string(test::client_nonce) + std::string(test::server_nonce);
constexpr std::string_view salt = "W22ZaJ0SNY7soEsUEjb6gQ==";

TEST(ScramClient, SendsTheExactMessagesForEveryKindOfChannelBinding) {
    for (const auto& exchange :
         {test::without_binding, test::binding_not_offered, test::with_binding}) {
        SCOPED_TRACE(exchange.gs2_header);
        const bool plus = exchange.gs2_header.starts_with('p');
        const bool could = !exchange.gs2_header.starts_with('n');
        scram_client client(std::string(test::password), could ? test::binding_data : std::string(),
                            plus, std::string(test::client_nonce));
        EXPECT_EQ(client.mechanism(), plus ? scram_sha_256_plus : scram_sha_256);
        EXPECT_EQ(client.initial(), std::string(exchange.gs2_header) + "n=,r=rOprNGfwEbeRWgbNEkqO");
        const auto response = client.on_continue(test::server_first);
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(*response, exchange.client_final);
        EXPECT_FALSE(client.verified());
        EXPECT_TRUE(client.on_final(exchange.server_final));
        EXPECT_TRUE(client.verified());
    }
}

TEST(ScramClient, LogsInToOurOwnServer) {
    for (const std::string binding : {"", "hash"}) {
        const bool plus = !binding.empty();
        scram_server server(make_verifier("пароль", "salt", 10), binding, random_nonce());
        scram_client client("пароль", binding, plus, random_nonce());
        const auto first = server.on_initial(client.mechanism(), client.initial());
        const auto response = client.on_continue(first.data);
        ASSERT_TRUE(response);
        const auto last = server.on_response(*response);
        ASSERT_EQ(last.what, scram_server::action::kind::done);
        EXPECT_TRUE(client.on_final(last.data));
    }
}

TEST(ScramClient, LogsInWithoutPasswordByKeysFromAnotherLogin) {
    const auto verifier = *parse_verifier(test::verifier_text);
    scram_server server(verifier, {}, std::string(test::server_nonce));
    (void)server.on_initial(scram_sha_256, test::client_first);
    ASSERT_EQ(server.on_response(test::client_final).what, scram_server::action::kind::done);

    auto client = make_client("");
    client.set_known_keys(
        {verifier.salt, verifier.iterations, server.client_key(), verifier.server_key});
    (void)client.initial();
    const auto response = client.on_continue(test::server_first);
    ASSERT_TRUE(response);
    EXPECT_EQ(*response, test::without_binding.client_final);
    EXPECT_TRUE(client.on_final(test::without_binding.server_final));
}

TEST(ScramClient, DerivesAnewWhereTheServersSaltIsAnother) {
    auto client = make_client();
    client.set_known_keys({"other salt", 4096, {}, {}});
    (void)client.initial();
    EXPECT_EQ(*client.on_continue(test::server_first), test::without_binding.client_final);
}

TEST(ScramClient, SaysWhyItCannotLogInWithoutPassword) {
    auto keyless = make_client("");
    (void)keyless.initial();
    EXPECT_EQ(keyless.on_continue(test::server_first).error().message, "no password supplied");
    for (const auto& keys :
         {scram_keys{"other salt", 4096, {}, {}}, scram_keys{*base64_decode(salt), 4097, {}, {}}}) {
        auto client = make_client("");
        client.set_known_keys(keys);
        (void)client.initial();
        EXPECT_EQ(client.on_continue(test::server_first).error().message,
                  "the server's SCRAM salt or iteration count differs from ours");
    }
}

TEST(ScramClient, RefusesNoncesThatDoNotExtendItsOwn) {
    for (const std::string& bad :
         {std::string(test::client_nonce), std::string(), std::string("x") + nonce,
          std::string(test::client_nonce.substr(1)), nonce + " ", nonce + "\x7f",
          nonce + std::string(scram_max_nonce, 'x')})
        EXPECT_EQ(refusal(server_first(bad, salt, "4096")),
                  "invalid SCRAM response (nonce mismatch)");
}

TEST(ScramClient, TakesNoncesAndSaltsUpToTheirLimits) {
    auto client = make_client();
    (void)client.initial();
    const auto longest = nonce + std::string(scram_max_nonce - nonce.size(), 'x');
    EXPECT_TRUE(client.on_continue(
        server_first(longest, base64_encode(std::string(scram_max_salt, 's')), "1")));
    EXPECT_EQ(
        refusal(server_first(nonce, base64_encode(std::string(scram_max_salt + 1, 's')), "1")),
        "malformed SCRAM message (invalid salt)");
}

TEST(ScramClient, RefusesIterationCountsThatAreNoneOrAnAttack) {
    for (const auto* count : {"", "0", "-1", "+1", "4096x", " 4096", "1000001", "2147483647",
                              "2147483648", "4294967297", "99999999999999999999"})
        EXPECT_EQ(refusal(server_first(nonce, salt, count)),
                  "malformed SCRAM message (invalid iteration count)");
}

TEST(ScramClient, RefusesMalformedServerMessages) {
    EXPECT_EQ(refusal(server_first(nonce, "", "4096")), "malformed SCRAM message (invalid salt)");
    EXPECT_EQ(refusal(server_first(nonce, "!!!!", "1")), "malformed SCRAM message (invalid salt)");
    EXPECT_EQ(refusal("m=x," + server_first(nonce, salt, "4096")),
              "server requires an unsupported SCRAM extension");
    EXPECT_THAT(refusal(""), HasSubstr("malformed SCRAM message"));
    EXPECT_THAT(refusal("e=other-error"), HasSubstr("malformed SCRAM message"));
    EXPECT_THAT(refusal(server_first(nonce, salt, "4096,?")), HasSubstr("malformed SCRAM message"));
    EXPECT_THAT(refusal(server_first(nonce, salt, "4096,x=" + std::string(scram_max_message, 'x'))),
                HasSubstr("too long"));
}

TEST(ScramClient, EveryTruncatedServerMessageFailsOrIsNotVerified) {
    for (std::size_t size = 0; size < test::server_first.size(); ++size) {
        auto client = make_client();
        (void)client.initial();
        const std::string prefix(test::server_first.substr(0, size));
        (void)client.on_continue(prefix);
        EXPECT_FALSE(client.on_final(test::without_binding.server_final)) << size;
    }
}

TEST(ScramClient, DoesNotTrustAServerThatCannotProveItself) {
    const auto after_final = [](std::string_view server_final) {
        auto client = make_client();
        (void)client.initial();
        (void)client.on_continue(test::server_first);
        const auto result = client.on_final(server_final);
        EXPECT_FALSE(result) << server_final;
        EXPECT_FALSE(client.verified());
        return result ? std::string() : result.error().message;
    };
    EXPECT_THAT(after_final(test::server_final), HasSubstr("incorrect server signature"));
    EXPECT_EQ(after_final("e=invalid-\nproof"),
              "error received from server in SCRAM exchange: invalid-?proof");
    EXPECT_THAT(after_final(""), HasSubstr("malformed server signature"));
    EXPECT_THAT(after_final("v="), HasSubstr("malformed server signature"));
    EXPECT_THAT(after_final("v=AAAA"), HasSubstr("malformed server signature"));
    EXPECT_THAT(after_final(std::string(test::without_binding.server_final) + ",?"),
                HasSubstr("malformed server signature"));
    for (std::size_t size = 0; size < test::without_binding.server_final.size(); ++size)
        (void)after_final(std::string(test::without_binding.server_final.substr(0, size)));
}

TEST(ScramClient, MessagesOutOfOrderFail) {
    auto early = make_client();
    EXPECT_FALSE(early.on_final(test::server_final));
    EXPECT_FALSE(early.on_continue(test::server_first));
    auto unstarted = make_client();
    EXPECT_FALSE(unstarted.on_continue(test::server_first));
    auto twice = make_client();
    (void)twice.initial();
    EXPECT_TRUE(twice.on_continue(test::server_first));
    EXPECT_FALSE(twice.on_continue(test::server_first));
}

}  // namespace
}  // namespace howdah::protocol
