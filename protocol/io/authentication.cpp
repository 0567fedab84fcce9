#include "protocol/io/authentication.hpp"

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <optional>

#include "protocol/io/tls.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::protocol {
namespace {

using boost::asio::awaitable;

/// PostgreSQL's PG_MAX_AUTH_TOKEN_LENGTH.
constexpr std::size_t max_auth_message = 65535;

auth_outcome wrong_password(const std::string& username) {
    return {false, sqlstate::invalid_password,
            "password authentication failed for user \"" + username + "\""};
}

/// The next password message's body; nullopt with `why` set where there is none.
awaitable<std::optional<std::string>> password_message(message_channel& channel,
                                                       auth_outcome& why) {
    const message_channel::message m = co_await channel.next(max_auth_message);
    if (m.what == message_channel::outcome::ok && m.type == 'p') co_return std::string(m.body);
    if (m.what == message_channel::outcome::too_long && m.type == 'p') {
        why = {false, sqlstate::protocol_violation, "invalid message length"};
    } else if (m.what != message_channel::outcome::closed) {
        why = {false, sqlstate::protocol_violation,
               "expected password response, got message type " +
                   std::to_string(static_cast<unsigned char>(m.type))};
    }
    co_return std::nullopt;
}

awaitable<auth_outcome> scram(stream& s, message_channel& channel, scram_secrets& secrets,
                              scram_verifier verifier, const std::string* stored,
                              std::string username) {
    auth_outcome outcome;
    scram_keys keys;
    keys.salt = verifier.salt;
    keys.iterations = verifier.iterations;
    keys.server_key = verifier.server_key;
    std::string binding;
    if (s.is_tls()) binding = tls_server_end_point(SSL_get_certificate(s.ssl()));
    std::string out;
    const std::string_view with_binding[] = {scram_sha_256_plus, scram_sha_256};
    const std::string_view without[] = {scram_sha_256};
    if (binding.empty()) {
        append_authentication_sasl(out, without);
    } else {
        append_authentication_sasl(out, with_binding);
    }
    scram_server exchange(std::move(verifier), std::move(binding), random_nonce());
    bool first = true;
    for (;;) {
        const bool sent = co_await channel.send(out);
        if (!sent) co_return outcome;
        const std::optional<std::string> body = co_await password_message(channel, outcome);
        if (!body) co_return outcome;
        scram_server::action action;
        if (first) {
            const auto initial = parse_sasl_initial(*body);
            if (!initial) {
                outcome = {false, sqlstate::protocol_violation, "invalid message format"};
                co_return outcome;
            }
            action = exchange.on_initial(initial->mechanism, initial->data);
            first = false;
        } else {
            action = exchange.on_response(*body);
        }
        out.clear();
        switch (action.what) {
            case scram_server::action::kind::continue_:
                append_authentication_sasl_continue(out, action.data);
                break;
            case scram_server::action::kind::done: {
                append_authentication_sasl_final(out, action.data);
                if (stored != nullptr && parse_verifier(*stored)) {
                    keys.client_key = exchange.client_key();
                    secrets.remember_keys(username, *stored, keys);
                }
                outcome.ok = co_await channel.send(out);
                co_return outcome;
            }
            case scram_server::action::kind::failed:
                if (action.error.message.empty()) {
                    outcome = wrong_password(username);
                } else {
                    outcome = {false, action.error.sqlstate, action.error.message};
                }
                co_return outcome;
        }
    }
}

awaitable<auth_outcome> md5(message_channel& channel, const std::string* stored,
                            std::string username) {
    auth_outcome outcome;
    char salt[4];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(salt), sizeof salt) != 1) {
        outcome = {false, sqlstate::internal_error, "could not generate random MD5 salt"};
        co_return outcome;
    }
    const std::string_view salt_view(salt, sizeof salt);
    std::string out;
    append_authentication_md5(out, salt_view);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return outcome;
    const std::optional<std::string> body = co_await password_message(channel, outcome);
    if (!body) co_return outcome;
    const auto given = parse_password(*body);
    const std::string expected = stored != nullptr && !stored->empty()
                                     ? md5_response(*stored, username, salt_view)
                                     : std::string();
    outcome.ok = given && !expected.empty() && constant_time_equal(*given, expected);
    if (!outcome.ok) outcome = wrong_password(username);
    co_return outcome;
}

