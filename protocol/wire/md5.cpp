#include "protocol/wire/md5.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

namespace howdah::protocol {
namespace {

constexpr std::string_view prefix = "md5";
constexpr std::size_t digits = 32;

std::string prefixed_md5(std::string_view first, std::string_view second) {
    const std::string text = std::string(first).append(second);
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_md5(), nullptr) != 1)
        return {};
    std::string result(prefix);
    for (unsigned int i = 0; i < size; ++i) {
        result.push_back("0123456789abcdef"[hash[i] >> 4]);
        result.push_back("0123456789abcdef"[hash[i] & 15]);
    }
    return result;
}

}  // namespace

std::string md5_password(std::string_view password, std::string_view user) {
    return prefixed_md5(password, user);
}

bool is_md5_password(std::string_view secret) noexcept {
    return secret.size() == prefix.size() + digits && secret.starts_with(prefix) &&
           secret.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

std::string md5_response(std::string_view secret, std::string_view user, std::string_view salt) {
    const std::string hash =
        is_md5_password(secret) ? std::string(secret) : md5_password(secret, user);
    if (hash.empty()) return {};
    return prefixed_md5(std::string_view(hash).substr(prefix.size()), salt);
}

bool constant_time_equal(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace howdah::protocol
