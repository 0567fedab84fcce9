#pragma once
#include <string_view>

namespace howdah::proxy {

/// Tells systemd about the service's state (sd_notify(3): "READY=1", "STOPPING=1", ...). Does
/// nothing outside of a unit with Type=notify.
void notify_systemd(std::string_view state);

}  // namespace howdah::proxy
