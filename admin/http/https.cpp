#include "admin/http/https.hpp"

#include <spdlog/spdlog.h>

#include <stdexcept>

#include "conf/settings.hpp"

namespace howdah::admin {
namespace {

constexpr unsigned char http_1_1[] = "\x08http/1.1";

/// Other protocols than HTTP/1.1 are not offered; who insists learns that by the answer.
int select_http(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned int in_length, void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_length, http_1_1, sizeof http_1_1 - 1, in, in_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

protocol::tls_context of(const conf::settings& now) {
    protocol::tls_files files;
    files.cert = now.vars.ssl_cert;
    files.key = now.vars.ssl_key;
    return make_https_tls(files);
}

}  // namespace

protocol::tls_context make_https_tls(const protocol::tls_files& files) {
    protocol::tls_files own = files;
    own.ca.clear();
    own.crl.clear();
    protocol::tls_context out = protocol::make_server_tls(own);
    SSL_CTX_set_alpn_select_cb(out.get(), select_http, nullptr);
    return out;
}

std::function<protocol::tls_context()> https_by(
    std::function<std::shared_ptr<const conf::settings>()> settings) {
    std::shared_ptr<const conf::settings> seen = settings();
    protocol::tls_context context = of(*seen);
    return [settings = std::move(settings), seen, context]() mutable {
        const auto now = settings();
        if (now == seen) return context;
        seen = now;
        try {
            context = of(*now);
        } catch (const std::runtime_error& e) {
            spdlog::error("https: the certificate stays as it was: {}", e.what());
        }
        return context;
    };
}

}  // namespace howdah::admin
