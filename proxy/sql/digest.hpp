#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::proxy::sql {

/// Identity of a statement text up to the values of its literals.
struct digest {
    /// Stable: the same on every host and after every restart. This is what users see and match.
    uint64_t hash = 0;
    /// The same tokens under the caller's key, so that nobody can craft two statements that share
    /// a cache entry. Zero-keyed unless compute_digest was given a key.
    uint64_t check = 0;

    bool operator==(const digest&) const = default;
};

/// One pass over the text with PostgreSQL's lexical rules (documentation 4.1, "Lexical
/// Structure"), no heap allocation, never fails: any bytes have a digest. String, bit-string and
/// numeric literals count as `?`; comments and white space do not count; unquoted words are folded
/// to lower case; consecutive rows of the same shape after VALUES count as one row; a list of
/// literals in `IN (...)` or `ARRAY[...]` counts as one literal; `;` at the end does not count.
/// Parameters (`$1`) are kept. Assumes standard_conforming_strings = on and an encoding whose
/// multi-byte characters contain no ASCII bytes (all server encodings; not SJIS, BIG5, GBK, UHC,
/// GB18030 or JOHAB as client_encoding). Thread-safe.
[[nodiscard]] digest compute_digest(std::string_view sql, uint64_t key = 0) noexcept;

/// The normalised text behind the digest: one space where the source had any white space or
/// comment, cut after `max` bytes. Two texts with equal digests may differ in their spaces only.
[[nodiscard]] std::string digest_text(std::string_view sql, std::size_t max);

/// The N of a comment `/* hostgroup=N */` before the first token (several comments: the first one
/// that has it). Blanks around name, `=` and number are allowed, and other words in the comment,
/// separated by blanks, commas or semicolons. nullopt: no hint, or N is not in 0..2147483647.
[[nodiscard]] std::optional<int> hostgroup_hint(std::string_view sql) noexcept;

}  // namespace howdah::proxy::sql
