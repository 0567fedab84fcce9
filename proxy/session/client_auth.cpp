#include "proxy/session/client_auth.hpp"

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <optional>

#include "protocol/io/tls.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::proxy {
namespace {

namespace sqlstate = protocol::sqlstate;
using boost::asio::awaitable;
using conf::hba_method;
using protocol::message_channel;

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

awaitable<auth_outcome> scram(protocol::stream& s, message_channel& channel, scram_secrets& secrets,
                              protocol::scram_verifier verifier, const conf::user* user,
                              std::string username) {
    auth_outcome outcome;
    protocol::scram_keys keys;
    keys.salt = verifier.salt;
    keys.iterations = verifier.iterations;
    keys.server_key = verifier.server_key;
    std::string binding;
    if (s.is_tls()) binding = protocol::tls_server_end_point(SSL_get_certificate(s.ssl()));
    std::string out;
    const std::string_view with_binding[] = {protocol::scram_sha_256_plus, protocol::scram_sha_256};
    const std::string_view without[] = {protocol::scram_sha_256};
    if (binding.empty()) {
        protocol::append_authentication_sasl(out, without);
    } else {
        protocol::append_authentication_sasl(out, with_binding);
    }
    protocol::scram_server exchange(std::move(verifier), std::move(binding),
                                    protocol::random_nonce());
    bool first = true;
    for (;;) {
        const bool sent = co_await channel.send(out);
        if (!sent) co_return outcome;
        const std::optional<std::string> body = co_await password_message(channel, outcome);
        if (!body) co_return outcome;
        protocol::scram_server::action action;
        if (first) {
            const auto initial = protocol::parse_sasl_initial(*body);
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
            case protocol::scram_server::action::kind::continue_:
                protocol::append_authentication_sasl_continue(out, action.data);
                break;
            case protocol::scram_server::action::kind::done: {
                protocol::append_authentication_sasl_final(out, action.data);
                if (user != nullptr && protocol::parse_verifier(user->password)) {
                    keys.client_key = exchange.client_key();
                    secrets.remember_keys(username, user->password, keys);
                }
                outcome.ok = co_await channel.send(out);
                co_return outcome;
            }
            case protocol::scram_server::action::kind::failed:
                if (action.error.message.empty()) {
                    outcome = wrong_password(username);
                } else {
                    outcome = {false, action.error.sqlstate, action.error.message};
                }
                co_return outcome;
        }
    }
}

awaitable<auth_outcome> md5(message_channel& channel, const conf::user* user,
                            std::string username) {
    auth_outcome outcome;
    char salt[4];
    if (RAND_bytes(reinterpret_cast<unsigned char*>(salt), sizeof salt) != 1) {
        outcome = {false, sqlstate::internal_error, "could not generate random MD5 salt"};
        co_return outcome;
    }
    const std::string_view salt_view(salt, sizeof salt);
    std::string out;
    protocol::append_authentication_md5(out, salt_view);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return outcome;
    const std::optional<std::string> body = co_await password_message(channel, outcome);
    if (!body) co_return outcome;
    const auto given = protocol::parse_password(*body);
    const std::string expected = user != nullptr && !user->password.empty()
                                     ? protocol::md5_response(user->password, username, salt_view)
                                     : std::string();
    outcome.ok = given && !expected.empty() && protocol::constant_time_equal(*given, expected);
    if (!outcome.ok) outcome = wrong_password(username);
    co_return outcome;
}

bool password_matches(const conf::user& user, std::string_view given, scram_secrets& secrets) {
    if (user.password.empty()) return false;
    if (const auto verifier = protocol::parse_verifier(user.password)) {
        const auto keys = protocol::keys_if_matches(*verifier, given);
        if (keys) secrets.remember_keys(user.username, user.password, *keys);
        return keys.has_value();
    }
    if (protocol::is_md5_password(user.password))
        return protocol::constant_time_equal(protocol::md5_password(given, user.username),
                                             user.password);
    return protocol::constant_time_equal(given, user.password);
}

awaitable<auth_outcome> cleartext(message_channel& channel, scram_secrets& secrets,
                                  const conf::user* user, std::string username) {
    auth_outcome outcome;
    std::string out;
    protocol::append_authentication_cleartext_password(out);
    const bool sent = co_await channel.send(out);
    if (!sent) co_return outcome;
    const std::optional<std::string> body = co_await password_message(channel, outcome);
    if (!body) co_return outcome;
    const auto given = protocol::parse_password(*body);
    outcome.ok = given && user != nullptr && password_matches(*user, *given, secrets);
    if (!outcome.ok) outcome = wrong_password(username);
    co_return outcome;
}

}  // namespace

std::optional<protocol::scram_keys> scram_secrets::keys(const std::string& user,
                                                        const std::string& password) const {
    const std::scoped_lock lock(mutex_);
    const auto it = keys_.find(user);
    if (it == keys_.end() || it->second.first != password) return std::nullopt;
    return it->second.second;
}

void scram_secrets::remember_keys(const std::string& user, const std::string& password,
                                  protocol::scram_keys keys) {
    const std::scoped_lock lock(mutex_);
    keys_[user] = {password, std::move(keys)};
}

protocol::scram_verifier scram_secrets::verifier(const std::string& user,
                                                 const std::string& password) {
    if (auto parsed = protocol::parse_verifier(password)) return std::move(*parsed);
    {
        const std::scoped_lock lock(mutex_);
        const auto it = verifiers_.find(user);
        if (it != verifiers_.end() && it->second.first == password) return it->second.second;
    }
    std::string salt(16, '\0');
    RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size()));
    protocol::scram_verifier fresh = protocol::make_verifier(password, salt);
    const std::scoped_lock lock(mutex_);
    verifiers_[user] = {password, fresh};
    return fresh;
}

awaitable<auth_outcome> authenticate_client(protocol::stream& s, message_channel& channel,
                                            scram_secrets& secrets, const std::string& mock_secret,
                                            hba_method method, const conf::user* user,
                                            std::string username) {
    auth_outcome outcome;
    if (method == hba_method::trust) {
        outcome.ok = user != nullptr;
        if (!outcome.ok)
            outcome = {false, sqlstate::invalid_authorization_specification,
                       "role \"" + username + "\" does not exist"};
        co_return outcome;
    }
    const bool has_md5 = user != nullptr && protocol::is_md5_password(user->password);
    const bool has_verifier = user != nullptr && protocol::parse_verifier(user->password);
    if (method == hba_method::password) {
        outcome = co_await cleartext(channel, secrets, user, username);
    } else if (method == hba_method::md5 && !has_verifier) {
        outcome = co_await md5(channel, user, username);
    } else {
        // As in PostgreSQL, md5 does not weaken a user with a verifier, and an md5 hash is not
        // enough for SCRAM.
        protocol::scram_verifier verifier = user != nullptr && !user->password.empty() && !has_md5
                                                ? secrets.verifier(username, user->password)
                                                : protocol::mock_verifier(username, mock_secret);
        outcome = co_await scram(s, channel, secrets, std::move(verifier), user, username);
    }
    co_return outcome;
}

}  // namespace howdah::proxy
