#pragma once
#include "ha/plan.hpp"

namespace howdah::ha {

/// Ends the fence of a server that may write again: an operator adopted it, or a fence outlived its
/// reason. Both settings become those of its configuration files. Impossible where it bears no
/// fence of Howdah's.
[[nodiscard]] plan plan_unfence(const cluster& subject, std::size_t server);

}  // namespace howdah::ha
