#pragma once
#include "ha/facts.hpp"

namespace howdah::ha {

/// Another manager that is seen no more counts as there for so long: its sessions come and go, as
/// when its daemon is restarted or upgraded.
inline constexpr time_us manager_memory_us = 300'000'000;

/// What is known of a server after a reading, by what was known before: facts of a server that did
/// not answer stay as last read, and what is compared over several reads is worked out. Pure.
[[nodiscard]] server_facts remembered(const server_facts& before, server_facts fresh);

/// What a rejoin has to know of a server that does not answer any more, and that outlives Howdah.
struct server_memory {
    endpoint at;
    std::string data_directory;
    bool wal_log_hints = false;
    bool data_checksums = false;
    bool full_page_writes = true;

    bool operator==(const server_memory&) const = default;
};

/// Nothing where it was never read.
[[nodiscard]] std::optional<server_memory> memory_of(const endpoint& at, const server_facts& facts);
/// Leaves alone what was read since.
void recall(const server_memory& one, server_facts& facts);

}  // namespace howdah::ha
