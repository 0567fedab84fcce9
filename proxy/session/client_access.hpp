#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "conf/settings.hpp"
#include "proxy/session/client_rules.hpp"

namespace howdah::proxy {

/// What a client has to prove, or why it may not come in.
struct access_decision {
    std::string_view sqlstate;  ///< not empty: refused
    std::string message;
    conf::hba_method method = conf::hba_method::reject;
    std::optional<std::string> map;                  ///< for the methods cert and peer
    std::optional<conf::hba_clientcert> clientcert;  ///< a certificate is needed, too
};

/// By hba_rules, or without any by authentication_method; above both stand client_sslmode and the
/// user's use_ssl. `user` is null for an unknown one.
[[nodiscard]] access_decision decide_access(const conf::variables& vars, const client_rules& rules,
                                            const login_facts& facts, const conf::user* user);

}  // namespace howdah::proxy
