#pragma once
#include <functional>
#include <memory>

#include "protocol/io/tls.hpp"

namespace howdah::conf {
struct settings;
}

namespace howdah::admin {

/// Context for an HTTPS server: that of the proxy's clients, but for HTTP/1.1 in ALPN and without
/// client certificates. Throws std::runtime_error naming the file and OpenSSL's reason.
[[nodiscard]] protocol::tls_context make_https_tls(const protocol::tls_files& files);

/// For http_server::listen: the context of ssl_cert and ssl_key in the settings of now. It is made
/// anew when they changed; where the new files cannot be used the old context stays, and the log
/// says so. The first one is made at once: throws std::runtime_error as above.
[[nodiscard]] std::function<protocol::tls_context()> https_by(
    std::function<std::shared_ptr<const conf::settings>()> settings);

}  // namespace howdah::admin
