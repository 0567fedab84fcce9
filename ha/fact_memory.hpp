#pragma once
#include "ha/facts.hpp"

namespace howdah::ha {

/// Another manager that is seen no more counts as there for so long: its sessions come and go, as
/// when its daemon is restarted or upgraded.
inline constexpr time_us manager_memory_us = 300'000'000;

/// What is known of a server after a reading, by what was known before: facts of a server that did
/// not answer stay as last read, and what is compared over several reads is worked out. Pure.
[[nodiscard]] server_facts remembered(const server_facts& before, server_facts fresh);

}  // namespace howdah::ha
