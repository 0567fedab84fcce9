#include "proxy/session/client_access.hpp"

#include "protocol/wire/sqlstate.hpp"

namespace howdah::proxy {
namespace {

using conf::hba_method;

access_decision refuse(std::string message) {
    access_decision d;
    d.sqlstate = protocol::sqlstate::invalid_authorization_specification;
    d.message = std::move(message);
    return d;
}

/// In PostgreSQL's words.
std::string describe(const login_facts& facts) {
    std::string text = "host \"" + (facts.local ? "[local]" : conf::to_string(facts.address)) +
                       "\", user \"" + std::string(facts.user) + "\", ";
    if (!facts.physical_replication) text += "database \"" + std::string(facts.database) + "\", ";
    return text + (facts.tls ? "SSL encryption" : "no encryption");
}

hba_method to_method(conf::authentication_method method) {
    switch (method) {
        case conf::authentication_method::scram_sha_256:
            return hba_method::scram_sha_256;
        case conf::authentication_method::md5:
            return hba_method::md5;
        case conf::authentication_method::password:
            return hba_method::password;
        case conf::authentication_method::trust:
            return hba_method::trust;
    }
    return hba_method::reject;
}

}  // namespace

access_decision decide_access(const conf::variables& vars, const client_rules& rules,
                              const login_facts& facts, const conf::user* user) {
    using conf::client_sslmode;
    const bool tls_needed =
        vars.client_sslmode >= client_sslmode::require || (user != nullptr && user->use_ssl);
    if (tls_needed && !facts.tls && !facts.local)
        return refuse("no pg_hba.conf entry for " + describe(facts) + " (Howdah demands TLS)");

    access_decision d;
    d.method = to_method(vars.authentication_method);
    if (!rules.empty()) {
        const conf::hba_rule* rule = rules.find(facts);
        if (rule == nullptr)
            return refuse("no pg_hba.conf entry for " + describe(facts) + " (hba_rules of Howdah)");
        if (rule->method == hba_method::reject)
            return refuse("pg_hba.conf rejects connection for " + describe(facts) +
                          " (hba_rules of Howdah)");
        d.method = rule->method;
        d.map = rule->map;
        d.clientcert = rule->clientcert;
    }
    if (!facts.local && vars.client_sslmode == client_sslmode::verify_full)
        d.clientcert = conf::hba_clientcert::verify_full;
    if (!facts.local && vars.client_sslmode == client_sslmode::verify_ca && !d.clientcert)
        d.clientcert = conf::hba_clientcert::verify_ca;
    return d;
}

}  // namespace howdah::proxy
