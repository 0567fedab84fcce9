#include "protocol/wire/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace howdah::protocol {
namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned char* writable(std::string& text) {
    return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* readable(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
    // EVP_EncodeBlock adds a NUL, which std::string has room for.
    std::string text((bytes.size() + 2) / 3 * 4, '\0');
    EVP_EncodeBlock(writable(text), readable(bytes), static_cast<int>(bytes.size()));
    return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    // EVP_DecodeBlock skips white space and misplaced padding, so the alphabet is checked here.
    const auto digits = text.substr(0, std::min(text.find('='), text.size()));
    const auto padding = text.substr(digits.size());
    if (digits.find_first_not_of(alphabet) != std::string_view::npos) return std::nullopt;
    if (!padding.empty() && padding != "=" && padding != "==") return std::nullopt;

    std::string bytes(text.size() / 4 * 3, '\0');
    if (EVP_DecodeBlock(writable(bytes), readable(text), static_cast<int>(text.size())) < 0)
        return std::nullopt;
    bytes.resize(bytes.size() - padding.size());
    return bytes;
}

}  // namespace howdah::protocol
