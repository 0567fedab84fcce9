#include "tests/support/loopback/running_proxy.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "conf/loader.hpp"

namespace howdah::tests {

loopback::loopback() {
    const char* level = std::getenv("HOWDAH_TEST_LOG");
    spdlog::set_level(level != nullptr ? spdlog::level::from_str(level) : spdlog::level::off);
}

loopback::~loopback() {
    stop();
    for (event& e : events_)
        e.abandon();
}

fake_server& loopback::add_reader(const std::string& name) {
    return readers.emplace_back(name);
}

void loopback::start(const proxy_setup& setup) {
    const auto row = [&](int hostgroup, const fake_server& s) {
        return "  - {hostgroup_id: " + std::to_string(hostgroup) +
               ", hostname: 127.0.0.1, port: " + std::to_string(s.port()) +
               ", max_connections: " + std::to_string(setup.max_connections) + "}\n";
    };
    std::string yaml =
        "variables:\n"
        "  interfaces: [\"127.0.0.1:0\"]\n"
        "  monitor_enabled: false\n"
        "  admin_pgsql_ifaces: none\n"
        "  admin_metrics_ifaces: none\n"
        "  ha_api_ifaces: none\n"
        "  server_sslmode: disable\n"
        "  threads: " +
        std::to_string(setup.threads) + "\n";
    if (setup.variables.find("authentication_method") == std::string::npos)
        yaml += "  authentication_method: trust\n";
    // Without a monitor nobody knows how far readers are.
    if (setup.variables.find("read_consistency") == std::string::npos)
        yaml += "  read_consistency: eventual\n";
    for (std::size_t at = 0; at < setup.variables.size();) {
        const std::size_t end = setup.variables.find('\n', at);
        yaml += "  " + setup.variables.substr(at, end - at) + "\n";
        at = end == std::string::npos ? setup.variables.size() : end + 1;
    }
    yaml += "servers:\n" + row(10, writer);
    for (const fake_server& r : readers)
        yaml += row(20, r);
    yaml += "replication_hostgroups:\n  - {writer_hostgroup: 10, reader_hostgroup: 20}\nusers:\n";
    yaml += "  - {username: alice, password: secret, default_hostgroup: 10" +
            (setup.user.empty() ? "" : ", " + setup.user) + "}\n" + setup.more_users +
            setup.sections;
    const conf::load_result loaded = conf::load_text(yaml, "test.yaml");
    for (const auto& error : loaded.errors)
        throw std::runtime_error(error.to_string());
    app_ = std::make_unique<proxy::app>(loaded.value);
    thread_ = std::thread([this] { exit_code_ = app_->run(); });
}

void loopback::stop() {
    if (!thread_.joinable()) return;
    app_->request_stop();
    for (event& e : events_)
        e.abandon();
    writer.drop_all();
    for (fake_server& r : readers)
        r.drop_all();
    expect_exit();
}

void loopback::expect_exit() {
    thread_.join();
    EXPECT_EQ(exit_code_, 0);
}

client loopback::connect(const client::parameters& extra, const std::string& user) {
    client c(port());
    const std::string said = c.log_in(user, extra);
    if (said != "R K Z(I)") throw std::runtime_error("login: " + said + " " + c.error_text());
    return c;
}

void loopback::wait_for_waiters(std::size_t n) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (app_->shared().book.waiting() != n) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("not so many clients wait: " +
                                     std::to_string(app_->shared().book.waiting()));
        std::this_thread::yield();
    }
}

void loopback::wait_for_permits(std::uint32_t n) {
    auto& shared = app_->shared();
    const auto* server = shared.names.server({"127.0.0.1", writer.port()});
    const auto end = std::chrono::steady_clock::now() + patience;
    while (shared.book.used(server) != n) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("not so many permits: " +
                                     std::to_string(shared.book.used(server)));
        std::this_thread::yield();
    }
}

event& loopback::make_event() {
    return events_.emplace_back();
}

temporary_folder::temporary_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "howdah-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        throw std::runtime_error("cannot make a temporary folder");
    path_ = pattern;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

void write_certificate(const std::string& cert, const std::string& key) {
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, pair);
    X509_NAME* name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_sign(x, pair, EVP_sha256());
    std::FILE* file = std::fopen(cert.c_str(), "w");
    PEM_write_X509(file, x);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x);
    EVP_PKEY_free(pair);
}

}  // namespace howdah::tests
