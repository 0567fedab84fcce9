#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/io/deadline.hpp"
#include "protocol/io/listener.hpp"
#include "protocol/io/task_gate.hpp"

namespace howdah::admin {

struct http_request {
    std::string method;
    std::string path;   ///< without the query
    std::string query;  ///< behind '?', as sent
};

struct http_answer {
    unsigned status = 200;
    std::string type = "text/plain; charset=utf-8";
    std::string body;
};

/// A small HTTP/1.1 server. Lives on the control thread; handlers run on `threads`, so they may
/// block for a moment.
class http_server {
public:
    using handler = std::function<http_answer(const http_request&)>;

    /// Both must outlive it.
    http_server(boost::asio::io_context& io, boost::asio::thread_pool& threads);
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    /// GET and HEAD of exactly this path. Before listen().
    void add(std::string path, handler h) { handlers_[std::move(path)] = std::move(h); }
    /// Serves a listening socket, which it owns from now on.
    void listen(int fd);
    /// Accepts nobody any more; who is there stays.
    void stop_listening();
    /// Accepts nobody any more and ends all connections; `stopped` is called when none is left.
    void stop(std::function<void()> stopped);

private:
    boost::asio::awaitable<void> serve(protocol::stream_socket socket);

    boost::asio::io_context& io_;
    boost::asio::thread_pool& threads_;
    protocol::deadline_wheel wheel_;
    protocol::task_gate gate_;
    std::map<std::string, handler, std::less<>> handlers_;
    std::vector<std::unique_ptr<protocol::listener>> listeners_;
    std::set<protocol::stream_socket*> sockets_;
    bool stopped_ = false;
};

}  // namespace howdah::admin
