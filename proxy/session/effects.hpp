#pragma once
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// True where a successful run changes something about the session that must be remembered.
[[nodiscard]] bool has_effects(const sql::traits& t);

/// It calls pg_advisory_unlock or the like.
[[nodiscard]] bool releases_advisory_locks(const sql::traits& t);

/// DEALLOCATE ALL or DISCARD ALL, alone.
[[nodiscard]] bool drops_statements(const sql::traits& t);

/// Changes of session parameters inside a transaction that is still open: kept on COMMIT,
/// forgotten on ROLLBACK, cut back on ROLLBACK TO SAVEPOINT. And the reasons for which the session
/// is bound to its server connection. Pure.
class transaction_effects {
public:
    /// One statement ran successfully.
    void ran(const sql::traits& t);
    /// CommandComplete with this tag.
    void completed(std::string_view tag);
    /// The implicit transaction of one statement or pipeline failed.
    void failed_outside_transaction() { pending_.clear(); }
    /// ReadyForQuery inside a transaction.
    void still_in_transaction() { rolled_back_ = false; }
    /// ReadyForQuery outside a transaction: the changes that last now. Forgets them.
    [[nodiscard]] std::vector<sql::setting_change> settle();
    /// Statements of this transaction may be read in another way than those after it.
    [[nodiscard]] bool changes_reading() const;
    [[nodiscard]] bool nothing_pending() const { return pending_.empty() && committed_.empty(); }

    [[nodiscard]] std::uint16_t pins() const { return pins_; }
    void pin(std::uint16_t reasons) { pins_ |= reasons; }
    void unpin(std::uint16_t reasons) { pins_ = static_cast<std::uint16_t>(pins_ & ~reasons); }
    void unpin_all() { pins_ = 0; }
    /// DISCARD ALL or DEALLOCATE ALL went through since this was last asked.
    [[nodiscard]] bool take_statements_dropped() { return std::exchange(dropped_, false); }
    void forget() {
        pending_.clear();
        dropped_ = false;
        rolled_back_ = false;
    }

private:
    struct step {
        sql::setting_change change;
        std::string savepoint;  ///< not empty: a mark, not a change
        bool unlisten = false;  ///< UNLISTEN *: ends a pin, not a change
    };
    void end_transaction();

    std::vector<step> pending_;
    std::vector<sql::setting_change> committed_;  // by a COMMIT that no ReadyForQuery followed yet
    std::uint16_t pins_ = 0;
    bool dropped_ = false;
    bool rolled_back_ = false;
};

}  // namespace howdah::proxy
