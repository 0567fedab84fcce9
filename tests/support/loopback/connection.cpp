#include "tests/support/loopback/connection.hpp"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>

namespace howdah::tests {
namespace {

/// How long a peer takes nothing before it counts as not reading.
constexpr std::chrono::milliseconds stalled{250};

bool same(const sockaddr_in& a, const sockaddr_in& b) {
    return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

std::optional<sockaddr_in> end_of(int fd, bool local) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    const int rc = local ? ::getsockname(fd, generic, &size) : ::getpeername(fd, generic, &size);
    if (rc != 0 || address.ss_family != AF_INET) return std::nullopt;
    sockaddr_in out{};
    std::memcpy(&out, &address, sizeof out);
    return out;
}

/// The other end of a connection inside this process; -1 if there is none (any more).
int other_end(int fd) {
    const auto mine = end_of(fd, true);
    const auto theirs = end_of(fd, false);
    if (!mine || !theirs) return -1;
    DIR* dir = ::opendir("/proc/self/fd");
    int found = -1;
    while (const dirent* entry = ::readdir(dir)) {
        const int candidate = std::atoi(entry->d_name);
        if (candidate <= 2 || candidate == fd) continue;
        const auto a = end_of(candidate, true);
        const auto b = end_of(candidate, false);
        if (a && b && same(*a, *theirs) && same(*b, *mine)) found = candidate;
    }
    ::closedir(dir);
    return found;
}

}  // namespace

std::string framed(char type, std::string_view body) {
    return type + i32(static_cast<std::int64_t>(body.size()) + 4) + std::string(body);
}

std::string i16(int value) {
    return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string i32(std::int64_t value) {
    const auto v = static_cast<std::uint32_t>(value);
    return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8),
            static_cast<char>(v)};
}

std::string cstr(std::string_view text) {
    return std::string(text) + '\0';
}

connection::connection(int fd) : fd_(fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

connection::~connection() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    if (context_ != nullptr) SSL_CTX_free(context_);
    close();
}

std::unique_ptr<connection> connection::to(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    return std::make_unique<connection>(fd);
}

bool connection::wait_for(short events, std::chrono::milliseconds limit) const {
    pollfd p{fd_, events, 0};
    return ::poll(&p, 1, static_cast<int>(limit.count())) > 0;
}

bool connection::send(std::string_view bytes) {
    return send_reporting(bytes, {});
}

std::size_t connection::send_some(std::string_view bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
}

bool connection::send_reporting(std::string_view bytes, const std::function<void()>& blocked) {
    if (ssl_ != nullptr) return SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())) > 0;
    bool reported = !blocked;
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
        if (!reported && !wait_for(POLLOUT, stalled)) {
            reported = true;
            blocked();
        }
        if (!wait_for(POLLOUT, patience)) throw std::runtime_error("the peer does not read");
    }
    return true;
}

void connection::wait_until_peer_has_read() {
    const int peer = other_end(fd_);
    const auto end = std::chrono::steady_clock::now() + patience;
    int left = 0;
    while (peer >= 0 && ::ioctl(peer, FIONREAD, &left) == 0 && left > 0) {
        if (std::chrono::steady_clock::now() > end)
            throw std::runtime_error("the peer does not read what was sent");
        std::this_thread::yield();
    }
}

bool connection::send_cut(std::string_view bytes, std::size_t at) {
    if (!send(bytes.substr(0, at))) return false;
    wait_until_peer_has_read();
    return send(bytes.substr(at));
}

bool connection::fill() {
    if (taken_ > 0) {
        in_.erase(0, taken_);
        taken_ = 0;
    }
    char chunk[65536];
    for (;;) {
        if ((ssl_ == nullptr || SSL_pending(ssl_) == 0) && !wait_for(POLLIN, patience))
            throw std::runtime_error("nothing was received in time");
        if (ssl_ != nullptr) {
            const int n = SSL_read(ssl_, chunk, sizeof chunk);
            if (n <= 0) return false;
            in_.append(chunk, static_cast<std::size_t>(n));
            return true;
        }
        const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        in_.append(chunk, static_cast<std::size_t>(n));
        return true;
    }
}

std::optional<std::string> connection::read(std::size_t n) {
    while (in_.size() - taken_ < n)
        if (!fill()) return std::nullopt;
    std::string out = in_.substr(taken_, n);
    taken_ += n;
    return out;
}

std::optional<message> connection::next() {
    const auto head = read(5);
    if (!head) return std::nullopt;
    std::uint32_t length = 0;
    for (int i = 1; i < 5; ++i)
        length = length << 8 | static_cast<unsigned char>((*head)[static_cast<std::size_t>(i)]);
    if (length < 4) throw std::runtime_error("a message with an invalid length was received");
    auto body = read(length - 4);
    if (!body) return std::nullopt;
    return message{(*head)[0], std::move(*body)};
}

std::string connection::rest() {
    while (fill()) {
    }
    return in_.substr(taken_);
}

bool connection::start_tls_client(const std::string& alpn) {
    context_ = SSL_CTX_new(TLS_client_method());
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    if (!alpn.empty()) {
        const std::string list = static_cast<char>(alpn.size()) + alpn;
        SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
    }
    return SSL_connect(ssl_) == 1;
}

void connection::wait_until_closed_by_peer() const {
    (void)wait_for(POLLIN, patience);
}

void connection::shut() {
    ::shutdown(fd_, SHUT_RDWR);
}

void connection::close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

void connection::reset() {
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
}

void connection::receive_buffer(int bytes) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void connection::send_buffer(int bytes) {
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

int listen_on_loopback(std::uint16_t& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd, SOMAXCONN) != 0)
        throw std::runtime_error("cannot listen on 127.0.0.1");
    socklen_t size = sizeof address;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace howdah::tests
