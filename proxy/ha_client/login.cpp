#include "proxy/ha_client/login.hpp"

#include <algorithm>
#include <charconv>

#include "proxy/administration.hpp"

namespace howdah::proxy::ha_client {
namespace {

std::string text_of(const environment& get, const char* name) {
    const char* text = get(name);
    return text ? text : "";
}

std::uint16_t number_of(const std::string& text) {
    std::uint16_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

template <class T>
T first(std::initializer_list<T> choices) {
    const T none{};
    const auto found = std::ranges::find_if(choices, [&](const T& one) { return one != none; });
    return found == choices.end() ? none : *found;
}

}  // namespace

std::string login::place() const {
    const bool v6 = host.find(':') != host.npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

login login_of(const request& asked, const conf::settings* settings, const environment& get) {
    conf::listen_address at{"", 0};
    std::vector<std::pair<std::string, std::string>> accounts;
    if (settings) {
        if (!settings->vars.admin_pgsql_ifaces.empty()) at = settings->vars.admin_pgsql_ifaces[0];
        accounts = split_credentials(settings->vars.admin_admin_credentials);
        // They may look, too.
        for (auto& one : split_credentials(settings->vars.admin_stats_credentials))
            accounts.push_back(std::move(one));
    }
    if (at.host == "0.0.0.0" || at.host == "*") at.host = "127.0.0.1";
    if (at.host == "::") at.host = "::1";
    login out;
    out.host = first({asked.host, at.host, text_of(get, "PGHOST"), std::string("127.0.0.1")});
    out.port = first<std::uint16_t>(
        {asked.port, at.port, number_of(text_of(get, "PGPORT")), std::uint16_t{6132}});
    out.user = first({asked.user, accounts.empty() ? std::string() : accounts[0].first,
                      text_of(get, "PGUSER"), std::string("admin")});
    for (const auto& [user, password] : accounts)
        if (user == out.user && !password.starts_with("SCRAM-SHA-256$")) out.password = password;
    const auto bound = number_of(text_of(get, "PGCONNECT_TIMEOUT"));
    if (bound) out.patience = std::chrono::seconds(bound);
    return out;
}

}  // namespace howdah::proxy::ha_client
