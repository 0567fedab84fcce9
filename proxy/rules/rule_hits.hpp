#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "proxy/rules/compiled_rules.hpp"

namespace howdah::proxy {

/// How many statements each rule has matched, since these rules are in force. One per worker, on
/// its thread.
class rule_hits {
public:
    struct row {
        int rule_id;
        std::uint64_t hits;
        bool operator==(const row&) const = default;
    };

    /// `rules` are those in force; a verdict of others does not count.
    void count(const std::shared_ptr<const compiled_rules>& rules, const rule_verdict& verdict) {
        if (rules != rules_) {
            rules_ = rules;
            hits_.assign(rules->size(), 0);
        }
        if (verdict.judge != rules.get()) return;
        for (const std::uint32_t number : verdict.matched)
            ++hits_[number];
    }
    /// In the order of the rules' ids.
    [[nodiscard]] std::vector<row> read(const std::shared_ptr<const compiled_rules>& rules) const {
        std::vector<row> all;
        for (std::uint32_t n = 0; n < rules->size(); ++n)
            all.push_back({rules->rule_id(n), rules == rules_ ? hits_[n] : 0});
        return all;
    }

private:
    std::shared_ptr<const compiled_rules> rules_;
    std::vector<std::uint64_t> hits_;
};

}  // namespace howdah::proxy
