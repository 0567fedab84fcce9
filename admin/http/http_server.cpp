#include "admin/http/http_server.hpp"

#include <spdlog/spdlog.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <sstream>

#include "admin/server/local_peer.hpp"
#include "protocol/io/listed_stream.hpp"
#include "protocol/io/message_channel.hpp"
#include "protocol/io/offload.hpp"

namespace howdah::admin {
namespace {

namespace http = boost::beast::http;
using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using request_parser = http::request_parser<http::string_body>;

/// Time for a request to arrive and for its answer to be taken.
constexpr std::chrono::seconds patience{30};
constexpr std::size_t most_connections = 200;
constexpr std::size_t largest_body = 1 << 20;
constexpr std::size_t largest_header = 16 << 10;
constexpr std::size_t chunk = 8 << 10;

http_answer plain(unsigned status, std::string text) {
    http_answer a;
    a.status = status;
    a.body = std::move(text) + "\n";
    return a;
}

/// Reads until the parser has one request. An error of the connection ends in end_of_stream.
awaitable<boost::system::error_code> read_request(protocol::stream& s,
                                                  boost::beast::flat_buffer& buffer,
                                                  request_parser& parser) {
    boost::system::error_code ec;
    while (!parser.is_done()) {
        if (buffer.size() > 0) {
            buffer.consume(parser.put(buffer.data(), ec));
            if (parser.is_done()) break;
            if (ec && ec != http::error::need_more) co_return ec;
            if (!ec) continue;
            if (buffer.size() > largest_header) {
                ec = http::error::header_limit;
                co_return ec;
            }
        }
        const auto room = buffer.prepare(chunk);
        const protocol::io_result got =
            co_await s.async_read_some(static_cast<char*>(room.data()), room.size());
        if (!got.ok()) {
            ec = http::error::end_of_stream;
            co_return ec;
        }
        buffer.commit(got.bytes);
    }
    ec = {};
    co_return ec;
}

unsigned status_of(const boost::system::error_code& ec) {
    if (ec == http::error::header_limit) return 431;
    if (ec == http::error::body_limit) return 413;
    return 400;
}

http_request take(request_parser& parser) {
    const auto& request = parser.get();
    http_request asked;
    asked.method = request.method_string();
    const std::string target = request.target();
    asked.path = target.substr(0, target.find('?'));
    if (asked.path.size() < target.size()) asked.query = target.substr(asked.path.size() + 1);
    for (const auto& field : request) {
        std::string name = field.name_string();
        for (char& c : name)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        auto& value = asked.headers[name];
        // RFC 9110 section 5.3.
        if (!value.empty()) value += ", ";
        value += std::string(field.value());
    }
    asked.body = std::move(parser.get().body());
    return asked;
}

std::string head_of(const http_answer& answer, unsigned version, bool keep_alive) {
    http::response<http::empty_body> response;
    response.version(version);
    response.result(answer.status);
    response.set(http::field::server, "howdah");
    response.set(http::field::content_type, answer.type);
    response.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : answer.headers)
        response.set(name, value);
    response.keep_alive(keep_alive);
    response.content_length(answer.body.size());
    std::ostringstream out;
    out << response.base();
    return out.str();
}

}  // namespace

/// An answer that is awaited.
struct http_server::waiting {
    explicit waiting(boost::asio::io_context& io) : given(io) {
        given.expires_at(boost::asio::steady_timer::time_point::max());
    }
    boost::asio::steady_timer given;
    std::optional<http_answer> answer;
};

/// One answer, also where everybody forgot about it.
class http_server::ticket {
public:
    ticket(boost::asio::io_context& io, std::shared_ptr<waiting> to, http_answer lost)
        : io_(io), to_(std::move(to)), lost_(std::move(lost)) {}
    ~ticket() { give(std::move(lost_)); }
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    void give(http_answer a) {
        if (given_.exchange(true)) return;
        boost::asio::post(io_, [w = to_, answer = std::move(a)]() mutable {
            w->answer = std::move(answer);
            w->given.cancel();
        });
    }

private:
    boost::asio::io_context& io_;
    std::shared_ptr<waiting> to_;
    http_answer lost_;
    std::atomic<bool> given_{false};
};

http_server::http_server(boost::asio::io_context& io, boost::asio::thread_pool& threads)
    : io_(io),
      threads_(threads),
      wheel_(io),
      gate_(io,
            [](std::exception_ptr error) {
                try {
                    std::rethrow_exception(error);
                } catch (const std::exception& e) {
                    spdlog::error("http: {}", e.what());
                }
            }),
      error_(plain) {}

http_server::~http_server() = default;

