#include "protocol/wire/scram.hpp"

#include <openssl/rand.h>

#include <limits>
#include <stdexcept>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/scram_detail.hpp"

namespace howdah::protocol {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t raw_nonce_size = 18;

/// Takes the text up to `separator` off the front; nothing if there is no separator.
std::optional<std::string_view> take_until(std::string_view& text, char separator) noexcept {
    const auto end = text.find(separator);
    if (end == std::string_view::npos) return std::nullopt;
    const auto taken = text.substr(0, end);
    text.remove_prefix(end + 1);
    return taken;
}

std::optional<scram_key> decode_key(std::string_view base64) {
    const auto bytes = base64_decode(base64);
    return bytes ? scram_detail::to_key(*bytes) : std::nullopt;
}

}  // namespace

std::optional<scram_verifier> parse_verifier(std::string_view text) {
    if (take_until(text, '$') != scram_sha_256) return std::nullopt;
    const auto iterations = take_until(text, ':');
    const auto salt = take_until(text, '$');
    const auto stored_key = take_until(text, ':');
    if (!iterations || !salt || !stored_key) return std::nullopt;

    const auto count = scram_detail::parse_iterations(*iterations, std::numeric_limits<int>::max());
    auto salt_bytes = base64_decode(*salt);
    const auto stored = decode_key(*stored_key);
    const auto server = decode_key(text);
    if (!count || !salt_bytes || salt_bytes->empty() || salt_bytes->size() > scram_max_salt ||
        !stored || !server)
        return std::nullopt;
    return scram_verifier{*count, std::move(*salt_bytes), *stored, *server};
}

std::string format_verifier(const scram_verifier& verifier) {
    return std::string(scram_sha_256) + "$" + std::to_string(verifier.iterations) + ":" +
           base64_encode(verifier.salt) + "$" +
           base64_encode(scram_detail::view(verifier.stored_key)) + ":" +
           base64_encode(scram_detail::view(verifier.server_key));
}

scram_verifier make_verifier(std::string_view password, std::string salt, int iterations) {
    auto keys = scram_detail::derive(password, std::move(salt), iterations);
    return {iterations, std::move(keys.salt),
            scram_detail::hash(scram_detail::view(keys.client_key)), keys.server_key};
}

std::optional<scram_keys> keys_if_matches(const scram_verifier& verifier,
                                          std::string_view password) {
    if (verifier.iterations > scram_max_iterations) return std::nullopt;
    auto keys = scram_detail::derive(password, verifier.salt, verifier.iterations);
    if (!scram_detail::equal(keys.server_key, verifier.server_key)) return std::nullopt;
    return keys;
}

bool verifier_matches(const scram_verifier& verifier, std::string_view password) {
    return keys_if_matches(verifier, password).has_value();
}

scram_verifier mock_verifier(std::string_view user, std::string_view secret) {
    const auto derived = [&](std::string_view purpose) {
        return scram_detail::hmac(secret, std::string(purpose).append(user));
    };
    const auto salt = derived("salt:");
    return {scram_default_iterations, std::string(scram_detail::view(salt).substr(0, salt_size)),
            derived("stored:"), derived("server:")};
}

std::string random_nonce() {
    std::string raw(raw_nonce_size, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(raw.size())) != 1)
        throw std::runtime_error("could not generate random nonce");
    return base64_encode(raw);
}

}  // namespace howdah::protocol
