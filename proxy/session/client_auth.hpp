#pragma once
#include <boost/asio/awaitable.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "protocol/io/message_channel.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/scram.hpp"

namespace howdah::proxy {

/// SCRAM secrets that cost milliseconds of CPU to derive, derived once. Thread-safe.
class scram_secrets {
public:
    /// The user's verifier. `password` is plain text or a verifier itself.
    [[nodiscard]] protocol::scram_verifier verifier(const std::string& user,
                                                    const std::string& password);

    /// Keys with which the user can log in to servers: those of the last such login, or those that
    /// a client proved to have where only a verifier is configured. `password` is the configured
    /// one, so that keys do not outlive a change of it.
    [[nodiscard]] std::optional<protocol::scram_keys> keys(const std::string& user,
                                                           const std::string& password) const;
    void remember_keys(const std::string& user, const std::string& password,
                       protocol::scram_keys keys);

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::pair<std::string, protocol::scram_verifier>> verifiers_;
    std::map<std::string, std::pair<std::string, protocol::scram_keys>> keys_;
};

/// How an authentication ended. An empty sqlstate with ok == false: the peer went away.
struct auth_outcome {
    bool ok = false;
    std::string_view sqlstate;
    std::string message;
};

/// Authenticates a client by trust, password, md5 or SCRAM. `user` is null for an unknown user, who
/// goes through the same motions and fails at the same place as one with a wrong password.
[[nodiscard]] boost::asio::awaitable<auth_outcome> authenticate_client(
    protocol::stream& s, protocol::message_channel& channel, scram_secrets& secrets,
    const std::string& mock_secret, conf::hba_method method, const conf::user* user,
    std::string username);

}  // namespace howdah::proxy
