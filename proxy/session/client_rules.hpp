#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/address.hpp"
#include "conf/settings.hpp"

namespace re2 {
class RE2;
}

namespace howdah::proxy {

/// What rules look at.
struct login_facts {
    bool local = false;  ///< over a unix socket
    bool tls = false;
    conf::ip_address address;  ///< of the client, unless local
    std::string_view user;
    std::string_view database;
    /// `replication=true`: matches the keyword "replication" and no other database.
    bool physical_replication = false;
};

/// The host's own addresses, each with its network.
using own_networks = std::vector<conf::ip_range>;

/// hba_rules and user_maps with their expressions compiled. Immutable; thread-safe.
class client_rules {
public:
    /// `networks` is asked only where a rule needs it. Throws std::runtime_error naming the rule
    /// and the fault in its expression.
    client_rules(const std::vector<conf::hba_rule>& rules, const std::vector<conf::user_map>& maps,
                 const std::function<own_networks()>& networks);
    ~client_rules();
    client_rules(const client_rules&) = delete;
    client_rules& operator=(const client_rules&) = delete;

    [[nodiscard]] bool empty() const { return rules_.empty(); }
    /// The first rule that matches; null if none does.
    [[nodiscard]] const conf::hba_rule* find(const login_facts& facts) const;
    /// Whether the owner of an outside name may be the database user: by the map, or, without one,
    /// by having the same name.
    [[nodiscard]] bool may_be(const std::optional<std::string>& map, std::string_view system_user,
                              std::string_view database_user) const;

private:
    struct name {
        enum class kind { exact, all, same_user, replication, expression } what;
        std::string text;
        std::unique_ptr<re2::RE2> expression;
    };
    struct rule {
        conf::hba_rule row;
        std::vector<name> databases;
        std::vector<name> users;
        std::optional<conf::ip_range> range;
    };
    struct mapping {
        conf::user_map row;
        std::unique_ptr<re2::RE2> expression;
    };
    [[nodiscard]] static std::vector<name> compile(const std::string& list,
                                                   const std::string& label, bool databases);
    [[nodiscard]] static bool database_matches(const name& wanted, const login_facts& facts);
    [[nodiscard]] static bool user_matches(const name& wanted, std::string_view user);
    [[nodiscard]] bool address_matches(const rule& r, const conf::ip_address& address) const;

    std::vector<rule> rules_;
    std::vector<mapping> maps_;
    own_networks networks_;
};

}  // namespace howdah::proxy
