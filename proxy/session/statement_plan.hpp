#pragma once
#include <memory>
#include <string_view>

#include "proxy/rules/verdict.hpp"
#include "proxy/sql/statement_cache.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// One statement string of a client: what it is, and what the rules say of it.
struct statement_plan {
    std::shared_ptr<const sql::traits> what;  ///< of the text that is run
    verdict_ptr verdict;
    sql::digested_ptr digest;  ///< of the text that is run; null: it is not counted

    /// What is run instead of what the client has sent.
    [[nodiscard]] std::string_view text(std::string_view sent) const {
        return rewritten() ? std::string_view(*verdict->rewritten) : sent;
    }
    [[nodiscard]] bool rewritten() const { return verdict && verdict->rewritten; }
    /// A rule answers it: the client is told that it was run.
    [[nodiscard]] bool answered() const { return verdict && verdict->ok_msg; }
    /// A rule, or the firewall, has an error for it.
    [[nodiscard]] bool refused() const { return verdict && verdict->error_msg && !verdict->ok_msg; }
    [[nodiscard]] bool runs() const { return !answered() && !refused(); }
};

}  // namespace howdah::proxy
