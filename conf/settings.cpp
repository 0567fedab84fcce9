#include "conf/settings.hpp"

#include <fmt/format.h>

namespace howdah::conf {

std::string listen_address::to_string() const {
    const bool v6 = !is_unix() && host.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace howdah::conf
