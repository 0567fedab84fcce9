#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::ha {

/// PostgreSQL's text for an LSN: the two halves in hexadecimal, as in "0/16B3748".
[[nodiscard]] std::string format_lsn(std::uint64_t lsn);

/// Nothing where the text is no LSN.
[[nodiscard]] std::optional<std::uint64_t> parse_lsn(std::string_view text);

/// "12 bytes", "3.5 MiB": how much WAL, for sentences.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

}  // namespace howdah::ha
