#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::proxy {

class compiled_rules;

/// What a rule may look at.
struct rule_subject {
    std::string_view username{};
    std::string_view database{};
    std::string_view client_addr{};  ///< without the port
    std::string_view proxy_addr{};   ///< where the client has connected to, without the port
    std::uint16_t proxy_port = 0;
    std::string_view query{};  ///< as sent
    std::uint64_t digest =
        0;         ///< sql::digest::hash; 0: not known, which no rule with a digest wants
    int flag = 0;  ///< flagIN to begin with
    /// Random: what decides among weighted flagOUTs.
    std::uint64_t draw = 0;
};

/// What the firewall's lists say of a statement.
enum class firewall_finding : std::uint8_t { none, detected, blocked };

/// What the rules say of one statement. The names are those of conf::query_rule, which explains
/// them; unset: no rule that matched has said anything.
struct rule_verdict {
    std::optional<int> destination_hostgroup;
    std::optional<std::chrono::milliseconds> cache_ttl;
    std::optional<bool> cache_empty_result;
    std::optional<std::chrono::milliseconds> cache_timeout;
    std::optional<bool> reconnect;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::uint32_t> retries;
    std::optional<std::chrono::milliseconds> delay;
    std::optional<int> next_query_flag_in;
    std::optional<int> mirror_flag_out;
    std::optional<int> mirror_hostgroup;
    std::optional<std::string> error_msg;
    std::optional<std::string> ok_msg;
    std::optional<bool> sticky_conn;
    std::optional<int> multiplex;
    std::optional<bool> log;

    std::optional<std::string> rewritten;  ///< the text to run instead
    bool applied = false;                  ///< a rule with `apply` has ended the chain
    int flag = 0;                          ///< with which the chain has ended
    firewall_finding firewall = firewall_finding::none;
    /// Rules that matched, in order, as `judge` numbers them: for counting hits.
    std::vector<std::uint32_t> matched;
    const compiled_rules* judge = nullptr;  ///< for comparing only: it may be gone

    /// False: as good as no verdict.
    [[nodiscard]] bool says_anything() const {
        return !matched.empty() || destination_hostgroup || firewall != firewall_finding::none;
    }
};
/// Null: the rules say nothing.
using verdict_ptr = std::shared_ptr<const rule_verdict>;

}  // namespace howdah::proxy
