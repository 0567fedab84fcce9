#include "proxy/session/client_rules.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>

#include "conf/hba_names.hpp"

namespace howdah::proxy {
namespace {

re2::StringPiece piece(std::string_view text) {
    return {text.data(), text.size()};
}

std::unique_ptr<re2::RE2> compile_expression(std::string_view expression,
                                             const std::string& label) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto compiled = std::make_unique<re2::RE2>(piece(expression), options);
    if (!compiled->ok()) throw std::runtime_error(label + ": " + compiled->error());
    return compiled;
}

bool type_matches(conf::hba_type type, const login_facts& facts) {
    switch (type) {
        case conf::hba_type::local:
            return facts.local;
        case conf::hba_type::host:
            return !facts.local;
        case conf::hba_type::hostssl:
            return !facts.local && facts.tls;
        case conf::hba_type::hostnossl:
            return !facts.local && !facts.tls;
    }
    return false;
}

}  // namespace

client_rules::client_rules(const std::vector<conf::hba_rule>& rules,
                           const std::vector<conf::user_map>& maps,
                           const std::function<own_networks()>& networks) {
    for (const conf::hba_rule& row : rules) {
        const std::string label = "hba rule " + std::to_string(rules_.size() + 1);
        rule r{row, compile(row.database, label + ": database", true),
               compile(row.user, label + ": user", false), std::nullopt};
        if (row.address) r.range = conf::parse_ip_range(*row.address);
        rules_.push_back(std::move(r));
    }
    if (std::ranges::any_of(rules, [](const conf::hba_rule& row) {
            return row.address == "samehost" || row.address == "samenet";
        }))
        networks_ = networks();
    for (const conf::user_map& row : maps) {
        mapping m{row, nullptr};
        if (row.system_user.starts_with('/'))
            m.expression = compile_expression(std::string_view(row.system_user).substr(1),
                                              "user map \"" + row.map + "\": system_user");
        const bool refers = row.database_user.find("\\1") != std::string::npos;
        if (refers && (!m.expression || m.expression->NumberOfCapturingGroups() == 0))
            throw std::runtime_error("user map \"" + row.map +
                                     "\": database_user has \\1, but system_user is no expression "
                                     "with a group in parentheses");
        maps_.push_back(std::move(m));
    }
}

client_rules::~client_rules() = default;

std::vector<client_rules::name> client_rules::compile(const std::string& list,
                                                      const std::string& label, bool databases) {
    std::vector<name> names;
    for (const std::string_view entry : conf::split_hba_names(list)) {
        name n{name::kind::exact, std::string(entry), nullptr};
        if (entry.starts_with('"')) {
            n.text = entry.substr(1, entry.size() - 2);
        } else if (entry.starts_with('/')) {
            n.what = name::kind::expression;
            n.expression = compile_expression(entry.substr(1), label);
        } else if (entry == "all") {
            n.what = name::kind::all;
        } else if (databases && entry == "sameuser") {
            n.what = name::kind::same_user;
        } else if (databases && entry == "replication") {
            n.what = name::kind::replication;
        }
        names.push_back(std::move(n));
    }
    return names;
}

bool client_rules::database_matches(const name& wanted, const login_facts& facts) {
    if (facts.physical_replication) return wanted.what == name::kind::replication;
    switch (wanted.what) {
        case name::kind::all:
            return true;
        case name::kind::same_user:
            return facts.database == facts.user;
        case name::kind::replication:
            return false;
        case name::kind::exact:
            return facts.database == wanted.text;
        case name::kind::expression:
            return re2::RE2::PartialMatch(piece(facts.database), *wanted.expression);
    }
    return false;
}

bool client_rules::user_matches(const name& wanted, std::string_view user) {
    if (wanted.what == name::kind::all) return true;
    if (wanted.expression) return re2::RE2::PartialMatch(piece(user), *wanted.expression);
    return user == wanted.text;
}

bool client_rules::address_matches(const rule& r, const conf::ip_address& address) const {
    if (r.range) return r.range->contains(address);
    if (r.row.address == "samehost")
        return std::ranges::any_of(networks_,
                                   [&](const conf::ip_range& own) { return own.base == address; });
    if (r.row.address == "samenet")
        return std::ranges::any_of(
            networks_, [&](const conf::ip_range& own) { return own.contains(address); });
    return true;
}

const conf::hba_rule* client_rules::find(const login_facts& facts) const {
    for (const rule& r : rules_) {
        if (!type_matches(r.row.type, facts)) continue;
        if (!facts.local && !address_matches(r, facts.address)) continue;
        const bool here =
            std::ranges::any_of(r.databases,
                                [&](const name& n) { return database_matches(n, facts); }) &&
            std::ranges::any_of(r.users,
                                [&](const name& n) { return user_matches(n, facts.user); });
        if (here) return &r.row;
    }
    return nullptr;
}

bool client_rules::may_be(const std::optional<std::string>& map, std::string_view system_user,
                          std::string_view database_user) const {
    if (!map) return system_user == database_user;
    for (const mapping& m : maps_) {
        if (m.row.map != *map) continue;
        std::string as = m.row.database_user;
        if (m.expression) {
            re2::StringPiece groups[2];
            const int wanted = std::min(m.expression->NumberOfCapturingGroups(), 1) + 1;
            if (!m.expression->Match(piece(system_user), 0, system_user.size(),
                                     re2::RE2::UNANCHORED, groups, wanted))
                continue;
            if (const auto at = as.find("\\1"); at != std::string::npos)
                as.replace(at, 2, groups[1].data() == nullptr ? "" : groups[1].ToString());
        } else if (m.row.system_user != system_user) {
            continue;
        }
        if (m.row.database_user == "all" || as == database_user) return true;
    }
    return false;
}

}  // namespace howdah::proxy
