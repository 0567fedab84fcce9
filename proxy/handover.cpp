#include "proxy/handover.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace howdah::proxy {

namespace {

/// "3;127.0.0.1:6133=4;127.0.0.1:6133=5": the channel, and the sockets by address.
constexpr const char* variable = "HOWDAH_HANDOVER";
constexpr std::string_view ready_word = "ready";

std::string environment_entry(int channel, const std::vector<passed_socket>& sockets) {
    std::string text = std::string(variable) + "=" + std::to_string(channel);
    for (const passed_socket& s : sockets)
        text += ";" + s.address + "=" + std::to_string(s.fd);
    return text;
}

int number(std::string_view text) {
    int value = -1;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), value);
    return done.ec == std::errc() && done.ptr == text.data() + text.size() ? value : -1;
}

bool keep_from_children(int fd) {
    return ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool listens(int fd) {
    int yes = 0;
    socklen_t size = sizeof yes;
    return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes != 0;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (const std::string& s : strings)
        out.push_back(const_cast<char*>(s.c_str()));
    out.push_back(nullptr);
    return out;
}

}  // namespace

successor::successor(boost::asio::io_context& io, callbacks on)
    : channel_(io), on_(std::move(on)) {}

successor::~successor() = default;

std::string successor::start(const std::vector<std::string>& command,
                             const std::vector<passed_socket>& sockets) {
    const auto failed = [](const char* what) { return std::string(what) + std::strerror(errno); };
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return failed("socketpair: ");
    std::vector<std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry)
        environment.emplace_back(*entry);
    environment.push_back(environment_entry(ends[1], sockets));
    const std::vector<char*> argv = pointers(command);
    const std::vector<char*> envp = pointers(environment);
    const pid_t pid = ::fork();
    if (pid == 0) {
        // Only what is safe between fork and exec in a process with threads. Nothing else is the
        // new process's: it would keep our clients' connections open.
        bool ok =
            ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && ::fcntl(ends[1], F_SETFD, 0) == 0;
        for (const passed_socket& s : sockets)
            ok = ok && ::fcntl(s.fd, F_SETFD, 0) == 0;
        if (ok) ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    if (pid < 0) {
        const std::string error = failed("fork: ");
        ::close(ends[0]);
        return error;
    }
    pid_ = pid;
    ready_ = false;
    boost::system::error_code ignored;
    channel_.close(ignored);
    channel_.assign(ends[0]);
    listen();
    return {};
}

void successor::listen() {
    channel_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this](const boost::system::error_code& ec) {
                            if (!ec) receive();
                        });
}

void successor::receive() {
    std::array<char, 512> buffer{};
    const ssize_t n = ::recv(channel_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return listen();
    if (n <= 0) {
        boost::system::error_code ignored;
        channel_.close(ignored);
        int status = 0;
        const bool over = ::waitpid(pid_, &status, 0) == pid_;
        pid_ = 0;
        if (!ready_)
            on_.ended(over && WIFEXITED(status)
                          ? "it ended with exit code " + std::to_string(WEXITSTATUS(status))
                          : "it was ended by a signal");
        return;
    }
    const std::string_view message(buffer.data(), static_cast<std::size_t>(n));
    if (message == ready_word) {
        ready_ = true;
        on_.ready();
    } else if (message.size() > sizeof(std::int32_t)) {
        std::int32_t pid = 0;
        std::memcpy(&pid, message.data(), sizeof pid);
        on_.cancel(pid, message.substr(sizeof pid));
    }
    listen();
}

predecessor::predecessor() {
    const char* text = std::getenv(variable);
    if (text == nullptr) return;
    std::string_view rest = text;
    for (bool first = true; !rest.empty(); first = false) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        const std::string_view entry = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (first) {
            channel_ = number(entry);
            if (channel_ >= 0 && !keep_from_children(channel_)) channel_ = -1;
            continue;
        }
        const std::size_t equals = entry.rfind('=');
        if (equals == entry.npos) continue;
        const int fd = number(entry.substr(equals + 1));
        // Somebody may have set the variable by hand.
        if (fd >= 0 && listens(fd) && keep_from_children(fd))
            sockets_.push_back({std::string(entry.substr(0, equals)), fd});
    }
    ::unsetenv(variable);
}

predecessor::~predecessor() {
    for (const passed_socket& s : sockets_)
        ::close(s.fd);
    if (channel_ >= 0) ::close(channel_);
}

std::vector<int> predecessor::take(std::string_view address) {
    std::vector<int> taken;
    std::erase_if(sockets_, [&](const passed_socket& s) {
        if (s.address != address) return false;
        taken.push_back(s.fd);
        return true;
    });
    return taken;
}

void predecessor::ready() {
    for (const passed_socket& s : sockets_)
        ::close(s.fd);
    sockets_.clear();
    if (channel_ >= 0) (void)::send(channel_, ready_word.data(), ready_word.size(), MSG_NOSIGNAL);
}

void predecessor::cancel(std::int32_t pid, std::string_view key) const {
    if (channel_ < 0) return;
    std::string message(sizeof pid, '\0');
    std::memcpy(message.data(), &pid, sizeof pid);
    message += key;
    // Nobody to tell if it has gone.
    (void)::send(channel_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace howdah::proxy
