#include "proxy/rules/firewall.hpp"

#include "conf/rule_values.hpp"

namespace howdah::proxy {

firewall::firewall(const std::vector<conf::firewall_user>& users,
                   const std::vector<conf::firewall_rule>& rules) {
    for (const conf::firewall_user& u : users)
        if (u.active) users_.emplace(std::tuple(u.username, u.client_address), u.mode);
    for (const conf::firewall_rule& r : rules)
        if (r.active)
            allowed_.emplace(r.username, r.client_address, r.database, r.flag_in,
                             conf::parse_digest(r.digest).value_or(0));
}

firewall_finding firewall::judge(const rule_subject& subject, int flag) const {
    using key = std::tuple<std::string_view, std::string_view>;
    std::string_view address = subject.client_addr;
    auto user = users_.find(key(subject.username, address));
    if (user == users_.end()) {
        address = {};
        user = users_.find(key(subject.username, address));
    }
    const auto mode = user == users_.end() ? conf::firewall_mode::protecting : user->second;
    if (mode == conf::firewall_mode::off) return firewall_finding::none;
    if (allowed_.contains(
            std::tuple(subject.username, address, subject.database, flag, subject.digest)))
        return firewall_finding::none;
    return mode == conf::firewall_mode::detecting ? firewall_finding::detected
                                                  : firewall_finding::blocked;
}

}  // namespace howdah::proxy
