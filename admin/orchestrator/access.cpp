#include "admin/orchestrator/access.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <optional>

#include "conf/settings.hpp"

namespace howdah::admin::orchestrator {
namespace {

using name_and_secret = std::pair<std::string, std::string>;

std::vector<name_and_secret> split_pairs(std::string_view text) {
    std::vector<name_and_secret> out;
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(';'));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        const std::size_t colon = one.find(':');
        if (colon == one.npos || colon == 0 || colon + 1 == one.size()) continue;
        out.emplace_back(one.substr(0, colon), one.substr(colon + 1));
    }
    return out;
}

std::string lowered(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
}

/// Takes as long for any two texts: their hashes are compared.
bool equal(std::string_view a, std::string_view b) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> x{};
    std::array<unsigned char, SHA256_DIGEST_LENGTH> y{};
    SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), x.data());
    SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), y.data());
    return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

std::optional<std::string> decode_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0) return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                  reinterpret_cast<const unsigned char*>(text.data()),
                                  static_cast<int>(text.size()));
    if (n < 0) return std::nullopt;
    const auto padding = static_cast<std::size_t>(text.ends_with("==") ? 2 : text.ends_with('='));
    out.resize(static_cast<std::size_t>(n) - padding);
    return out;
}

/// Whose credentials these are; "" nobody's.
std::string user_of(const access_rules& rules, std::string_view authorization) {
    const std::size_t blank = std::min(authorization.find(' '), authorization.size());
    const std::string scheme = lowered(authorization.substr(0, blank));
    std::string_view rest = authorization.substr(blank);
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    std::string who;
    // All are compared, so that the time does not tell which one was near.
    if (scheme == "bearer") {
        for (const auto& [name, token] : rules.tokens)
            if (equal(token, rest)) who = name;
    } else if (scheme == "basic") {
        const std::string given = decode_base64(rest).value_or("");
        for (const auto& [user, password] : rules.credentials)
            if (equal(user + ":" + password, given)) who = user;
    }
    return who;
}

/// "[::1]:3098" -> "::1", "Host:3098" -> "host".
std::string host_of(std::string_view authority) {
    if (authority.starts_with('['))
        return lowered(authority.substr(1, std::min(authority.find(']'), authority.size()) - 1));
    return lowered(authority.substr(0, authority.find(':')));
}

bool is_own_host(const access_rules& rules, std::string_view authority) {
    const std::string host = host_of(authority);
    if (host == "localhost" || host.ends_with(".localhost")) return true;
    boost::system::error_code no_address;
    boost::asio::ip::make_address(host, no_address);
    return !no_address || std::ranges::find(rules.own_names, host) != rules.own_names.end();
}

/// A browser sends this request, and a page of another site makes it do so.
bool is_cross_site(const http_request& request) {
    const auto site = request.header("sec-fetch-site");
    if (!site.empty()) return site != "same-origin" && site != "none";
    auto from = request.header("origin");
    if (from.empty()) from = request.header("referer");
    if (from.empty()) return false;
    const std::size_t scheme = from.find("://");
    if (scheme == from.npos) return true;  // "null", too
    from.remove_prefix(scheme + 3);
    from = from.substr(0, from.find('/'));
    return lowered(from) != lowered(request.header("host"));
}

bool is_forwarded(const http_request& request) {
    constexpr std::array names{"forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip",
                               "via"};
    return std::ranges::any_of(names, [&](const char* n) { return request.headers.contains(n); });
}

access_verdict refused(unsigned status, std::string message) {
    access_verdict out;
    out.status = status;
    out.message = std::move(message);
    return out;
}

access_verdict allowed(std::string by) {
    access_verdict out;
    out.allowed = true;
    out.by = std::move(by);
    return out;
}

}  // namespace

access_rules access_rules_of(const conf::settings& from) {
    access_rules out;
    out.credentials = split_pairs(from.vars.ha_api_credentials);
    out.tokens = split_pairs(from.vars.ha_api_tokens);
    out.trust_loopback = from.vars.ha_api_trust_loopback;
    out.read_needs_login = from.vars.ha_api_read_needs_login;
    out.failed_login_delay = from.vars.failed_login_delay;
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) == 0)
        out.own_names.push_back(lowered(name.data()));
    return out;
}

access_verdict check_access(const access_rules& rules, const http_request& request, bool changes) {
    if (changes && is_cross_site(request))
        return refused(403, "Refused: a page of another site made the browser send this");
    const auto authorization = request.header("authorization");
    if (!authorization.empty()) {
        std::string user = user_of(rules, authorization);
        if (!user.empty()) return allowed(std::move(user));
    }
    if (!changes && !rules.read_needs_login) return allowed(request.peer);
    if (!authorization.empty()) {
        access_verdict out = refused(401, "Unauthorized: wrong user, password or token");
        out.delay = rules.failed_login_delay;
        return out;
    }
    if (rules.trust_loopback && request.local && !is_forwarded(request)) {
        if (is_own_host(rules, request.header("host"))) return allowed(request.peer);
        return refused(403,
                       "Refused: without a login the Host header has to be localhost, an address "
                       "or this machine's name");
    }
    if (rules.credentials.empty() && rules.tokens.empty())
        return refused(401,
                       "Unauthorized: nobody may do this from outside; set ha_api_credentials or "
                       "ha_api_tokens");
    return refused(401, "Unauthorized: log in as a user of ha_api_credentials or with a token");
}

}  // namespace howdah::admin::orchestrator
