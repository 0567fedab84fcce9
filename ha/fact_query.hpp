#pragma once
#include <string>
#include <string_view>

#include "ha/facts.hpp"

namespace howdah::ha {

/// One statement whose only row and column is a JSON text with all that a server says about itself.
/// For PostgreSQL 13 and later; `version_num` is server_version_num. What needs a privilege that
/// the role lacks (pg_monitor) is missing in the answer. A promotion in the middle of it is an
/// error.
/// `lists_wal`: the role may list WAL files (pg_monitor): else this has to be false.
[[nodiscard]] std::string fact_query(int version_num, bool lists_wal = true);

/// Puts the answer to `fact_query` into `facts`, with `sent_at_us` as `read_at_us`: ages that the
/// server states are subtracted from it. Reachability and what is compared over several reads are
/// left as they are. Returns "" or what is wrong with the answer; `facts` is unchanged then.
[[nodiscard]] std::string read_facts(std::string_view json, time_us sent_at_us,
                                     server_facts& facts);

}  // namespace howdah::ha
