#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "conf/settings.hpp"
#include "proxy/rules/verdict.hpp"

namespace howdah::proxy {

/// ProxySQL's firewall: which statements a user may run, by digest. Whoever is not listed may run
/// none. Immutable; thread-safe.
class firewall {
public:
    firewall(const std::vector<conf::firewall_user>& users,
             const std::vector<conf::firewall_rule>& rules);

    /// `flag` is the one with which the chain of rules has ended.
    [[nodiscard]] firewall_finding judge(const rule_subject& subject, int flag) const;

private:
    std::map<std::tuple<std::string, std::string>, conf::firewall_mode, std::less<>> users_;
    std::set<std::tuple<std::string, std::string, std::string, int, std::uint64_t>, std::less<>>
        allowed_;
};

}  // namespace howdah::proxy
