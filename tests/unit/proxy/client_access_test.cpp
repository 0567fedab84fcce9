#include "proxy/session/client_access.hpp"

#include <gtest/gtest.h>

namespace howdah::proxy {
namespace {

using conf::authentication_method;
using conf::client_sslmode;
using conf::hba_clientcert;
using conf::hba_method;

class client_access : public ::testing::Test {
protected:
    client_access() {
        facts.address = conf::parse_ip("10.0.0.1").value();
        facts.user = "u";
        facts.database = "d";
    }
    access_decision decide(const conf::user* user = nullptr) {
        const client_rules compiled(rules, {}, [] { return own_networks(); });
        return decide_access(vars, compiled, facts, user);
    }

    conf::variables vars;
    std::vector<conf::hba_rule> rules;
    login_facts facts;
};

TEST_F(client_access, without_rules_authentication_method_is_for_everybody) {
    for (const auto& [configured, asked] :
         {std::pair(authentication_method::scram_sha_256, hba_method::scram_sha_256),
          std::pair(authentication_method::md5, hba_method::md5),
          std::pair(authentication_method::password, hba_method::password),
          std::pair(authentication_method::trust, hba_method::trust)}) {
        vars.authentication_method = configured;
        EXPECT_EQ(decide().sqlstate, "");
        EXPECT_EQ(decide().method, asked);
    }
}

TEST_F(client_access, who_matches_no_rule_is_refused_in_postgresqls_words) {
    rules.resize(1);
    rules[0].address = "127.0.0.1";
    EXPECT_EQ(decide().sqlstate, "28000");
    EXPECT_EQ(decide().message,
              "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", no "
              "encryption (hba_rules of Howdah)");
    facts.tls = true;
    EXPECT_EQ(decide().message,
              "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"d\", SSL "
              "encryption (hba_rules of Howdah)");
    facts.tls = false;
    facts.local = true;
    facts.physical_replication = true;
    EXPECT_EQ(decide().message,
              "no pg_hba.conf entry for host \"[local]\", user \"u\", no encryption (hba_rules of "
              "Howdah)");
}

TEST_F(client_access, a_rule_can_reject) {
    rules.resize(1);
    rules[0].address = "all";
    rules[0].method = hba_method::reject;
    EXPECT_EQ(decide().sqlstate, "28000");
    EXPECT_EQ(decide().message,
              "pg_hba.conf rejects connection for host \"10.0.0.1\", user \"u\", database \"d\", "
              "no encryption (hba_rules of Howdah)");
}

TEST_F(client_access, a_rule_says_what_has_to_be_proven) {
    vars.authentication_method = authentication_method::trust;
    rules.resize(1);
    rules[0].address = "all";
    rules[0].method = hba_method::md5;
    rules[0].map = "m";
    rules[0].clientcert = hba_clientcert::verify_ca;
    const access_decision d = decide();
    EXPECT_EQ(d.sqlstate, "");
    EXPECT_EQ(d.method, hba_method::md5);
    EXPECT_EQ(d.map, "m");
    EXPECT_EQ(d.clientcert, hba_clientcert::verify_ca);
}

TEST_F(client_access, tls_that_is_required_is_required_under_every_rule) {
    rules.resize(1);
    rules[0].address = "all";
    rules[0].method = hba_method::trust;
    conf::user careful;
    careful.use_ssl = true;
    EXPECT_EQ(decide(&careful).sqlstate, "28000");
    for (const auto mode :
         {client_sslmode::require, client_sslmode::verify_ca, client_sslmode::verify_full}) {
        vars.client_sslmode = mode;
        facts.tls = false;
        EXPECT_EQ(decide().sqlstate, "28000");
        facts.tls = true;
        EXPECT_EQ(decide(&careful).sqlstate, "");
    }
}

TEST_F(client_access, a_unix_socket_needs_neither_tls_nor_a_certificate) {
    vars.client_sslmode = client_sslmode::verify_full;
    facts.local = true;
    EXPECT_EQ(decide().sqlstate, "");
    EXPECT_EQ(decide().clientcert, std::nullopt);
}

TEST_F(client_access, client_sslmode_asks_for_certificates_and_never_weakens_a_rule) {
    facts.tls = true;
    vars.client_sslmode = client_sslmode::verify_ca;
    EXPECT_EQ(decide().clientcert, hba_clientcert::verify_ca);
    rules.resize(1);
    rules[0].address = "all";
    rules[0].clientcert = hba_clientcert::verify_full;
    EXPECT_EQ(decide().clientcert, hba_clientcert::verify_full);
    rules[0].clientcert = hba_clientcert::verify_ca;
    vars.client_sslmode = client_sslmode::verify_full;
    EXPECT_EQ(decide().clientcert, hba_clientcert::verify_full);
}

}  // namespace
}  // namespace howdah::proxy
