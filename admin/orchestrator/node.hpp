#pragma once
#include "admin/orchestrator/functions.hpp"
#include "admin/orchestrator/json.hpp"

namespace howdah::admin::orchestrator {

/// Orchestrator's HealthStatus of a node that is alone.
[[nodiscard]] json health_object(const api_functions& does);

}  // namespace howdah::admin::orchestrator
