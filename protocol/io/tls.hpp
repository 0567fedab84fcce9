#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>

namespace howdah::protocol {

/// How much TLS a client (allow, require) or a server connection must have; names and meaning of
/// libpq's sslmode.
enum class sslmode : unsigned char { disable, allow, prefer, require, verify_ca, verify_full };

struct ssl_ctx_deleter {
    void operator()(SSL_CTX* c) const { SSL_CTX_free(c); }
};
using tls_context = std::shared_ptr<SSL_CTX>;

/// Files of one side's TLS configuration; empty means not configured.
struct tls_files {
    std::string cert;
    std::string key;
    std::string ca;
    std::string crl;
    bool only_tls_1_3 = false;  ///< else TLS 1.2, too
};

/// Context for accepting clients: certificate and key are required, ALPN selects "postgresql".
/// With a CA a client may show a certificate, which must be valid; whether it has to is the
/// caller's (SSL_get0_peer_certificate). Sessions are not resumed, as in PostgreSQL: a resumed one
/// would be spared the checks of a CA or CRL that was replaced meanwhile.
/// Throws std::runtime_error naming the file and OpenSSL's reason (start-up and reload only).
[[nodiscard]] tls_context make_server_tls(const tls_files& files);

/// Context for connecting to PostgreSQL servers. Certificates are verified from verify_ca on.
/// Throws std::runtime_error as above.
[[nodiscard]] tls_context make_client_tls(const tls_files& files, sslmode mode);

/// Channel binding data "tls-server-end-point" (RFC 5929 section 4.1) of a certificate: its hash
/// with the signature's digest, SHA-256 in place of MD5 and SHA-1. Empty if it cannot be computed.
[[nodiscard]] std::string tls_server_end_point(X509* certificate);

/// The certificate's first common name; nothing if it has none, or one with a NUL inside, which
/// would be read in two ways.
[[nodiscard]] std::optional<std::string> common_name(X509* certificate);

/// SHA-256 of the certificate that the context shows, in hexadecimal; empty without one.
[[nodiscard]] std::string fingerprint(const tls_context& context);

/// Text of the calling thread's latest OpenSSL error; clears the error queue.
[[nodiscard]] std::string take_ssl_error();

}  // namespace howdah::protocol
