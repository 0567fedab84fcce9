#include "protocol/wire/scram_detail.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/saslprep.hpp"

namespace howdah::protocol::scram_detail {
namespace {

const unsigned char* bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

void require(bool success) {
    if (!success) throw std::runtime_error("OpenSSL failed to compute a SCRAM key");
}

}  // namespace

scram_key hmac(std::string_view key, std::string_view text) {
    scram_key result;
    unsigned int size = result.size();
    require(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes(text), text.size(),
                 result.data(), &size) != nullptr);
    return result;
}

scram_key hash(std::string_view text) {
    scram_key result;
    unsigned int size = result.size();
    require(EVP_Digest(text.data(), text.size(), result.data(), &size, EVP_sha256(), nullptr) == 1);
    return result;
}

std::optional<scram_key> to_key(std::string_view text) noexcept {
    scram_key key;
    if (text.size() != key.size()) return std::nullopt;
    std::copy(text.begin(), text.end(), key.begin());
    return key;
}

scram_key exclusive_or(const scram_key& a, const scram_key& b) noexcept {
    scram_key result;
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = a[i] ^ b[i];
    return result;
}

bool equal(const scram_key& a, const scram_key& b) noexcept {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

scram_keys derive(std::string_view password, std::string salt, int iterations) {
    std::string prepared = saslprep(password);
    scram_key salted;
    const bool success =
        PKCS5_PBKDF2_HMAC(prepared.data(), static_cast<int>(prepared.size()), bytes(salt),
                          static_cast<int>(salt.size()), iterations, EVP_sha256(),
                          static_cast<int>(salted.size()), salted.data()) == 1;
    OPENSSL_cleanse(prepared.data(), prepared.size());
    require(success);
    scram_keys keys{std::move(salt), iterations, hmac(view(salted), "Client Key"),
                    hmac(view(salted), "Server Key")};
    OPENSSL_cleanse(salted.data(), salted.size());
    return keys;
}

std::optional<int> parse_iterations(std::string_view digits, int limit) noexcept {
    int value = 0;
    const auto* end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    if (error != std::errc{} || stop != end || value < 1 || value > limit) return std::nullopt;
    return value;
}

bool is_printable(std::string_view nonce) noexcept {
    return std::all_of(nonce.begin(), nonce.end(),
                       [](char c) { return c >= '!' && c <= '~' && c != ','; });
}

std::string for_message(std::string_view text) {
    std::string shown(text.substr(0, 80));
    std::replace_if(
        shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return shown;
}

std::string for_message(char c) {
    if (c >= '!' && c <= '~') return {c};
    const auto byte = static_cast<unsigned char>(c);
    return {'0', 'x', "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
}

std::string channel_binding_value(std::string_view gs2_header,
                                  std::string_view channel_binding_data) {
    return base64_encode(std::string(gs2_header).append(channel_binding_data));
}

std::string_view attributes::value(char name) {
    if (!ok()) return {};
    if (next() != name) {
        fail(std::string("Expected attribute \"") + name + "\" but found \"" + for_message(next()) +
             "\".");
        return {};
    }
    return after_name(name);
}

attributes::attribute attributes::any() {
    if (!ok()) return {};
    if (at_end()) {
        fail("Attribute expected, but found end of string.");
        return {};
    }
    const char name = next();
    if (!((name >= 'a' && name <= 'z') || (name >= 'A' && name <= 'Z'))) {
        fail("Attribute expected, but found invalid character \"" + for_message(name) + "\".");
        return {};
    }
    const auto text = after_name(name);
    if (!ok()) return {};
    return {name, text};
}

std::string_view attributes::after_name(char name) {
    ++position_;
    if (next() != '=') {
        fail(std::string("Expected character \"=\" for attribute \"") + name + "\".");
        return {};
    }
    ++position_;
    const auto end = std::min(text_.find(',', position_), text_.size());
    const auto text = text_.substr(position_, end - position_);
    position_ = end + 1;
    return text;
}

void attributes::fail(std::string detail) {
    detail_ = std::move(detail);
    position_ = text_.size();
}

}  // namespace howdah::protocol::scram_detail