void http_server::listen(int fd, tls_source tls) {
    listeners_.push_back(std::make_unique<protocol::listener>(
        io_, fd,
        [this, tls = std::move(tls)](protocol::stream_socket socket) {
            if (streams_.size() < most_connections) gate_.spawn(serve(std::move(socket), tls));
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
        for (protocol::stream* s : streams_)
            s->close();
        for (waiting* w : waiting_)
            w->given.cancel();
        wheel_.stop();
    }
    gate_.when_idle(std::move(stopped));
}

const http_server::later_handler* http_server::below(std::string_view path) const {
    const later_handler* best = nullptr;
    std::size_t longest = 0;
    for (const auto& [prefix, h] : below_) {
        const bool whole = path == prefix || prefix == "/" ||
                           (path.starts_with(prefix) && path[prefix.size()] == '/');
        if (!whole || prefix.size() < longest) continue;
        best = &h;
        longest = prefix.size();
    }
    return best;
}

awaitable<void> http_server::sleep(std::chrono::milliseconds time) {
    waiting pause(io_);
    pause.given.expires_after(time);
    waiting_.insert(&pause);
    (void)co_await pause.given.async_wait(as_tuple(use_awaitable));
    waiting_.erase(&pause);
}

// Answers go through parameters: g++ 12.2 destroys temporary aggregates beside a co_await twice.
awaitable<void> http_server::answer_later(const later_handler& h, http_request& asked,
                                          http_answer& out) {
    const auto w = std::make_shared<waiting>(io_);
    waiting_.insert(w.get());
    {
        const auto t = std::make_shared<ticket>(io_, w, error_(500, "there was no answer"));
        const http_responder respond = [t](http_answer a) { t->give(std::move(a)); };
        try {
            h(asked, respond);
        } catch (const std::exception& e) {
            t->give(error_(500, e.what()));
        }
    }
    while (!w->answer && !stopped_)
        (void)co_await w->given.async_wait(as_tuple(use_awaitable));
    waiting_.erase(w.get());
    out = w->answer ? std::move(*w->answer) : error_(503, "Howdah is stopping");
}

awaitable<void> http_server::answer_to(http_request& asked, http_answer& answer) {
    const auto exact = handlers_.find(asked.path);
    if (exact != handlers_.end()) {
        if (asked.method != "GET" && asked.method != "HEAD") {
            answer = error_(405, "only GET and HEAD");
            answer.headers.emplace_back("Allow", "GET, HEAD");
            co_return;
        }
        const std::function<void()> work = [&] {
            try {
                answer = exact->second(asked);
            } catch (const std::exception& e) {
                answer = error_(500, e.what());
            }
        };
        co_await protocol::offload(threads_, io_, work);
        co_return;
    }
    if (const later_handler* h = below(asked.path))
        co_await answer_later(*h, asked, answer);
    else
        answer = error_(404, "there is nothing here");
}

awaitable<void> http_server::serve(protocol::stream_socket socket, tls_source tls) {
    std::string peer = protocol::peer_name(socket);
    // The address without its port: "10.0.0.1", "[::1]", "unix".
    peer.resize(std::min(peer.size(), peer.rfind(':')));
    const bool local = is_local(socket);
    protocol::set_tcp_options(socket, 60);
    protocol::stream s(std::move(socket));
    const protocol::listed_stream listed(streams_, s);
    protocol::stream_deadline limit(wheel_, s, patience);
    if (tls) {
        const protocol::tls_context context = tls();
        if (!context || !s.start_tls(context, protocol::stream::role::server, {}, false)) co_return;
        const protocol::io_result secured = co_await s.async_handshake();
        if (!secured.ok()) co_return;
    }
    boost::beast::flat_buffer buffer;
    bool keep_alive = true;
    while (keep_alive && !stopped_) {
        wheel_.arm(limit, patience);
        request_parser parser;
        parser.header_limit(largest_header);
        parser.body_limit(largest_body);
        parser.eager(true);
        const boost::system::error_code bad = co_await read_request(s, buffer, parser);
        if (bad == http::error::end_of_stream) co_return;
        http_answer answer;
        unsigned version = 11;
        bool is_head = false;
        if (bad) {
            answer = error_(status_of(bad), "bad HTTP request: " + bad.message());
            keep_alive = false;
        } else {
            version = parser.get().version();
            keep_alive = parser.keep_alive();
            http_request asked = take(parser);
            asked.peer = peer;
            asked.local = local;
            asked.tls = s.is_tls();
            is_head = asked.method == "HEAD";
            limit.disarm();
            co_await answer_to(asked, answer);
            if (stopped_) co_return;
            if (answer.delay.count() > 0) co_await sleep(answer.delay);
            if (stopped_) co_return;
            wheel_.arm(limit, patience);
        }
        std::string out = head_of(answer, version, keep_alive);
        if (!is_head) out += answer.body;
        const protocol::io_result sent = co_await s.async_write_all(out);
        if (!sent.ok()) co_return;
    }
}

}  // namespace howdah::admin
