#pragma once
#include <boost/asio/awaitable.hpp>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "protocol/io/message_channel.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/scram.hpp"

namespace howdah::proxy {

/// SCRAM verifiers of users whose password is configured as plain text, derived once (it takes
/// milliseconds of CPU). Thread-safe.
class verifier_cache {
public:
    /// The user's verifier. `password` is plain text or a verifier itself.
    [[nodiscard]] protocol::scram_verifier get(const std::string& user,
                                               const std::string& password);

private:
    std::mutex mutex_;
    std::map<std::string, std::pair<std::string, protocol::scram_verifier>> known_;
};

/// How an authentication ended. An empty sqlstate with ok == false: the peer went away.
struct auth_outcome {
    bool ok = false;
    std::string_view sqlstate;
    std::string message;
};

/// Authenticates a client. `user` is null for an unknown user, who goes through the same motions
/// and fails at the same place as one with a wrong password.
[[nodiscard]] boost::asio::awaitable<auth_outcome> authenticate_client(
    protocol::stream& s, protocol::message_channel& channel, verifier_cache& verifiers,
    const std::string& mock_secret, conf::authentication_method method, const conf::user* user,
    std::string username);

}  // namespace howdah::proxy
