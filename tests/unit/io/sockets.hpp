#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "protocol/io/stream.hpp"

namespace howdah::protocol::test {

/// Two connected streams on one io_context.
struct stream_pair {
    stream near;
    stream far;
};

inline stream adopt(boost::asio::io_context& io, int fd, int family = AF_UNIX) {
    stream_socket socket(io.get_executor());
    socket.assign(boost::asio::generic::stream_protocol(family, 0), fd);
    return stream(std::move(socket));
}

/// send_buffer: bytes of SO_SNDBUF on both sides, 0 = the system's.
inline stream_pair connected_pair(boost::asio::io_context& io, int send_buffer = 0) {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
        throw std::runtime_error("socketpair");
    if (send_buffer > 0)
        for (const int fd : fds)
            (void)::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    return {adopt(io, fds[0]), adopt(io, fds[1])};
}

/// Whatever can be read now.
inline std::string read_available(stream& from, std::size_t at_most = 1 << 20) {
    std::string out;
    char chunk[4096];
    while (out.size() < at_most) {
        const io_result got = from.read(chunk, std::min(sizeof chunk, at_most - out.size()));
        if (!got.ok()) break;
        out.append(chunk, got.bytes);
    }
    return out;
}

/// Bytes that differ from place to place, so that lost, repeated or swapped ones are seen.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
    std::string out(size, '\0');
    for (char& c : out) {
        seed = seed * 1664525U + 1013904223U;
        c = static_cast<char>(seed >> 24);
    }
    return out;
}

/// A folder that goes away with all that is in it.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "howdah-io-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

}  // namespace howdah::protocol::test
