#pragma once
#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::tests {

/// How long a test waits for something that must happen; far beyond what it takes.
inline constexpr std::chrono::seconds patience{10};

/// One typed message.
struct message {
    char type = 0;
    std::string body;
    bool operator==(const message&) const = default;
};

/// Type, length, body.
[[nodiscard]] std::string framed(char type, std::string_view body);
/// Big-endian integers for bodies.
[[nodiscard]] std::string i16(int value);
[[nodiscard]] std::string i32(std::int64_t value);
/// Text with its NUL.
[[nodiscard]] std::string cstr(std::string_view text);

/// A blocking socket of a test, plain or TLS. Waits at most `patience`, then throws
/// std::runtime_error, which fails the test. One thread at a time, except shut().
class connection {
public:
    explicit connection(int fd);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;
    [[nodiscard]] static std::unique_ptr<connection> to(std::uint16_t port);

    /// False when the peer is gone.
    bool send(std::string_view bytes);
    /// Sends without waiting; returns how many bytes were taken.
    [[nodiscard]] std::size_t send_some(std::string_view bytes);
    /// Sends all; calls `blocked` once when the peer takes nothing more for a while.
    bool send_reporting(std::string_view bytes, const std::function<void()>& blocked);
    /// Sends `bytes` in two parts, the second only after the peer, which lives in this process, has
    /// read the first.
    bool send_cut(std::string_view bytes, std::size_t at);
    /// Exactly n bytes, or nothing if the peer closed before.
    [[nodiscard]] std::optional<std::string> read(std::size_t n);
    /// The next typed message; nothing when the peer closed.
    [[nodiscard]] std::optional<message> next();
    /// Everything up to the end of the connection.
    [[nodiscard]] std::string rest();
    /// True when read() has bytes that were received already.
    [[nodiscard]] bool buffered() const { return taken_ < in_.size(); }
    /// Waits until the peer sends something or closes.
    void wait_until_closed_by_peer() const;
    /// Handshake as a client that verifies nothing.
    [[nodiscard]] bool start_tls_client(const std::string& alpn = {});
    /// Ends both directions; a thread that waits in here returns.
    void shut();
    void close();
    /// Closes with a RST.
    void reset();
    void receive_buffer(int bytes);
    void send_buffer(int bytes);
    [[nodiscard]] int fd() const { return fd_; }

private:
    [[nodiscard]] bool fill();
    [[nodiscard]] bool wait_for(short events, std::chrono::milliseconds limit) const;
    void wait_until_peer_has_read();

    int fd_;
    std::string in_;
    std::size_t taken_ = 0;
    SSL_CTX* context_ = nullptr;
    SSL* ssl_ = nullptr;
};

/// A socket that listens on 127.0.0.1; returns the descriptor and sets the port.
[[nodiscard]] int listen_on_loopback(std::uint16_t& port);

}  // namespace howdah::tests
