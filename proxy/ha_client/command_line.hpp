#pragma once
#include <CLI/App.hpp>

#include "proxy/ha_client/request.hpp"

namespace howdah::proxy::ha_client {

/// Adds `ha` with its subcommands; parsing fills `into`, which must live as long as `cli`.
CLI::App& add_commands(CLI::App& cli, request& into);

/// What CLI11 cannot check; "" where the request can be carried out.
[[nodiscard]] std::string check(const request& asked);

}  // namespace howdah::proxy::ha_client
