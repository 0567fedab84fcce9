#include "conf/names.hpp"

#include <algorithm>

namespace howdah::conf {

std::span<const named<pool_mode>> names_of(pool_mode) {
    static constexpr named<pool_mode> table[] = {{"transaction", pool_mode::transaction},
                                                 {"session", pool_mode::session},
                                                 {"statement", pool_mode::statement}};
    return table;
}

std::span<const named<authentication_method>> names_of(authentication_method) {
    using enum authentication_method;
    static constexpr named<authentication_method> table[] = {{"scram-sha-256", scram_sha_256},
                                                             {"md5", md5},
                                                             {"password", password},
                                                             {"trust", trust},
                                                             {"3", scram_sha_256},
                                                             {"2", md5},
                                                             {"1", password}};
    return table;
}

std::span<const named<client_sslmode>> names_of(client_sslmode) {
    using enum client_sslmode;
    static constexpr named<client_sslmode> table[] = {{"disable", disable},
                                                      {"allow", allow},
                                                      {"require", require},
                                                      {"verify-ca", verify_ca},
                                                      {"verify-full", verify_full}};
    return table;
}

std::span<const named<tls_version>> names_of(tls_version) {
    using enum tls_version;
    static constexpr named<tls_version> table[] = {{"TLSv1.2", tls_1_2}, {"TLSv1.3", tls_1_3}};
    return table;
}

std::span<const named<hba_type>> names_of(hba_type) {
    using enum hba_type;
    static constexpr named<hba_type> table[] = {
        {"local", local}, {"host", host}, {"hostssl", hostssl}, {"hostnossl", hostnossl}};
    return table;
}

std::span<const named<hba_method>> names_of(hba_method) {
    using enum hba_method;
    static constexpr named<hba_method> table[] = {
        {"trust", trust}, {"reject", reject},     {"scram-sha-256", scram_sha_256},
        {"md5", md5},     {"password", password}, {"cert", cert},
        {"peer", peer}};
    return table;
}

std::span<const named<hba_clientcert>> names_of(hba_clientcert) {
    using enum hba_clientcert;
    static constexpr named<hba_clientcert> table[] = {{"verify-ca", verify_ca},
                                                      {"verify-full", verify_full}};
    return table;
}

std::span<const named<server_sslmode>> names_of(server_sslmode) {
    using enum server_sslmode;
    static constexpr named<server_sslmode> table[] = {
        {"disable", disable}, {"allow", allow},         {"prefer", prefer},
        {"require", require}, {"verify-ca", verify_ca}, {"verify-full", verify_full}};
    return table;
}

std::span<const named<read_consistency>> names_of(read_consistency) {
    using enum read_consistency;
    static constexpr named<read_consistency> table[] = {
        {"session", session}, {"eventual", eventual}, {"strong", strong}};
    return table;
}

std::span<const named<lagging_reads>> names_of(lagging_reads) {
    using enum lagging_reads;
    static constexpr named<lagging_reads> table[] = {
        {"writer", writer}, {"error", error}, {"stale", stale}};
    return table;
}

std::span<const named<ha_mode>> names_of(ha_mode) {
    using enum ha_mode;
    static constexpr named<ha_mode> table[] = {
        {"observe", observe}, {"manual", manual}, {"automatic", automatic}};
    return table;
}

std::span<const named<promotion_rule>> names_of(promotion_rule) {
    using enum promotion_rule;
    static constexpr named<promotion_rule> table[] = {{"must", must},
                                                      {"prefer", prefer},
                                                      {"neutral", neutral},
                                                      {"prefer_not", prefer_not},
                                                      {"must_not", must_not}};
    return table;
}

std::span<const named<ha_durability>> names_of(ha_durability) {
    using enum ha_durability;
    static constexpr named<ha_durability> table[] = {
        {"async", async}, {"sync", sync}, {"strict", strict}};
    return table;
}

std::span<const named<load_balance>> names_of(load_balance) {
    using enum load_balance;
    static constexpr named<load_balance> table[] = {{"weight", weight},
                                                    {"least_connections", least_connections}};
    return table;
}

std::span<const named<log_level>> names_of(log_level) {
    using enum log_level;
    static constexpr named<log_level> table[] = {
        {"debug", debug}, {"info", info}, {"warning", warning}, {"error", error}};
    return table;
}

std::span<const named<log_format>> names_of(log_format) {
    static constexpr named<log_format> table[] = {{"text", log_format::text},
                                                  {"json", log_format::json}};
    return table;
}

std::span<const named<server_status>> names_of(server_status) {
    using enum server_status;
    static constexpr named<server_status> table[] = {{"ONLINE", online},
                                                     {"SHUNNED", shunned},
                                                     {"OFFLINE_SOFT", offline_soft},
                                                     {"OFFLINE_HARD", offline_hard}};
    return table;
}

std::span<const named<firewall_mode>> names_of(firewall_mode) {
    using enum firewall_mode;
    static constexpr named<firewall_mode> table[] = {
        {"OFF", off}, {"DETECTING", detecting}, {"PROTECTING", protecting}};
    return table;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace howdah::conf
