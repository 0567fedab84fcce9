#pragma once

#include <string>
#include <string_view>

namespace howdah::protocol {

/// The form of a password that SCRAM hashes (SASLprep, RFC 4013; tables of RFC 3454). ASCII is
/// unchanged. In valid UTF-8 non-ASCII spaces become a space and characters "commonly mapped to
/// nothing" vanish. What is not UTF-8, becomes empty, or contains a prohibited character, is
/// returned as given, as PostgreSQL does. Limit: normalization (NFKC) and the checks of unassigned
/// and bidirectional characters are left out, so a password with characters that NFKC changes
/// (ligatures, full-width forms, combining sequences) works only where the other side hashes the
/// same bytes.
[[nodiscard]] std::string saslprep(std::string_view password);

}  // namespace howdah::protocol
