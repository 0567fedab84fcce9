#pragma once
#include <string_view>

#include "admin/sql/sql_error.hpp"
#include "ha/supervisor.hpp"

namespace howdah::admin {

/// A server in a view, which it must not outlive.
struct named_server {
    const ha::cluster_state* state = nullptr;
    std::size_t index = 0;

    [[nodiscard]] const ha::server& it() const { return state->subject.servers[index]; }
    [[nodiscard]] const ha::endpoint& at() const { return it().at(); }
};

/// By host:port or [v6]:port in any of its names, by the name that the operator gave it, or by host
/// alone. Errors: none or several are meant; the hint lists what there is.
[[nodiscard]] sql_result<named_server> find_server(const ha::ha_view& view, std::string_view hint);

/// By name, alias, or any of its servers; without a hint the only one.
[[nodiscard]] sql_result<const ha::cluster_state*> find_cluster(const ha::ha_view& view,
                                                                std::string_view hint);

}  // namespace howdah::admin
