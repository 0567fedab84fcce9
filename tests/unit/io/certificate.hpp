#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace howdah::protocol::test {

struct openssl_deleter {
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
    void operator()(std::FILE* p) const { std::fclose(p); }
};
using private_key = std::unique_ptr<EVP_PKEY, openssl_deleter>;
using certificate = std::unique_ptr<X509, openssl_deleter>;

inline private_key make_ec_key() {
    return private_key(EVP_EC_gen("P-256"));
}
inline private_key make_rsa_key() {
    return private_key(EVP_RSA_gen(2048));
}

/// A certificate for `name` (also as DNS or IP name, e.g. alt = "DNS:db"), signed by the issuer or
/// by itself. digest: nullptr for key types that bring their own.
inline certificate make_certificate(EVP_PKEY* key, const std::string& name, const EVP_MD* digest,
                                    const std::string& alt = {}, X509* issuer = nullptr,
                                    EVP_PKEY* issuer_key = nullptr) {
    certificate cert(X509_new());
    X509* x = cert.get();
    X509_set_version(x, 2);
    static long serial = 1;
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(issuer != nullptr ? issuer : x));
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer != nullptr ? issuer : x, x, nullptr, nullptr, 0);
    const auto extend = [&](int nid, const std::string& value) {
        const std::unique_ptr<X509_EXTENSION, openssl_deleter> e(
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
        if (!e || X509_add_ext(x, e.get(), -1) != 1) throw std::runtime_error("extension");
    };
    if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
    if (!alt.empty()) extend(NID_subject_alt_name, alt);
    if (X509_sign(x, issuer_key != nullptr ? issuer_key : key, digest) == 0)
        throw std::runtime_error("X509_sign");
    return cert;
}

inline void write_pem(const std::string& path, X509* cert) {
    const std::unique_ptr<std::FILE, openssl_deleter> f(std::fopen(path.c_str(), "w"));
    if (!f || PEM_write_X509(f.get(), cert) != 1) throw std::runtime_error(path);
}
inline void write_pem(const std::string& path, EVP_PKEY* key) {
    const std::unique_ptr<std::FILE, openssl_deleter> f(std::fopen(path.c_str(), "w"));
    if (!f || PEM_write_PrivateKey(f.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        throw std::runtime_error(path);
}

}  // namespace howdah::protocol::test
