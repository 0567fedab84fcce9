#include "ha/coordination/etcd_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sstream>
#include <utility>

#include "protocol/io/stream.hpp"

namespace howdah::ha {
namespace {

namespace http = boost::beast::http;
using boost::asio::as_tuple;
using boost::asio::awaitable;
using boost::asio::use_awaitable;
using boost::system::error_code;
using response_parser = http::response_parser<http::string_body>;
using time_point = boost::asio::steady_timer::time_point;

constexpr std::size_t largest_body = 4 << 20;
constexpr std::size_t largest_header = 16 << 10;
constexpr std::size_t chunk = 8 << 10;
constexpr unsigned char http_1_1[] = "\x08http/1.1";

protocol::tls_context make_tls(const etcd_login& login) {
    if (std::ranges::none_of(login.endpoints, [](const auto& one) { return one.tls; })) return {};
    auto out = protocol::make_client_tls(login.tls, protocol::sslmode::verify_full);
    SSL_CTX_set_alpn_protos(out.get(), http_1_1, sizeof http_1_1 - 1);
    return out;
}

std::string text_of(const etcd_endpoint& at, const etcd_request& what, const std::string& token) {
    http::request<http::string_body> request(http::verb::post, what.path, 11);
    request.set(http::field::host, fmt::format("{}:{}", at.host, at.port));
    request.set(http::field::user_agent, "howdah");
    request.set(http::field::content_type, "application/json");
    request.set(http::field::connection, "close");
    if (!token.empty()) request.set(http::field::authorization, token);
    request.body() = what.body;
    request.prepare_payload();
    std::ostringstream out;
    out << request;
    return out.str();
}

etcd_answer failed(const etcd_endpoint& at, const std::string& why) {
    etcd_answer out;
    out.error = at.text() + ": " + why;
    return out;
}

/// Closes the socket when the time is over, which ends whatever waits for it.
class limit {
public:
    limit(boost::asio::io_context& io, std::chrono::milliseconds time) : timer_(io) {
        timer_.expires_after(time);
    }
    ~limit() { *stream_ = nullptr; }
    limit(const limit&) = delete;
    limit& operator=(const limit&) = delete;

