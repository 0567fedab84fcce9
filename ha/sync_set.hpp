#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "monitor/wal_sampler.hpp"

namespace howdah::ha {

using monitor::wal_position;

/// The value of `synchronous_standby_names`.
struct sync_spec {
    enum class method : std::uint8_t {
        none,      ///< empty: nobody is waited for
        priority,  ///< FIRST k (...), and the plain list: the first k that are there
        quorum     ///< ANY k (...)
    };
    enum method how = method::none;
    std::size_t count = 0;           ///< k, the number of confirmations a commit waits for
    std::vector<std::string> names;  ///< as written, without quotes; "*" matches every standby

    /// PostgreSQL compares names without regard to case.
    [[nodiscard]] bool names_standby(std::string_view application_name) const;
    [[nodiscard]] bool has_wildcard() const;

    bool operator==(const sync_spec&) const = default;
};

/// PostgreSQL's grammar (syncrep_gram.y). Nothing, and the reason in `error` where given, if the
/// text does not follow it.
[[nodiscard]] std::optional<sync_spec> parse_sync_spec(std::string_view text,
                                                       std::string* error = nullptr);
/// The text for ALTER SYSTEM; names quoted where needed.
[[nodiscard]] std::string to_string(const sync_spec& spec);

/// The same promise after `promoted` took the place of `old_primary`: it cannot confirm to itself,
/// the old primary can.
[[nodiscard]] sync_spec succeed(sync_spec spec, std::string_view promoted,
                                std::string_view old_primary);
/// What of the promise the standbys that are left can keep: only their names, and no more
/// confirmations than they can give. Empty where nobody is left.
[[nodiscard]] sync_spec relax(sync_spec spec, const std::vector<std::string>& left);

/// A server that may have confirmed commits, as far as it can be asked now.
struct sync_member {
    std::string application_name;
    bool reached = false;  ///< its position is known and can no longer grow by the old primary
    wal_position at;
};

/// Whether the servers that were asked must hold every commit that was ever confirmed.
struct sync_answer {
    bool certain = true;
    std::size_t members = 0;  ///< N: standbys that may have confirmed
    std::size_t reached = 0;  ///< R of them were asked
    std::size_t needed = 0;   ///< and so many must be: N - k + 1
    /// A server at this place or beyond has every confirmed commit. Only where `certain`.
    std::optional<wal_position> floor;
    std::vector<std::string> missing;  ///< members not asked
    std::string sentence;
};

/// R + W > N. A confirmed commit is on k of the N members, whichever they were, so every set of
/// N - k + 1 members has one that holds it, and of R members asked, the one that is
/// (k - (N - R))th from the front holds all. A name that no server bears counts as a member who was
/// not asked; two servers with one name are two members. `standbys` lists every server but the
/// primary that was in charge; `primary_name` in the set is that one itself and counts for nothing.
[[nodiscard]] sync_answer check_sync_set(const sync_spec& spec,
                                         const std::vector<sync_member>& standbys,
                                         std::string_view primary_name);

}  // namespace howdah::ha
