#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ha/supervisor.hpp"

namespace howdah::admin::orchestrator {

/// A server in its cluster. Valid as long as the view is.
struct place {
    const ha::cluster_state* in = nullptr;
    std::size_t index = 0;

    [[nodiscard]] const ha::server& server() const { return in->subject.servers[index]; }
    [[nodiscard]] const ha::endpoint& at() const { return server().at(); }
};

/// "host:port" or "[address]:port".
[[nodiscard]] std::optional<ha::endpoint> parse_endpoint(std::string_view text);
/// From two parts of a path. Throws api_error.
[[nodiscard]] ha::endpoint parse_key(std::string_view host, std::string_view port);

/// The server that is in charge of a cluster, dead or alive.
[[nodiscard]] std::optional<std::size_t> primary_of(const ha::cluster_state& one);
/// Orchestrator's name of a cluster: host:port of its primary, so it changes with it.
[[nodiscard]] std::string cluster_name(const ha::cluster_state& one);
/// What operators call it, else its stable name.
[[nodiscard]] std::string cluster_alias(const ha::ha_view& view, const ha::cluster_state& one);

/// nullptr if there is none. A hint is a name, an alias, or host:port or host of a member.
[[nodiscard]] const ha::cluster_state* find_cluster(const ha::ha_view& view, std::string_view hint);
/// By any of its names. Port 3306 where nobody has it is any port, if the host has one server:
/// orchestrator-client adds it to a bare host.
[[nodiscard]] std::optional<place> find_server(const ha::ha_view& view, const ha::endpoint& at);

/// The same, or api_error.
[[nodiscard]] const ha::cluster_state& the_cluster(const ha::ha_view& view, std::string_view hint);
[[nodiscard]] place the_server(const ha::ha_view& view, const ha::endpoint& at);

}  // namespace howdah::admin::orchestrator
