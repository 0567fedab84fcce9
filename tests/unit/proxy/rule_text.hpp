#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "conf/loader.hpp"
#include "proxy/rules/compiled_rules.hpp"

namespace howdah::proxy::test {

/// Settings with these query rules, and these further sections, as YAML. Hostgroups 0 to 9 are
/// there.
inline conf::settings settings_of(const std::string& rules, const std::string& more = {}) {
    std::string yaml = "servers:\n";
    for (int hostgroup = 0; hostgroup < 10; ++hostgroup)
        yaml += "  - {hostgroup_id: " + std::to_string(hostgroup) + ", hostname: a}\n";
    yaml += "users: [{username: alice, password: x}]\nquery_rules: [" + rules + "]\n" + more;
    const conf::load_result loaded = conf::load_text(yaml, "rules");
    for (const auto& error : loaded.errors)
        throw std::runtime_error(error.to_string() + " in " + rules);
    return *loaded.value;
}

/// What a verdict says, in one line, rules by their ids.
inline std::string in_words(const rule_verdict& v, const compiled_rules& rules) {
    std::string out;
    const auto add = [&](const char* name, const std::string& value) {
        out += std::string(out.empty() ? "" : " ") + name + "=" + value;
    };
    const auto number = [&](const char* name, const auto& value) {
        if (value) add(name, std::to_string(*value));
    };
    const auto time = [&](const char* name, const auto& value) {
        if (value) add(name, std::to_string(value->count()));
    };
    const auto text = [&](const char* name, const auto& value) {
        if (value) add(name, "'" + *value + "'");
    };
    number("to", v.destination_hostgroup);
    time("cache_ttl", v.cache_ttl);
    number("cache_empty_result", v.cache_empty_result);
    time("cache_timeout", v.cache_timeout);
    number("reconnect", v.reconnect);
    time("timeout", v.timeout);
    number("retries", v.retries);
    time("delay", v.delay);
    number("next", v.next_query_flag_in);
    number("mirror_flag", v.mirror_flag_out);
    number("mirror", v.mirror_hostgroup);
    text("error", v.error_msg);
    text("ok", v.ok_msg);
    number("sticky", v.sticky_conn);
    number("multiplex", v.multiplex);
    number("log", v.log);
    text("text", v.rewritten);
    if (v.flag != 0) add("flag", std::to_string(v.flag));
    if (v.firewall == firewall_finding::detected) add("firewall", "detected");
    if (v.firewall == firewall_finding::blocked) add("firewall", "blocked");
    std::string ids;
    for (const std::uint32_t n : v.matched)
        ids += (ids.empty() ? "" : ",") + std::to_string(rules.rule_id(n));
    if (!ids.empty()) add("by", ids);
    if (v.applied) out += " apply";
    return out.empty() ? "nothing" : out;
}

}  // namespace howdah::proxy::test
