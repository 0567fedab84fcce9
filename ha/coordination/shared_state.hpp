#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "ha/intent.hpp"
#include "ha/record.hpp"

namespace howdah::ha {

/// What the Howdahs of a cluster agree on: the record, and the journal of a failover under way.
/// Whoever takes over goes on with the journal as if it were its own after a crash.
struct shared_state {
    cluster_record record;
    std::optional<failover_intent> intent;

    bool operator==(const shared_state&) const = default;
};

/// JSON, as it stands in etcd. Connection strings of standbys are in it with their passwords, if
/// they have any: whoever takes over lets the standbys follow again with them. Pure.
[[nodiscard]] std::string to_json(const shared_state& state);

struct read_state {
    std::optional<shared_state> state;  ///< none: `error` says why
    std::string error;
};
/// `name` is what this Howdah calls the cluster. Nothing in the text is trusted.
[[nodiscard]] read_state state_from_json(std::string_view text, const std::string& name);

}  // namespace howdah::ha
