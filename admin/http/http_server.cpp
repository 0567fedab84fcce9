#include "admin/http/http_server.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "protocol/io/offload.hpp"

namespace howdah::admin {
namespace {

namespace http = boost::beast::http;
using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;

/// Time for a request to arrive and for its answer to be taken.
constexpr std::chrono::seconds patience{30};
constexpr std::size_t most_connections = 200;
constexpr std::size_t largest_body = 1 << 20;
constexpr std::size_t largest_header = 16 << 10;

/// Closes a socket when its time is over, and lists it meanwhile.
class connection final : public protocol::deadline {
public:
    connection(std::set<protocol::stream_socket*>& all, protocol::stream_socket& s)
        : all_(all), socket_(s) {
        all_.insert(&socket_);
    }
    ~connection() override { all_.erase(&socket_); }

private:
    void on_deadline() override {
        boost::system::error_code ignored;
        socket_.close(ignored);
    }
    std::set<protocol::stream_socket*>& all_;
    protocol::stream_socket& socket_;
};

http_answer plain(unsigned status, std::string text) {
    http_answer a;
    a.status = status;
    a.body = std::move(text);
    return a;
}

}  // namespace

http_server::http_server(boost::asio::io_context& io, boost::asio::thread_pool& threads)
    : io_(io), threads_(threads), wheel_(io), gate_(io, [](std::exception_ptr error) {
          try {
              std::rethrow_exception(error);
          } catch (const std::exception& e) {
              spdlog::error("http: {}", e.what());
          }
      }) {}

http_server::~http_server() = default;

void http_server::listen(int fd) {
    listeners_.push_back(std::make_unique<protocol::listener>(
        io_, fd,
        [this](protocol::stream_socket socket) {
            if (sockets_.size() < most_connections) gate_.spawn(serve(std::move(socket)));
        },
        [](const boost::system::error_code& ec) {
            if (ec) spdlog::warn("http: cannot accept clients: {}", ec.message());
        }));
    listeners_.back()->start();
}

void http_server::stop_listening() {
    for (const auto& l : listeners_)
        l->stop();
}

void http_server::stop(std::function<void()> stopped) {
    if (!std::exchange(stopped_, true)) {
        stop_listening();
        boost::system::error_code ignored;
        for (protocol::stream_socket* s : sockets_)
            s->close(ignored);
        wheel_.stop();
    }
    gate_.when_idle(std::move(stopped));
}

awaitable<void> http_server::serve(protocol::stream_socket socket) {
    connection limit(sockets_, socket);
    boost::beast::flat_buffer buffer(largest_header + largest_body);
    bool keep_alive = true;
    while (keep_alive && !stopped_) {
        wheel_.arm(limit, patience);
        http::request_parser<http::string_body> parser;
        parser.header_limit(largest_header);
        parser.body_limit(largest_body);
        auto [ec, n] = co_await http::async_read(socket, buffer, parser, as_tuple(use_awaitable));
        if (ec) co_return;
        const auto& request = parser.get();
        http_request asked;
        asked.method = request.method_string();
        const std::string target = request.target();
        asked.path = target.substr(0, target.find('?'));
        if (asked.path.size() < target.size()) asked.query = target.substr(asked.path.size() + 1);
        http_answer answer;
        const auto found = handlers_.find(asked.path);
        const bool reads =
            request.method() == http::verb::get || request.method() == http::verb::head;
        if (found == handlers_.end()) {
            answer = plain(404, "there is nothing here\n");
        } else if (!reads) {
            answer = plain(405, "only GET and HEAD\n");
        } else {
            const std::function<void()> work = [&] {
                try {
                    answer = found->second(asked);
                } catch (const std::exception& e) {
                    answer = plain(500, std::string(e.what()) + "\n");
                }
            };
            co_await protocol::offload(threads_, io_, work);
            if (stopped_) co_return;
        }
        http::response<http::string_body> response;
        response.version(request.version());
        response.result(answer.status);
        response.set(http::field::server, "howdah");
        response.set(http::field::content_type, answer.type);
        response.set("X-Content-Type-Options", "nosniff");
        if (answer.status == 405) response.set(http::field::allow, "GET, HEAD");
        response.keep_alive(request.keep_alive());
        keep_alive = response.keep_alive();
        response.content_length(answer.body.size());
        if (request.method() != http::verb::head) response.body() = std::move(answer.body);
        http::response_serializer<http::string_body> serializer(response);
        if (request.method() == http::verb::head) serializer.split(true);
        if (request.method() == http::verb::head) {
            auto [write_error, m] =
                co_await http::async_write_header(socket, serializer, as_tuple(use_awaitable));
            if (write_error) co_return;
        } else {
            auto [write_error, m] =
                co_await http::async_write(socket, serializer, as_tuple(use_awaitable));
            if (write_error) co_return;
        }
    }
}

}  // namespace howdah::admin
