#include <algorithm>
#include <set>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/scram.hpp"
#include "tests/unit/wire/bytes.hpp"
#include "tests/unit/wire/scram_vectors.hpp"

namespace howdah::protocol {
namespace {

TEST(ScramVerifier, IsWhatPostgresqlStores) {
    const auto salt = base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    EXPECT_EQ(format_verifier(make_verifier(test::password, *salt)), test::verifier_text);
}

TEST(ScramVerifier, IsReadAndWrittenUnchanged) {
    const auto verifier = parse_verifier(test::verifier_text);
    ASSERT_TRUE(verifier);
    EXPECT_EQ(verifier->iterations, 4096);
    EXPECT_EQ(verifier->salt.size(), 16u);
    EXPECT_EQ(format_verifier(*verifier), test::verifier_text);
}

TEST(ScramVerifier, NoPrefixAndNothingLongerIsAVerifier) {
    test::expect_only_whole_body_accepted(parse_verifier, test::verifier_text);
}

TEST(ScramVerifier, BadPartsAreRefused) {
    const auto with = [](std::string_view part, std::string_view replacement) {
        std::string text(test::verifier_text);
        return text.replace(text.find(part), part.size(), replacement);
    };
    EXPECT_FALSE(parse_verifier(with("SCRAM-SHA-256", "SCRAM-SHA-1")));
    for (const auto* count :
         {"0", "-1", "+1", " 1", "4096x", "", "2147483648", "99999999999999999999999999"})
        EXPECT_FALSE(parse_verifier(with("4096", count))) << count;
    EXPECT_TRUE(parse_verifier(with("4096", "2147483647")));
    EXPECT_FALSE(parse_verifier(with("W22ZaJ0SNY7soEsUEjb6gQ==", "")));
    EXPECT_FALSE(parse_verifier(with("W22ZaJ0SNY7soEsUEjb6gQ==", "!!!!")));
    EXPECT_FALSE(parse_verifier(with("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", "WG5d")));
    EXPECT_FALSE(parse_verifier(with("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "wfPL")));
    EXPECT_FALSE(parse_verifier("pencil"));
    EXPECT_FALSE(parse_verifier(""));
}

TEST(ScramVerifier, RecognizesItsPassword) {
    const auto verifier = make_verifier("pencil", "salt", 3);
    EXPECT_TRUE(verifier_matches(verifier, "pencil"));
    EXPECT_FALSE(verifier_matches(verifier, "pencils"));
    EXPECT_FALSE(verifier_matches(verifier, ""));
}

TEST(ScramVerifier, GivesTheKeysOfItsPasswordToWhomeverKnowsIt) {
    const auto verifier = make_verifier("pencil", "salt", 3);
    const auto keys = keys_if_matches(verifier, "pencil");
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->salt, "salt");
    EXPECT_EQ(keys->iterations, 3);
    EXPECT_EQ(keys->server_key, verifier.server_key);
    // The client key is the one whose hash the verifier has: an exchange by it succeeds.
    scram_server server(verifier, {}, random_nonce());
    scram_client client({}, {}, false, random_nonce());
    client.set_known_keys(*keys);
    const auto challenge = server.on_initial(client.mechanism(), client.initial());
    const auto proof = client.on_continue(challenge.data);
    ASSERT_TRUE(proof);
    EXPECT_EQ(server.on_response(*proof).what, scram_server::action::kind::done);
    EXPECT_FALSE(keys_if_matches(verifier, "pencils"));
}

TEST(ScramVerifier, ThatWouldTakeMinutesOfWorkMatchesNothing) {
    auto verifier = make_verifier("pencil", "salt", 3);
    verifier.iterations = 2'000'000'000;
    EXPECT_FALSE(verifier_matches(verifier, "pencil"));
}

TEST(ScramVerifier, OfAnUnknownUserLooksRealAndStaysTheSame) {
    const auto mock = mock_verifier("nobody", "secret");
    EXPECT_EQ(mock.iterations, scram_default_iterations);
    EXPECT_EQ(mock.salt.size(), 16u);
    EXPECT_EQ(format_verifier(mock), format_verifier(mock_verifier("nobody", "secret")));
    EXPECT_NE(mock.salt, mock_verifier("nobody", "other secret").salt);
    EXPECT_NE(mock.salt, mock_verifier("somebody", "secret").salt);
    EXPECT_FALSE(verifier_matches(mock, ""));
}

TEST(ScramNonce, IsPrintableLongAndNeverTheSame) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto nonce = random_nonce();
        EXPECT_EQ(nonce.size(), 24u);
        EXPECT_EQ(nonce.find(','), std::string::npos);
        EXPECT_TRUE(
            std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > ' ' && c <= '~'; }));
        EXPECT_TRUE(seen.insert(nonce).second);
    }
}

}  // namespace
}  // namespace howdah::protocol
