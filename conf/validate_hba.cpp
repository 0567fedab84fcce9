#include "conf/validate_hba.hpp"

#include <fmt/format.h>

#include "conf/names.hpp"

namespace howdah::conf {
namespace {

bool names_map(const document& config, const std::string& map) {
    return std::ranges::any_of(config.user_maps,
                               [&](const auto& row) { return row.value.map == map; });
}

void check_rule(const located<hba_rule>& rule, const document& config, problem_list& problems) {
    const hba_rule& r = rule.value;
    const variables& vars = config.vars.value;
    const auto error = [&](std::string_view column, std::string text) {
        problems.error(rule.line_of(column), "hba rule: " + std::move(text));
    };
    const bool is_local = r.type == hba_type::local;
    if (is_local && r.address)
        error("address", "'address' does not fit type local: a unix socket has no addresses");
    if (!is_local && !r.address)
        error("type",
              fmt::format("type {} needs an 'address', for instance all", to_string(r.type)));
    const bool wants_certificate = r.method == hba_method::cert || r.clientcert;
    if (wants_certificate && r.type != hba_type::hostssl)
        error(r.clientcert ? "clientcert" : "method",
              fmt::format("{} needs type hostssl", r.clientcert ? "clientcert" : "method cert"));
    else if (wants_certificate && vars.ssl_ca.empty())
        error(r.clientcert ? "clientcert" : "method",
              fmt::format("{} needs ssl_ca", r.clientcert ? "clientcert" : "method cert"));
    if (r.method == hba_method::peer && !is_local) error("method", "method peer needs type local");
    if (!r.map) return;
    if (r.method != hba_method::cert && r.method != hba_method::peer)
        error("map", "only the methods cert and peer use a map");
    else if (!names_map(config, *r.map))
        error("map", fmt::format("there is no user map {}", quoted(*r.map)));
}

}  // namespace

void validate_hba(const document& config, problem_list& problems) {
    for (const auto& rule : config.hba_rules)
        check_rule(rule, config, problems);
    const variables& vars = config.vars.value;
    if (vars.client_sslmode != client_sslmode::disable && !vars.ssl_cert.empty()) return;
    for (const auto& rule : config.hba_rules)
        if (rule.value.type == hba_type::hostssl)
            problems.warn(rule.line,
                          "hba rule: type hostssl matches nobody without ssl_cert and a "
                          "client_sslmode other than disable");
}

}  // namespace howdah::conf
