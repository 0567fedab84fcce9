#include "proxy/session/client_proof.hpp"

#include <spdlog/spdlog.h>

#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/client_identity.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

using boost::asio::awaitable;
using conf::hba_method;
using protocol::auth_outcome;

protocol::proof proof_of(hba_method method) {
    switch (method) {
        case hba_method::password:
            return protocol::proof::password;
        case hba_method::md5:
            return protocol::proof::md5;
        case hba_method::scram_sha_256:
            return protocol::proof::scram;
        default:
            return protocol::proof::trust;
    }
}

auth_outcome refuse(std::string message) {
    return {false, protocol::sqlstate::invalid_authorization_specification, std::move(message)};
}

/// The outside name must be allowed to be the user; why not is for the log, as in PostgreSQL.
auth_outcome compare_names(const access_decision& decided, const client_rules& rules,
                           const std::string& owner, const std::string& username,
                           const char* kind) {
    auth_outcome outcome;
    outcome.ok = rules.may_be(decided.map, owner, username);
    if (outcome.ok) return outcome;
    spdlog::info("{} name \"{}\" may not be user \"{}\"{}", kind, owner, username,
                 decided.map ? " by user map \"" + *decided.map + "\"" : std::string());
    return refuse(std::string(kind) + " authentication failed for user \"" + username + "\"");
}

auth_outcome check_certificate(SSL* ssl, const access_decision& decided, const client_rules& rules,
                               const std::string& username) {
    const bool named = decided.method == hba_method::cert ||
                       decided.clientcert == conf::hba_clientcert::verify_full;
    auth_outcome outcome;
    outcome.ok = true;
    if (!named && !decided.clientcert) return outcome;
    if (ssl == nullptr || SSL_get0_peer_certificate(ssl) == nullptr)
        return refuse("connection requires a valid client certificate");
    if (!named) return outcome;
    const auto owner = certificate_owner(ssl);
    if (!owner) return refuse("certificate authentication failed for user \"" + username + "\"");
    return compare_names(decided, rules, *owner, username, "certificate");
}

}  // namespace

awaitable<auth_outcome> prove_identity(worker& w, protocol::stream& s,
                                       protocol::message_channel& channel, access_decision decided,
                                       const client_rules& rules, const conf::user* user,
                                       std::string username) {
    auth_outcome outcome = check_certificate(s.ssl(), decided, rules, username);
    if (!outcome.ok) co_return outcome;
    hba_method method = decided.method;
    if (method == hba_method::peer) {
        const std::optional<std::string> owner = co_await peer_user(w, s.socket());
        outcome = owner ? compare_names(decided, rules, *owner, username, "peer")
                        : refuse("peer authentication failed for user \"" + username + "\"");
        if (!outcome.ok) co_return outcome;
    }
    // What is left is whether there is such a user.
    if (method == hba_method::peer || method == hba_method::cert) method = hba_method::trust;
    // Users found by auth_query have verifiers as a rule: one who is not there must look the same.
    if (method == hba_method::md5 && user == nullptr && !w.now->vars().auth_user.empty())
        method = hba_method::scram_sha_256;
    const std::string* stored = user != nullptr ? &user->password : nullptr;
    outcome = co_await protocol::authenticate_client(
        s, channel, w.shared.secrets, w.shared.mock_secret, proof_of(method), stored, username);
    co_return outcome;
}

}  // namespace howdah::proxy
