#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "proxy/app.hpp"
#include "tests/support/loopback/client.hpp"
#include "tests/support/loopback/fake_server.hpp"

namespace howdah::tests {

/// How a proxy under test is configured, beyond what every test needs.
struct proxy_setup {
    std::string variables;   ///< further lines "name: value", each with its line end
    std::string user;        ///< further columns of user alice, e.g. "pool_mode: session"
    std::string more_users;  ///< further rows, each "- {...}" with its line end
    std::string sections{};  ///< further sections of the file
    int threads = 1;
    int max_connections = 80;  ///< of every server
};

/// A Howdah in this process on a port of its own, with fake servers: `writer` in hostgroup 10,
/// `readers` in 20. Users alice (hostgroup 10) needs no password.
class loopback : public ::testing::Test {
protected:
    loopback();
    /// Stops the proxy and expects that it ends by itself with exit code 0.
    ~loopback() override;

    fake_server& add_reader(const std::string& name);
    void start(const proxy_setup& setup = {});
    /// As SIGTERM; does not wait.
    void request_stop() { app_->request_stop(); }
    void stop();
    /// Waits for the end of the proxy; its exit code must be 0.
    void expect_exit();
    [[nodiscard]] std::uint16_t port() const { return app_->port(); }
    /// A client that has logged in.
    [[nodiscard]] client connect(const client::parameters& extra = {},
                                 const std::string& user = "alice");
    /// Until that many clients wait for a server connection.
    void wait_for_waiters(std::size_t n);
    /// Until that many connections to the writer are open or being opened.
    void wait_for_permits(std::uint32_t n);
    /// An event that outlives the servers' threads.
    event& make_event();
    [[nodiscard]] proxy::app& app() { return *app_; }

private:
    std::list<event> events_;

protected:
    fake_server writer{"writer"};
    std::list<fake_server> readers;

private:
    std::unique_ptr<proxy::app> app_;
    std::thread thread_;
    int exit_code_ = -1;
};

/// A folder that is removed with its content; for certificates.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Writes a fresh self-signed certificate and its key (PEM).
void write_certificate(const std::string& cert, const std::string& key);

}  // namespace howdah::tests
