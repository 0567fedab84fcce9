#pragma once
#include <cstdint>
#include <string>

namespace howdah::proxy::ha_client {

/// What `howdah ha ...` was asked for.
struct request {
    std::string what;     ///< "recover"; empty: nothing
    std::string subject;  ///< the server or cluster that is meant; empty: none, or all
    std::string to;       ///< who takes the place, or whom to follow
    std::string cluster;  ///< of history and ack; empty: all
    std::string comment;
    bool allow_data_loss = false;
    bool dry_run = false;
    std::uint32_t limit = 20;   ///< rows of history
    std::int64_t recovery = 0;  ///< whose steps history shows; 0: of none
    std::string host, user;     ///< of the running Howdah, as given by options
    std::uint16_t port = 0;

    /// It is one look at the servers, without a running Howdah.
    [[nodiscard]] bool only_looks() const {
        return what == "topology" || what == "check" || what == "why";
    }
};

}  // namespace howdah::proxy::ha_client
