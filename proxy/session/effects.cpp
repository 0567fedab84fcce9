#include "proxy/session/effects.hpp"

#include <algorithm>

#include "proxy/session/settings.hpp"

namespace howdah::proxy {

bool releases_advisory_locks(const sql::traits& t) {
    return std::any_of(t.functions.begin(), t.functions.end(), [](const std::string& name) {
        return name.find("pg_advisory_unlock") != name.npos;
    });
}

bool has_effects(const sql::traits& t) {
    if (t.pins != 0 || !t.settings.empty() || !t.parts.empty() || releases_advisory_locks(t))
        return true;
    switch (t.first) {
        case sql::verb::savepoint:
        case sql::verb::rollback_to:
        case sql::verb::release:
        case sql::verb::unlisten:
        case sql::verb::deallocate:
        case sql::verb::discard:
        case sql::verb::close_cursor:
        case sql::verb::ddl:
            return true;
        default:
            return false;
    }
}

bool drops_statements(const sql::traits& t) {
    return t.statements == 1 && ((t.first == sql::verb::deallocate && t.target.empty()) ||
                                 (t.first == sql::verb::discard && t.target == "all"));
}

void transaction_effects::ran(const sql::traits& t) {
    pins_ |= t.pins;
    if (sql::has_pin(t.pins, sql::pin_reason::listen))
        std::erase_if(pending_, [](const step& s) { return s.unlisten; });
    if (t.ends_transaction) {
        end_transaction();
        return;
    }
    for (const sql::setting_change& change : t.settings)
        pending_.push_back({change, {}});
    const auto mark = std::find_if(pending_.rbegin(), pending_.rend(), [&](const step& s) {
        return !s.savepoint.empty() && s.savepoint == t.target;
    });
    if (t.first == sql::verb::savepoint) {
        // Only worth a mark if something could have to be undone; later changes need it too.
        pending_.push_back({{}, t.target});
    } else if (t.first == sql::verb::rollback_to) {
        rolled_back_ = false;
        // The savepoint itself stays.
        if (mark != pending_.rend()) pending_.erase(mark.base(), pending_.end());
    } else if (t.first == sql::verb::release) {
        // With those behind it.
        if (mark != pending_.rend())
            pending_.erase(std::remove_if(std::prev(mark.base()), pending_.end(),
                                          [](const step& s) { return !s.savepoint.empty(); }),
                           pending_.end());
    } else if (t.first == sql::verb::unlisten && t.target.empty()) {
        pending_.push_back({{}, {}, true});
    }
}

void transaction_effects::end_transaction() {
    if (!std::exchange(rolled_back_, false)) {
        for (step& s : pending_) {
            if (s.unlisten) {
                pins_ &= static_cast<std::uint16_t>(
                    ~static_cast<std::uint16_t>(sql::pin_reason::listen));
            } else if (s.savepoint.empty()) {
                committed_.push_back(std::move(s.change));
            }
        }
    }
    pending_.clear();
}

bool transaction_effects::changes_reading() const {
    // Names are looked up anew under another search_path or role; literals and encodings are not.
    const auto changes = [](const sql::setting_change& c) {
        return c.what == sql::setting_change::kind::reset_all ||
               (!c.name.empty() && c.name != "search_path" && c.name != "role" &&
                c.name != "session_authorization" && proxy::changes_reading(c.name));
    };
    return std::any_of(pending_.begin(), pending_.end(),
                       [&](const step& s) { return changes(s.change); }) ||
           std::any_of(committed_.begin(), committed_.end(), changes);
}

void transaction_effects::completed(std::string_view tag) {
    if (tag == "DISCARD ALL") {
        pending_.clear();
        pending_.push_back({{sql::setting_change::kind::reset_all, {}, {}}, {}});
        pending_.push_back({{sql::setting_change::kind::reset, "role", {}}, {}});
        pending_.push_back({{sql::setting_change::kind::reset, "session_authorization", {}}, {}});
        pins_ = 0;
        dropped_ = true;
    } else if (tag == "DEALLOCATE ALL") {
        pins_ &=
            static_cast<std::uint16_t>(~static_cast<std::uint16_t>(sql::pin_reason::sql_prepare));
        dropped_ = true;
    } else if (tag == "ROLLBACK") {
        // Of the whole transaction or to a savepoint: the next ReadyForQuery tells. COMMIT of a
        // failed transaction says ROLLBACK, too.
        rolled_back_ = true;
    }
}

std::vector<sql::setting_change> transaction_effects::settle() {
    end_transaction();
    return std::exchange(committed_, {});
}

}  // namespace howdah::proxy