    void watch(protocol::stream& of) {
        *stream_ = &of;
        timer_.async_wait([stream = stream_, over = over_](const error_code& ec) {
            if (ec) return;
            *over = true;
            if (*stream) (*stream)->close();
        });
    }
    [[nodiscard]] bool over() const { return *over_; }
    [[nodiscard]] time_point until() const { return timer_.expiry(); }

private:
    boost::asio::steady_timer timer_;
    std::shared_ptr<protocol::stream*> stream_ = std::make_shared<protocol::stream*>(nullptr);
    std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

struct resolved {
    explicit resolved(boost::asio::io_context& io) : known(io) {}
    boost::asio::steady_timer known;
    bool done = false;
    std::vector<std::string> addresses;
    std::string error;
};

awaitable<std::shared_ptr<resolved>> resolve(boost::asio::io_context& io,
                                             monitor::resolver_cache& names, std::string host,
                                             time_point until) {
    auto out = std::make_shared<resolved>(io);
    error_code no_address;
    boost::asio::ip::make_address(host, no_address);
    if (!no_address) {
        out->addresses.push_back(host);
        co_return out;
    }
    out->known.expires_at(until);
    names.resolve(host, [out](std::vector<std::string> found, std::string error) {
        out->addresses = std::move(found);
        out->error = std::move(error);
        out->done = true;
        out->known.cancel();
    });
    if (!out->done) co_await out->known.async_wait(as_tuple(use_awaitable));
    if (!out->done) out->error = "its name was not resolved in time";
    co_return out;
}

/// Until the parser has the whole answer; "" or why there is none.
awaitable<std::string> read_response(protocol::stream& s, response_parser& parser) {
    boost::beast::flat_buffer buffer;
    error_code ec;
    while (!parser.is_done()) {
        if (buffer.size() > 0) {
            buffer.consume(parser.put(buffer.data(), ec));
            if (parser.is_done()) break;
            if (ec && ec != http::error::need_more) co_return ec.message();
            if (!ec) continue;
            if (buffer.size() > largest_header) co_return "its header is too long";
        }
        const auto room = buffer.prepare(chunk);
        const auto got = co_await s.async_read_some(static_cast<char*>(room.data()), room.size());
        if (got.what == protocol::io_result::status::end_of_file) {
            if (parser.got_some()) parser.put_eof(ec);
            if (!ec && parser.is_done()) break;
            co_return "it closed the connection";
        }
        if (!got.ok()) co_return got.error.message();
        buffer.commit(got.bytes);
    }
    co_return "";
}

}  // namespace

etcd_client::etcd_client(boost::asio::io_context& io,
                         std::shared_ptr<monitor::resolver_cache> names, etcd_login login)
    : io_(io), names_(std::move(names)), login_(std::move(login)), tls_(make_tls(login_)) {}

awaitable<etcd_answer> etcd_client::ask(etcd_request what) {
    auto answer = co_await ask_once(what);
    if (login_.user.empty() || answer.ok() || !answer.wants_login()) co_return answer;
    token_.clear();
    auto again = co_await ask_once(std::move(what));
    co_return again;
}

awaitable<etcd_answer> etcd_client::ask_once(etcd_request what) {
    etcd_answer out;
    std::string errors;
    for (std::size_t i = 0; i < login_.endpoints.size(); ++i) {
        const auto which = (first_ + i) % login_.endpoints.size();
        etcd_endpoint at = login_.endpoints[which];
        if (!login_.user.empty() && token_.empty()) {
            auto login = authenticate(login_.user, login_.password);
            auto let_in = co_await ask_at(at, std::move(login));
            if (let_in.ok()) token_ = let_in.token;
            out = std::move(let_in);
        }
        if (login_.user.empty() || !token_.empty()) {
            auto answer = co_await ask_at(at, what);
            out = std::move(answer);
        }
        // What one of them has decided is not asked of another.
        if (out.ok() || out.wants_login()) {
            first_ = which;
            co_return out;
        }
        if (!errors.empty()) errors += "; ";
        errors += out.error;
    }
    out.error = errors;
    co_return out;
}

awaitable<etcd_answer> etcd_client::ask_at(etcd_endpoint at, etcd_request what) {
    limit time(io_, login_.timeout);
    const auto late = fmt::format("no answer within {} ms", login_.timeout.count());
    std::string host = at.host;
    const auto found = co_await resolve(io_, *names_, std::move(host), time.until());
    if (found->addresses.empty()) co_return failed(at, found->error);
    error_code ec;
    const auto address = boost::asio::ip::make_address(found->addresses.front(), ec);
    if (ec) co_return failed(at, ec.message());
    protocol::stream s{protocol::stream_socket(io_.get_executor())};
    time.watch(s);
    const boost::asio::ip::tcp::endpoint to(address, at.port);
    const boost::asio::generic::stream_protocol::endpoint general(to);
    const auto [refused] = co_await s.socket().async_connect(general, as_tuple(use_awaitable));
    if (refused) {
        names_->rotate(at.host);
        co_return failed(at, time.over() ? late : refused.message());
    }
    protocol::set_tcp_options(s.socket(), 0);
    boost::system::error_code ignored;
    s.socket().non_blocking(true, ignored);
    if (at.tls) {
        if (!s.start_tls(tls_, protocol::stream::role::client, at.host, true))
            co_return failed(at, "TLS: " + s.tls_error());
        const auto secured = co_await s.async_handshake();
        if (!secured.ok()) {
            std::string why = "TLS: " + s.tls_error();
            if (s.tls_error().empty()) why = "TLS: " + secured.error.message();
            co_return failed(at, time.over() ? late : why);
        }
    }
    const auto request = text_of(at, what, token_);
    const auto sent = co_await s.async_write_all(request);
    if (!sent.ok()) co_return failed(at, time.over() ? late : sent.error.message());
    response_parser parser;
    parser.header_limit(largest_header);
    parser.body_limit(largest_body);
    parser.eager(true);
    const auto wrong = co_await read_response(s, parser);
    if (!wrong.empty()) co_return failed(at, time.over() ? late : wrong);
    auto out = read_answer(parser.get().result_int(), parser.get().body());
    if (!out.ok()) out.error = at.text() + ": " + out.error;
    co_return out;
}

}  // namespace howdah::ha
