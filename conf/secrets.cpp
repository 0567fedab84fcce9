#include "conf/secrets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "conf/diagnostic.hpp"
#include "conf/text_file.hpp"

namespace howdah::conf {
namespace {

constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view digits = "0123456789";

bool consists_of(std::string_view text, std::string_view set, std::string_view more = {}) {
    return std::ranges::all_of(text, [&](char c) {
        return set.find(c) != set.npos || digits.find(c) != digits.npos ||
               more.find(c) != more.npos;
    });
}

/// The name in "${NAME}", or nothing.
std::string_view referenced_name(std::string_view text) {
    if (!text.starts_with("${") || !text.ends_with('}')) return {};
    const auto name = text.substr(2, text.size() - 3);
    const bool valid = !name.empty() && digits.find(name.front()) == digits.npos &&
                       consists_of(name, letters, "_");
    return valid ? name : std::string_view{};
}

std::string_view without_dollars(std::string_view text) {
    const auto first = text.find_first_not_of('$');
    return first == 0 || first == text.npos ? text : text.substr(first - 1);
}

bool is_base64(std::string_view text, std::size_t size) {
    const auto padding = text.find('=');
    const auto body = text.substr(0, padding);
    return text.size() % 4 == 0 && (size == 0 ? !text.empty() : text.size() == size) &&
           text.size() - body.size() <= 2 && consists_of(body, letters, "+/") &&
           consists_of(text.substr(body.size()), "=", {}) &&
           text.substr(body.size()).find_first_not_of('=') == text.npos;
}

}  // namespace

resolved_value resolve_environment(std::string_view written) {
    resolved_value result;
    const auto name = referenced_name(written);
    if (name.empty()) {
        const bool escaped =
            written.starts_with("$$") && !referenced_name(without_dollars(written)).empty();
        result.text = escaped ? written.substr(1) : written;
        return result;
    }
    result.from_elsewhere = true;
    if (const char* value = std::getenv(std::string(name).c_str()))
        result.text = value;
    else
        result.error = fmt::format("environment variable {} is not set", quoted(name));
    return result;
}

std::string escape_environment(std::string_view text) {
    const bool reference = !referenced_name(without_dollars(text)).empty();
    return reference ? "$" + std::string(text) : std::string(text);
}

resolved_value read_secret_file(const std::string& path) {
    constexpr std::size_t largest_secret = 64 * 1024;
    resolved_value result;
    result.from_elsewhere = true;
    auto file = read_text_file(path, largest_secret);
    if (!file.error.empty()) {
        result.error = fmt::format("cannot read {}: {}", quoted(path), file.error);
        return result;
    }
    if (file.world_readable)
        result.warning = fmt::format("everybody may read {} (chmod 0600 it)", quoted(path));
    result.text = std::move(file.text);
    if (result.text.ends_with('\n')) result.text.pop_back();
    if (result.text.ends_with('\r')) result.text.pop_back();
    return result;
}

password_form form_of(std::string_view password) {
    constexpr std::string_view prefix = "SCRAM-SHA-256$";
    if (password.size() == 35 && password.starts_with("md5") &&
        consists_of(password.substr(3), "abcdef"))
        return password_form::md5_hash;
    if (!password.starts_with(prefix)) return password_form::plain;

    // SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
    password.remove_prefix(prefix.size());
    const auto colon = password.find(':');
    const auto dollar = password.find('$');
    if (colon == password.npos || dollar == password.npos || dollar < colon)
        return password_form::malformed_verifier;
    const auto iterations = password.substr(0, colon);
    const auto salt = password.substr(colon + 1, dollar - colon - 1);
    const auto keys = password.substr(dollar + 1);
    const auto middle = keys.find(':');
    constexpr std::size_t key_size = 44;  // 32 bytes in base64
    const bool valid = !iterations.empty() && iterations.size() <= 9 &&
                       consists_of(iterations, {}) &&
                       iterations.find_first_not_of('0') != iterations.npos && is_base64(salt, 0) &&
                       middle != keys.npos && is_base64(keys.substr(0, middle), key_size) &&
                       is_base64(keys.substr(middle + 1), key_size);
    return valid ? password_form::scram_verifier : password_form::malformed_verifier;
}

}  // namespace howdah::conf
