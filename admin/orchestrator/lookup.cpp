#include "admin/orchestrator/lookup.hpp"

#include <algorithm>
#include <charconv>

#include "admin/orchestrator/json.hpp"

namespace howdah::admin::orchestrator {
namespace {

/// What orchestrator-client adds to a host without a port.
constexpr std::uint16_t client_default_port = 3306;

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

std::string_view without_brackets(std::string_view host) {
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        return host.substr(1, host.size() - 2);
    return host;
}

}  // namespace

std::optional<ha::endpoint> parse_endpoint(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == text.npos || colon == 0) return std::nullopt;
    const auto port = parse_port(text.substr(colon + 1));
    if (!port) return std::nullopt;
    return ha::endpoint{std::string(without_brackets(text.substr(0, colon))), *port};
}

ha::endpoint parse_key(std::string_view host, std::string_view port) {
    const auto number = parse_port(port);
    if (host.empty() || !number)
        throw api_error("Invalid instance: " + std::string(host) + ":" + std::string(port));
    return {std::string(without_brackets(host)), *number};
}

std::optional<std::size_t> primary_of(const ha::cluster_state& one) {
    const auto found = one.decided.writers.primary;
    return found && *found < one.subject.servers.size() ? found : std::nullopt;
}

std::string cluster_name(const ha::cluster_state& one) {
    if (const auto primary = primary_of(one)) return to_string(one.subject.servers[*primary].at());
    const auto& recorded = one.decided.writers.record.primary;
    return recorded.host.empty() ? one.subject.name : to_string(recorded);
}

std::string cluster_alias(const ha::ha_view& view, const ha::cluster_state& one) {
    const auto found = view.notes.aliases.find(one.subject.name);
    if (found != view.notes.aliases.end() && !found->second.empty()) return found->second;
    return one.subject.alias.empty() ? one.subject.name : one.subject.alias;
}

const ha::cluster_state* find_cluster(const ha::ha_view& view, std::string_view hint) {
    if (hint.empty()) return nullptr;
    for (const auto& one : view.clusters)
        if (one.subject.name == hint || one.subject.alias == hint ||
            cluster_alias(view, one) == hint)
            return &one;
    if (const auto at = parse_endpoint(hint))
        if (const auto found = find_server(view, *at)) return found->in;
    const ha::cluster_state* by_host = nullptr;
    for (const auto& one : view.clusters)
        for (const auto& member : one.subject.servers)
            for (const auto& name : member.names) {
                if (name.host != without_brackets(hint) && member.config.name != hint) continue;
                if (by_host && by_host != &one) return nullptr;
                by_host = &one;
            }
    return by_host;
}

std::optional<place> find_server(const ha::ha_view& view, const ha::endpoint& at) {
    for (const auto& one : view.clusters)
        if (const auto found = one.subject.find(at)) return place{&one, *found};
    if (at.port != client_default_port) return std::nullopt;
    std::optional<place> only;
    for (const auto& one : view.clusters)
        for (std::size_t i = 0; i < one.subject.servers.size(); ++i) {
            const auto& names = one.subject.servers[i].names;
            if (std::ranges::find(names, at.host, &ha::endpoint::host) == names.end()) continue;
            if (only) return std::nullopt;
            only = place{&one, i};
        }
    return only;
}

const ha::cluster_state& the_cluster(const ha::ha_view& view, std::string_view hint) {
    const auto* found = find_cluster(view, hint);
    if (!found)
        throw api_error("Unable to determine cluster name: no cluster, or more than one, is " +
                        (hint.empty() ? std::string("meant") : "called " + std::string(hint)));
    return *found;
}

place the_server(const ha::ha_view& view, const ha::endpoint& at) {
    const auto found = find_server(view, at);
    if (!found) throw api_error("Cannot read instance: " + to_string(at) + " is not known");
    return *found;
}

}  // namespace howdah::admin::orchestrator
