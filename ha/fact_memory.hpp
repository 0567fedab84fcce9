#pragma once
#include "ha/facts.hpp"

namespace howdah::ha {

/// What is known of a server after a reading, by what was known before: facts of a server that did
/// not answer stay as last read, and what is compared over several reads is worked out. Pure.
[[nodiscard]] server_facts remembered(const server_facts& before, server_facts fresh);

}  // namespace howdah::ha
