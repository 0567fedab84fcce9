#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/wire/scram.hpp"

/// What both sides of a SCRAM exchange and the verifiers share. Internal to protocol/wire.
namespace howdah::protocol::scram_detail {

/// HMAC-SHA-256 and SHA-256. Throw std::runtime_error if OpenSSL fails.
[[nodiscard]] scram_key hmac(std::string_view key, std::string_view text);
[[nodiscard]] scram_key hash(std::string_view text);

[[nodiscard]] inline std::string_view view(const scram_key& key) noexcept {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}
/// The key with these bytes, or nothing if there are not exactly 32.
[[nodiscard]] std::optional<scram_key> to_key(std::string_view bytes) noexcept;
[[nodiscard]] scram_key exclusive_or(const scram_key& a, const scram_key& b) noexcept;
[[nodiscard]] bool equal(const scram_key& a, const scram_key& b) noexcept;

/// ClientKey and ServerKey of a password (RFC 5802, section 3); the expensive step.
[[nodiscard]] scram_keys derive(std::string_view password, std::string salt, int iterations);

/// A decimal number without sign in [1, limit].
[[nodiscard]] std::optional<int> parse_iterations(std::string_view digits, int limit) noexcept;

/// Printable ASCII without the comma (RFC 5802, "printable").
[[nodiscard]] bool is_printable(std::string_view nonce) noexcept;
/// The text with everything that is not printable ASCII shown as '?', cut at 80 characters.
[[nodiscard]] std::string for_message(std::string_view text);
/// A character for an error message: itself, or as PostgreSQL writes it, e.g. 0x0a.
[[nodiscard]] std::string for_message(char c);

/// "gs2-header, channel binding data" in base64: the value of c= in client-final-message.
[[nodiscard]] std::string channel_binding_value(std::string_view gs2_header,
                                                std::string_view channel_binding_data);

/// Reads "a=value,b=value" with sticky failure; detail() is PostgreSQL's wording.
class attributes {
public:
    explicit attributes(std::string_view text) noexcept : text_(text) {}

    /// The value of the next attribute, which must be `name`.
    std::string_view value(char name);

    struct attribute {
        char name = 0;
        std::string_view value;
    };
    /// The next attribute, whatever letter it has; name 0 on failure.
    attribute any();

    [[nodiscard]] bool ok() const noexcept { return detail_.empty(); }
    [[nodiscard]] bool at_end() const noexcept { return position_ >= text_.size(); }
    /// Where the next attribute starts.
    [[nodiscard]] std::size_t position() const noexcept { return position_; }
    [[nodiscard]] char next() const noexcept { return at_end() ? '\0' : text_[position_]; }
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

private:
    std::string_view after_name(char name);
    void fail(std::string detail);

    std::string_view text_;
    std::size_t position_ = 0;
    std::string detail_;
};

}  // namespace howdah::protocol::scram_detail
