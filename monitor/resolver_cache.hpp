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
    using addresses = std::vector<std::string>;
    /// Addresses in the order to try; empty: `error` says why.
    using handler = std::function<void(addresses found, std::string error)>;
    /// Asks the name service; calls back once, from the event loop.
    using lookup = std::function<void(const std::string& host, handler done)>;
    /// A name has other addresses than before.
    using observer = std::function<void(const std::string& host, const addresses& now)>;

    /// Asks as getaddrinfo does, unless there is another `ask`.
    explicit resolver_cache(boost::asio::io_context& io, lookup ask = {});

    /// Calls `done` once, at once if the answer is known. Not called after `stop()`.
    void resolve(const std::string& host, handler done);

    /// The first address did not answer in time: try another one first, next time.
    void rotate(const std::string& host);

    /// No address would let us in: asks again, whatever the age of the answer, but not every time.
    void doubt(const std::string& host);

    /// How long an answer is believed; 30 s if not said otherwise.
    void set_time_to_live(std::chrono::milliseconds value) { time_to_live_ = value; }
    void on_change(observer told) { observer_ = std::move(told); }

    void stop();

private:
    struct entry {
        resolver_cache::addresses addresses;
        std::chrono::steady_clock::time_point refreshed;
        bool under_way = false;
        std::vector<handler> waiting;
    };

    void ask_system(const std::string& host, handler done);
    void refresh(const std::string& host);
    void finish(const std::string& host, addresses found, const std::string& error);

    boost::asio::ip::tcp::resolver resolver_;
    lookup ask_;
    observer observer_;
    std::chrono::milliseconds time_to_live_{30000};
    std::map<std::string, entry> entries_;
    bool stopped_ = false;
};

}  // namespace howdah::monitor
