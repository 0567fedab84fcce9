#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace howdah::protocol::test {

/// The bytes of a literal, embedded NULs included.
template <std::size_t N>
std::string bytes(const char (&literal)[N]) {
    return std::string(literal, N - 1);
}

/// Runs a parser over every strict prefix of `body`, and over `body` with one more byte, each in a
/// buffer of its own size so that AddressSanitizer sees a read past the end. None may be accepted.
template <class Parse>
void expect_only_whole_body_accepted(Parse parse, std::string_view body) {
    EXPECT_TRUE(parse(body).has_value());
    for (std::size_t size = 0; size < body.size(); ++size) {
        const std::string prefix(body.substr(0, size));
        EXPECT_FALSE(parse(std::string_view(prefix)).has_value()) << "prefix of " << size;
    }
    const std::string longer = std::string(body) + '\0';
    EXPECT_FALSE(parse(std::string_view(longer)).has_value()) << "one byte too long";
}

}  // namespace howdah::protocol::test
