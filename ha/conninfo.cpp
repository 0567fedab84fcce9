#include "ha/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

namespace howdah::ha {
namespace {

using field_list = std::vector<std::pair<std::string, std::string>>;

constexpr std::array secret_keywords{"password", "sslpassword", "oauth_client_secret"};

bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::optional<field_list> parse_by_libpq(const std::string& text, std::string& error) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(text.c_str(), &message), &PQconninfoFree);
    if (!options) {
        error = message ? message : "out of memory";
        PQfreemem(message);
        while (!error.empty() && is_space(error.back()))
            error.pop_back();
        return std::nullopt;
    }
    field_list out;
    for (const auto* option = options.get(); option->keyword; ++option)
        if (option->val && *option->val) out.emplace_back(option->keyword, option->val);
    return out;
}

/// libpq's syntax of keywords and values without its list of keywords: the server may be newer than
/// our libpq, and what it understands must not get lost.
std::optional<field_list> parse_any_keywords(std::string_view text) {
    field_list out;
    std::size_t at = 0;
    const auto skip_spaces = [&] {
        while (at < text.size() && is_space(text[at]))
            ++at;
    };
    for (skip_spaces(); at < text.size(); skip_spaces()) {
        std::string keyword;
        while (at < text.size() && !is_space(text[at]) && text[at] != '=')
            keyword += text[at++];
        skip_spaces();
        if (keyword.empty() || at == text.size() || text[at] != '=') return std::nullopt;
        ++at;
        skip_spaces();
        std::string value;
        const bool quoted = at < text.size() && text[at] == '\'';
        at += quoted;
        for (; at < text.size() && (quoted ? text[at] != '\'' : !is_space(text[at])); ++at) {
            if (text[at] == '\\' && ++at == text.size()) break;
            value += text[at];
        }
        if (quoted && at++ >= text.size()) return std::nullopt;
        std::erase_if(out, [&](const auto& one) { return one.first == keyword; });
        if (!value.empty()) out.emplace_back(std::move(keyword), std::move(value));
    }
    return out;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> out(1);
    for (const char c : list)
        if (c == ',')
            out.emplace_back();
        else
            out.back() += c;
    return out;
}

std::uint16_t port_of(const std::vector<std::string>& ports, std::size_t index) {
    const auto& text = ports.size() == 1 ? ports.front() : ports[std::min(index, ports.size() - 1)];
    std::uint16_t port = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc{} && stop == text.data() + text.size() && port ? port : 5432;
}

std::string quoted(const std::string& value) {
    const auto plain = [](char c) { return !is_space(c) && c != '\'' && c != '\\'; };
    if (std::ranges::all_of(value, plain)) return value;
    std::string out = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

}  // namespace

std::optional<conninfo> conninfo::parse(std::string_view text, std::string* error) {
    std::string why;
    conninfo out;
    auto fields = text.find('\0') == std::string_view::npos ? parse_by_libpq(std::string(text), why)
                                                            : std::nullopt;
    if (!fields && why.starts_with("invalid connection option")) fields = parse_any_keywords(text);
    if (!fields) {
        if (error) *error = why.empty() ? "it contains a zero byte" : why;
        return std::nullopt;
    }
    out.fields_ = std::move(*fields);
    return out;
}

const std::string& conninfo::get(std::string_view keyword) const {
    static const std::string none;
    for (const auto& [name, value] : fields_)
        if (name == keyword) return value;
    return none;
}

void conninfo::set(std::string_view keyword, std::string value) {
    const auto found = std::ranges::find(fields_, keyword, &field_list::value_type::first);
    if (value.empty()) {
        if (found != fields_.end()) fields_.erase(found);
    } else if (found != fields_.end()) {
        found->second = std::move(value);
    } else {
        fields_.emplace_back(keyword, std::move(value));
    }
}

std::vector<endpoint> conninfo::endpoints() const {
    const auto& host = get("host");
    const auto& address = get("hostaddr");
    if (host.empty() && address.empty()) return {};
    auto hosts = split(host.empty() ? address : host);
    const auto addresses = split(address);
    const auto ports = split(get("port"));
    std::vector<endpoint> out;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        if (hosts[i].empty() && i < addresses.size()) hosts[i] = addresses[i];
        if (!hosts[i].empty()) out.push_back({hosts[i], port_of(ports, i)});
    }
    return out;
}

conninfo conninfo::pointing_at(const endpoint& to, bool to_primary) const {
    auto out = *this;
    out.set("hostaddr", "");
    out.set("host", to.host);
    out.set("port", std::to_string(to.port));
    if (!to_primary) out.set("target_session_attrs", "");
    return out;
}

std::string conninfo::text(bool with_secrets) const {
    std::string out;
    for (const auto& [keyword, value] : fields_) {
        const bool hidden =
            !with_secrets && std::ranges::find(secret_keywords, keyword) != secret_keywords.end();
        out += (out.empty() ? "" : " ") + keyword + "=" + (hidden ? "****" : quoted(value));
    }
    return out;
}

}  // namespace howdah::ha
