#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace howdah::monitor {

/// Turns host names into addresses without blocking the control thread (asio resolves on a thread
/// of its own). Names that were resolved once stay usable while DNS is down; a refresh happens
/// behind an answer, never before it. Control thread only; owned by shared_ptr.
class resolver_cache : public std::enable_shared_from_this<resolver_cache> {
public:
    /// Addresses in the order to try; empty: `error` says why.
    using handler = std::function<void(std::vector<std::string> addresses, std::string error)>;

    explicit resolver_cache(boost::asio::io_context& io) : resolver_(io) {}

    /// Calls `done` once, at once if the answer is known. Not called after `stop()`.
    void resolve(const std::string& host, handler done);

    /// The first address did not answer in time: try another one first, next time.
    void rotate(const std::string& host);

    void stop();

private:
    struct entry {
        std::vector<std::string> addresses;
        std::chrono::steady_clock::time_point refreshed;
        bool under_way = false;
        std::vector<handler> waiting;
    };

    void refresh(const std::string& host);
    void finish(const std::string& host, std::vector<std::string> addresses, std::string error);

    boost::asio::ip::tcp::resolver resolver_;
    std::map<std::string, entry> entries_;
    bool stopped_ = false;
};

}  // namespace howdah::monitor
