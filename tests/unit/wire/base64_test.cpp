#include "protocol/wire/base64.hpp"

#include "tests/unit/wire/bytes.hpp"

namespace howdah::protocol {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648BothWays) {
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : vectors) {
        EXPECT_EQ(base64_encode(plain), encoded);
        EXPECT_EQ(base64_decode(encoded), plain);
    }
}

TEST(Base64, CarriesEveryByte) {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all.push_back(static_cast<char>(i));
    EXPECT_EQ(base64_decode(base64_encode(all)), all);
}

TEST(Base64, RefusesAnythingElse) {
    for (const auto* text : {"Z", "Zg", "Zg=", "Zm9vY", "Zg==Zg==", "=", "====", "Z===", "Zm=v",
                             "Zm9 ", "Zm9v\n", "Zm9\n", " m9v", "Zm9-", "Zm9_"})
        EXPECT_FALSE(base64_decode(text)) << text;
    EXPECT_FALSE(base64_decode(test::bytes("Zm9\0")));
}

}  // namespace
}  // namespace howdah::protocol
