#pragma once
#include <boost/asio/awaitable.hpp>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/io/message_channel.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/scram.hpp"

namespace howdah::protocol {

/// SCRAM secrets that cost milliseconds of CPU to derive, derived once. Thread-safe.
class scram_secrets {
public:
    /// The user's verifier. `password` is plain text or a verifier itself.
    [[nodiscard]] scram_verifier verifier(const std::string& user, const std::string& password);

    /// Keys with which the user can log in to servers: those of the last such login, or those that
    /// a client proved to have where only a verifier is configured. `password` is the configured
    /// one, so that keys do not outlive a change of it.
    [[nodiscard]] std::optional<scram_keys> keys(const std::string& user,
                                                 const std::string& password) const;
    void remember_keys(const std::string& user, const std::string& password, scram_keys keys);

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::pair<std::string, scram_verifier>> verifiers_;
    std::map<std::string, std::pair<std::string, scram_keys>> keys_;
};

/// How an authentication ended. An empty sqlstate with ok == false: the peer went away.
struct auth_outcome {
    bool ok = false;
    std::string_view sqlstate;
    std::string message;
};

/// How a client that asks to be `username` proves it.
enum class proof : unsigned char { trust, password, md5, scram };

/// Authenticates a client by trust, password, md5 or SCRAM. `stored` (plain text, a verifier or an
/// md5 hash) is null for an unknown user, who goes through the same motions and fails at the same
/// place as one with a wrong password.
[[nodiscard]] boost::asio::awaitable<auth_outcome> authenticate_client(
    stream& s, message_channel& channel, scram_secrets& secrets, const std::string& mock_secret,
    proof method, const std::string* stored, std::string username);

}  // namespace howdah::protocol
