#include "protocol/io/tls.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <stdexcept>

namespace howdah::protocol {
namespace {

// Wire form of the one protocol name that PostgreSQL registered for ALPN.
constexpr unsigned char alpn_postgresql[] = "\x0apostgresql";
constexpr unsigned int alpn_length = sizeof(alpn_postgresql) - 1;

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned int in_length, void*) {
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_length, alpn_postgresql, alpn_length, in, in_length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + take_ssl_error());
}

tls_context new_context(const SSL_METHOD* method) {
    SSL_CTX* raw = SSL_CTX_new(method);
    if (raw == nullptr) fail("cannot create a TLS context");
    tls_context ctx(raw, ssl_ctx_deleter{});
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(
        raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // A write that was refused is repeated from another address and may have grown meanwhile;
    // idle connections should not keep OpenSSL's record buffers.
    SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

/// An encrypted key is an error: nobody is there to be asked for its passphrase.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

void use_certificate(SSL_CTX* ctx, const tls_files& files) {
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(ctx, files.cert.c_str()) != 1)
        fail("cannot load certificate \"" + files.cert + "\"");
    if (SSL_CTX_use_PrivateKey_file(ctx, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        fail("cannot load private key \"" + files.key + "\"");
    if (SSL_CTX_check_private_key(ctx) != 1)
        fail("private key \"" + files.key + "\" does not match certificate \"" + files.cert + "\"");
}

void use_authorities(SSL_CTX* ctx, const tls_files& files) {
    if (!files.ca.empty() && SSL_CTX_load_verify_locations(ctx, files.ca.c_str(), nullptr) != 1)
        fail("cannot load CA file \"" + files.ca + "\"");
    if (!files.crl.empty()) {
        X509_STORE* store = SSL_CTX_get_cert_store(ctx);
        if (X509_STORE_load_locations(store, files.crl.c_str(), nullptr) != 1)
            fail("cannot load CRL file \"" + files.crl + "\"");
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    }
}

}  // namespace

tls_context make_server_tls(const tls_files& files) {
    tls_context ctx = new_context(TLS_server_method());
    use_certificate(ctx.get(), files);
    use_authorities(ctx.get(), files);
    if (files.only_tls_1_3) SSL_CTX_set_min_proto_version(ctx.get(), TLS1_3_VERSION);
    if (!files.ca.empty()) {
        STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(files.ca.c_str());
        if (names == nullptr) fail("cannot load CA file \"" + files.ca + "\"");
        SSL_CTX_set_client_CA_list(ctx.get(), names);
        SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, nullptr);
    }
    SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(ctx.get(), SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(ctx.get(), 0);
    SSL_CTX_set_alpn_select_cb(ctx.get(), select_alpn, nullptr);
    return ctx;
}

tls_context make_client_tls(const tls_files& files, sslmode mode) {
    tls_context ctx = new_context(TLS_client_method());
    if (!files.cert.empty()) use_certificate(ctx.get(), files);
    use_authorities(ctx.get(), files);
    if (mode >= sslmode::verify_ca) {
        if (files.ca.empty() && SSL_CTX_set_default_verify_paths(ctx.get()) != 1)
            fail("cannot load the system's CA certificates");
        SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER, nullptr);
    } else {
        SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_NONE, nullptr);
    }
    SSL_CTX_set_alpn_protos(ctx.get(), alpn_postgresql, alpn_length);
    return ctx;
}

std::string tls_server_end_point(X509* certificate) {
    if (certificate == nullptr) return {};
    int digest_nid = NID_undef;
    if (X509_get_signature_info(certificate, &digest_nid, nullptr, nullptr, nullptr) != 1)
        return {};
    const EVP_MD* digest = (digest_nid == NID_md5 || digest_nid == NID_sha1)
                               ? EVP_sha256()
                               : EVP_get_digestbynid(digest_nid);
    if (digest == nullptr) return {};
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    if (X509_digest(certificate, digest, hash, &length) != 1) return {};
    return {reinterpret_cast<const char*>(hash), length};
}

std::optional<std::string> common_name(X509* certificate) {
    X509_NAME* subject = certificate != nullptr ? X509_get_subject_name(certificate) : nullptr;
    const int at =
        subject != nullptr ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
    if (at < 0) return std::nullopt;
    unsigned char* utf8 = nullptr;
    const int size =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) return std::nullopt;
    std::string name(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    if (name.empty() || name.find('\0') != name.npos) return std::nullopt;
    return name;
}

std::string fingerprint(const tls_context& context) {
    X509* certificate = context ? SSL_CTX_get0_certificate(context.get()) : nullptr;
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned int length = 0;
    if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), hash.data(), &length) != 1)
        return {};
    std::string hex;
    for (unsigned int i = 0; i < length; ++i)
        for (const int digit : {hash[i] >> 4, hash[i] & 15})
            hex += "0123456789abcdef"[digit];
    return hex;
}

std::string take_ssl_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "no further reason given";
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    const char* reason = ERR_reason_error_string(code);
    return reason != nullptr ? reason : text;
}

}  // namespace howdah::protocol
