#pragma once
#include <prometheus/metric_type.h>

#include <span>

#include "ha/supervisor.hpp"
#include "proxy/admin/metric_families.hpp"

namespace howdah::proxy {

/// A family of metrics about clusters: the table of docs/high-availability.md.
struct ha_metric {
    const char* name;
    const char* labels;  ///< "cluster, server"
    const char* help;
    prometheus::MetricType type = prometheus::MetricType::Gauge;
};
[[nodiscard]] std::span<const ha_metric> ha_metric_table();

/// What is to be known about clusters from outside. Pure: only what the view has, which is in
/// memory. `now` by the clock of the facts. Every family is there, also one without a value, so
/// that a query for it is no typing error; what is over (a problem, a server, an obstacle) leaves
/// no series behind.
void add_ha_metrics(metric_families& out, const ha::ha_view& view, ha::time_us now);

}  // namespace howdah::proxy
