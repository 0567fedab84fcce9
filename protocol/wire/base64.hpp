#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace howdah::protocol {

/// Base64 of RFC 4648 with padding, without line breaks.
[[nodiscard]] std::string base64_encode(std::string_view bytes);

/// The bytes, or nothing unless `text` is exactly such base64: no white space, padding complete.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace howdah::protocol