bool password_matches(const std::string& username, const std::string& stored,
                      std::string_view given, scram_secrets& secrets) {
    if (stored.empty()) return false;
    if (const auto verifier = parse_verifier(stored)) {
        const auto keys = keys_if_matches(*verifier, given);
        if (keys) secrets.remember_keys(username, stored, *keys);
        return keys.has_value();
    }
    if (is_md5_password(stored)) return constant_time_equal(md5_password(given, username), stored);
    return constant_time_equal(given, stored);
}

awaitable<auth_outcome> cleartext(message_channel& channel, scram_secrets& secrets,
                                  const std::string* stored, std::string username) {
    auth_outcome outcome;
    std::string out;
    append_authentication_cleartext_password(out);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return outcome;
    const std::optional<std::string> body = co_await password_message(channel, outcome);
    if (!body) co_return outcome;
    const auto given = parse_password(*body);
    outcome.ok = given && stored != nullptr && password_matches(username, *stored, *given, secrets);
    if (!outcome.ok) outcome = wrong_password(username);
    co_return outcome;
}

}  // namespace

std::optional<scram_keys> scram_secrets::keys(const std::string& user,
                                              const std::string& password) const {
    const std::scoped_lock lock(mutex_);
    const auto it = keys_.find(user);
    if (it == keys_.end() || it->second.first != password) return std::nullopt;
    return it->second.second;
}

void scram_secrets::remember_keys(const std::string& user, const std::string& password,
                                  scram_keys keys) {
    const std::scoped_lock lock(mutex_);
    keys_[user] = {password, std::move(keys)};
}

scram_verifier scram_secrets::verifier(const std::string& user, const std::string& password) {
    if (auto parsed = parse_verifier(password)) return std::move(*parsed);
    {
        const std::scoped_lock lock(mutex_);
        const auto it = verifiers_.find(user);
        if (it != verifiers_.end() && it->second.first == password) return it->second.second;
    }
    std::string salt(16, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size()));
    scram_verifier fresh = make_verifier(password, salt);
    const std::scoped_lock lock(mutex_);
    verifiers_[user] = {password, fresh};
    return fresh;
}

awaitable<auth_outcome> authenticate_client(stream& s, message_channel& channel,
                                            scram_secrets& secrets, const std::string& mock_secret,
                                            proof method, const std::string* stored,
                                            std::string username) {
    auth_outcome outcome;
    if (method == proof::trust) {
        outcome.ok = stored != nullptr;
        if (!outcome.ok)
            outcome = {false, sqlstate::invalid_authorization_specification,
                       "role \"" + username + "\" does not exist"};
        co_return outcome;
    }
    const bool has_md5 = stored != nullptr && is_md5_password(*stored);
    const bool has_verifier = stored != nullptr && parse_verifier(*stored);
    if (method == proof::password) {
        outcome = co_await cleartext(channel, secrets, stored, username);
    } else if (method == proof::md5 && !has_verifier) {
        outcome = co_await md5(channel, stored, username);
    } else {
        // As in PostgreSQL, md5 does not weaken a user with a verifier, and an md5 hash is not
        // enough for SCRAM.
        scram_verifier verifier = stored != nullptr && !stored->empty() && !has_md5
                                      ? secrets.verifier(username, *stored)
                                      : mock_verifier(username, mock_secret);
        outcome = co_await scram(s, channel, secrets, std::move(verifier), stored, username);
    }
    co_return outcome;
}

}  // namespace howdah::protocol
