#pragma once
#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::proxy {

/// A listening socket that goes from one process to the next, under the address as configured.
struct passed_socket {
    std::string address;
    int fd;
};

/// The process that takes over from this one (online restart): a new run of the same command, which
/// inherits the listening sockets, so that no connection is refused or lost meanwhile. Control
/// thread only.
class successor {
public:
    struct callbacks {
        std::function<void()> ready;                        ///< it accepts clients
        std::function<void(const std::string& why)> ended;  ///< ... before it was ready
        /// A CancelRequest that may be for a client of this process.
        std::function<void(std::int32_t pid, std::string_view key)> cancel;
    };
    successor(boost::asio::io_context& io, callbacks on);
    ~successor();

    /// Starts `command`, a path and its arguments. The sockets stay the caller's. Returns an error
    /// text, empty if it runs.
    [[nodiscard]] std::string start(const std::vector<std::string>& command,
                                    const std::vector<passed_socket>& sockets);
    [[nodiscard]] bool running() const { return pid_ > 0; }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    void listen();
    void receive();

    boost::asio::posix::stream_descriptor channel_;
    callbacks on_;
    pid_t pid_ = 0;
    bool ready_ = false;
};

/// The process that this one takes over from, if it was started by a successor's start().
class predecessor {
public:
    /// Reads the environment, and clears it for our own children.
    predecessor();
    ~predecessor();
    predecessor(const predecessor&) = delete;
    predecessor& operator=(const predecessor&) = delete;

    [[nodiscard]] bool exists() const { return channel_ >= 0; }
    /// The sockets that listen on a configured address; they are the caller's now.
    [[nodiscard]] std::vector<int> take(std::string_view address);
    /// We accept clients: it may stop doing so. Closes the sockets that nobody took.
    void ready();
    /// Passes a CancelRequest on; does nothing once it has gone. Any thread.
    void cancel(std::int32_t pid, std::string_view key) const;

private:
    int channel_ = -1;
    std::vector<passed_socket> sockets_;
};

}  // namespace howdah::proxy
