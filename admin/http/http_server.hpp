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

#include "admin/http/http_message.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/listener.hpp"
#include "protocol/io/task_gate.hpp"
#include "protocol/io/tls.hpp"

namespace howdah::admin {

/// A small HTTP/1.1 server. Lives on the control thread. A connection has 30 s for a request to
/// arrive and 30 s for its answer to be taken; what lies between may take as long as it needs.
class http_server {
public:
    /// Runs on `threads`, so it may block for a moment.
    using handler = std::function<http_answer(const http_request&)>;
    /// Runs on the control thread and answers at any time later. Where it drops the responder, the
    /// answer is an error. Responders must be gone before `io`.
    using later_handler = std::function<void(const http_request&, const http_responder&)>;
    /// Asked at each connection, so that a renewed certificate is used.
    using tls_source = std::function<protocol::tls_context()>;
    /// How errors of the protocol itself are put: 400, 404, ...
    using error_writer = std::function<http_answer(unsigned status, std::string message)>;

    /// Both must outlive it.
    http_server(boost::asio::io_context& io, boost::asio::thread_pool& threads);
    ~http_server();
    http_server(const http_server&) = delete;
    http_server& operator=(const http_server&) = delete;

    /// GET and HEAD of exactly this path. Before listen(), as the next two.
    void add(std::string path, handler h) { handlers_[std::move(path)] = std::move(h); }
    /// All methods of this path and everything below; "/" is everything. The longest one counts.
    void add_below(std::string path, later_handler h) { below_[std::move(path)] = std::move(h); }
    void write_errors_by(error_writer w) { error_ = std::move(w); }

    /// Serves a listening socket, which it owns from now on; with `tls` by HTTPS only.
    void listen(int fd, tls_source tls = nullptr);
    /// Accepts nobody any more; who is there stays.
    void stop_listening();
    /// Accepts nobody any more and ends all connections; `stopped` is called when none is left.
    void stop(std::function<void()> stopped);

private:
    struct waiting;
    class ticket;
    boost::asio::awaitable<void> serve(protocol::stream_socket socket, tls_source tls);
    boost::asio::awaitable<void> answer_to(http_request& asked, http_answer& answer);
    boost::asio::awaitable<void> answer_later(const later_handler& h, http_request& asked,
                                              http_answer& out);
    boost::asio::awaitable<void> sleep(std::chrono::milliseconds time);
    [[nodiscard]] const later_handler* below(std::string_view path) const;

    boost::asio::io_context& io_;
    boost::asio::thread_pool& threads_;
    protocol::deadline_wheel wheel_;
    protocol::task_gate gate_;
    std::map<std::string, handler, std::less<>> handlers_;
    std::map<std::string, later_handler, std::less<>> below_;
    error_writer error_;
    std::vector<std::unique_ptr<protocol::listener>> listeners_;
    std::set<protocol::stream*> streams_;
    std::set<waiting*> waiting_;
    bool stopped_ = false;
};

}  // namespace howdah::admin
