#pragma once

#include <string>
#include <string_view>

namespace howdah::protocol {

/// PostgreSQL's md5 password hash: "md5" and 32 hex digits of md5(password || user), 35 characters.
/// Empty where OpenSSL refuses MD5 (FIPS mode).
[[nodiscard]] std::string md5_password(std::string_view password, std::string_view user);

/// Whether `secret` is such a hash rather than a password.
[[nodiscard]] bool is_md5_password(std::string_view secret) noexcept;

/// The response to AuthenticationMD5Password: "md5" and the digits of md5(digits || salt). `secret`
/// is a password or its md5_password(); `salt` is four bytes. Empty as above. A server side
/// compares it with constant_time_equal().
[[nodiscard]] std::string md5_response(std::string_view secret, std::string_view user,
                                       std::string_view salt);

/// Compares secrets in a time that depends only on their sizes.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b) noexcept;

}  // namespace howdah::protocol
