#include "admin/http/http_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <filesystem>
#include <future>
#include <thread>

#include "admin/http/https.hpp"
#include "tests/unit/io/certificate.hpp"

namespace howdah::admin {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

http_answer text(std::string body, unsigned status = 200) {
    http_answer out;
    out.status = status;
    out.body = std::move(body);
    return out;
}

/// A server on a thread of its own.
class running_server {
public:
    running_server() : thread_([this] { io_.run(); }) {}
    ~running_server() {
        stop();
        work_.reset();
        thread_.join();
        threads_.join();
    }
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;

    http_server& server() { return server_; }
    void listen(http_server::tls_source tls = nullptr) {
        const int fd = protocol::open_listening_socket({"127.0.0.1", 0});
        port = protocol::bound_port(fd);
        asio::post(io_, [this, fd, tls] { server_.listen(fd, tls); });
    }
    void stop() {
        std::promise<void> stopped;
        asio::post(io_, [&] { server_.stop([&] { stopped.set_value(); }); });
        stopped.get_future().wait();
    }
    std::uint16_t port = 0;

private:
    asio::io_context io_{1};
    asio::thread_pool threads_{1};
    http_server server_{io_, threads_};
    asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
    std::thread thread_;
};

class client {
public:
    explicit client(std::uint16_t port) {
        socket_.connect({asio::ip::make_address("127.0.0.1"), port});
    }
    void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
    /// One whole answer, by its Content-Length; without a body after HEAD.
    std::string answer(bool head = false) {
        while (buffer_.find("\r\n\r\n") == buffer_.npos)
            if (!more()) return std::exchange(buffer_, {});
        const std::size_t body = buffer_.find("\r\n\r\n") + 4;
        const std::size_t at = buffer_.find("Content-Length: ");
        const std::size_t length = head ? 0 : std::stoul(buffer_.substr(at + 16));
        while (buffer_.size() < body + length)
            if (!more()) break;
        std::string out = buffer_.substr(0, body + length);
        buffer_.erase(0, body + length);
        return out;
    }
    std::string ask(const std::string& bytes) {
        send(bytes);
        return answer(bytes.starts_with("HEAD"));
    }
    bool closed() { return buffer_.empty() && !more(); }
    int native() { return socket_.native_handle(); }

private:
    bool more() {
        std::array<char, 4096> part{};
        boost::system::error_code ec;
        const std::size_t n = socket_.read_some(asio::buffer(part), ec);
        buffer_.append(part.data(), n);
        return !ec;
    }
    asio::io_context io_;
    tcp::socket socket_{io_};
    std::string buffer_;
};

std::string get(const std::string& path, const std::string& more = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: x\r\n" + more + "\r\n";
}

class HttpServer : public testing::Test {
protected:
    static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
    running_server running_;
};

TEST_F(HttpServer, answers_get_and_head_of_exact_paths_only) {
    running_.server().add("/metrics",
                          [](const http_request& r) { return text("up 1 " + r.query); });
    running_.listen();
    client c(running_.port);
    EXPECT_THAT(c.ask(get("/metrics?a=b")), HasSubstr("\r\n\r\nup 1 a=b"));
    const auto head = c.ask("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(head, HasSubstr("Content-Length: 5"));
    EXPECT_THAT(head, testing::EndsWith("\r\n\r\n"));
    EXPECT_THAT(c.ask("POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
                testing::AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: GET, HEAD")));
    EXPECT_THAT(c.ask(get("/metrics/")), StartsWith("HTTP/1.1 404"));
    EXPECT_THAT(c.ask(get("/")), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServer, gives_everything_below_a_path_to_its_handler_the_longest_path_first) {
    running_.server().add("/api/exact", [](const http_request&) { return text("exact"); });
    for (const char* path : {"/", "/api"})
        running_.server().add_below(
            path, [path](const http_request& r, const http_responder& respond) {
                respond(text(std::string(path) + ":" + r.method + ":" + r.path + ":" + r.body +
                             ":" + std::string(r.header("x-a")) + ":" +
                             (r.local ? "local" : "far") + ":" + r.peer));
            });
    running_.listen();
    client c(running_.port);
    EXPECT_THAT(c.ask(get("/api/a%2Fb/", "X-A: 1\r\nx-a: 2\r\n")),
                HasSubstr("\r\n\r\n/api:GET:/api/a%2Fb/::1, 2:local:127.0.0.1"));
    EXPECT_THAT(c.ask(get("/api")), HasSubstr("\r\n\r\n/api:GET:/api:"));
    EXPECT_THAT(c.ask(get("/apix")), HasSubstr("\r\n\r\n/:GET:/apix:"));
    EXPECT_THAT(c.ask(get("/api/exact")), HasSubstr("\r\n\r\nexact"));
    EXPECT_THAT(c.ask("DELETE /api/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"),
                HasSubstr("\r\n\r\n/api:DELETE:/api/x:abc:"));
}

TEST_F(HttpServer, a_late_answer_holds_up_nobody_else) {
    std::promise<http_responder> asked;
    running_.server().add_below("/slow", [&](const http_request&, const http_responder& respond) {
        asked.set_value(respond);
    });
    running_.server().add("/metrics", [](const http_request&) { return text("quick"); });
    running_.listen();
    client slow(running_.port);
    slow.send(get("/slow"));
    const http_responder respond = asked.get_future().get();
    client other(running_.port);
    EXPECT_THAT(other.ask(get("/metrics")), HasSubstr("quick"));
    respond(text("at last"));
    respond(text("too late"));
    EXPECT_THAT(slow.answer(), HasSubstr("\r\n\r\nat last"));
    EXPECT_THAT(slow.ask(get("/metrics")), HasSubstr("quick"));
}

TEST_F(HttpServer, a_forgotten_request_and_a_handler_that_throws_are_answered_as_errors) {
    running_.server().write_errors_by(
        [](unsigned status, std::string message) { return text("{\"" + message + "\"}", status); });
    running_.server().add_below("/forgets", [](const http_request&, const http_responder&) {});
    running_.server().add_below("/throws", [](const http_request&, const http_responder&) {
        throw std::runtime_error("broken");
    });
    running_.listen();
    client c(running_.port);
    EXPECT_THAT(c.ask(get("/forgets")),
                testing::AllOf(StartsWith("HTTP/1.1 500"), HasSubstr("{\"there was no answer\"}")));
    EXPECT_THAT(c.ask(get("/throws")),
                testing::AllOf(StartsWith("HTTP/1.1 500"), HasSubstr("{\"broken\"}")));
    EXPECT_THAT(c.ask(get("/none")), HasSubstr("{\"there is nothing here\"}"));
}

TEST_F(HttpServer, stops_while_somebody_waits_for_an_answer) {
    std::promise<http_responder> asked;
    running_.server().add_below("/slow", [&](const http_request&, const http_responder& respond) {
        asked.set_value(respond);
    });
    running_.listen();
    client slow(running_.port);
    slow.send(get("/slow"));
    const http_responder respond = asked.get_future().get();
    running_.stop();
    EXPECT_TRUE(slow.closed());
    respond(text("nobody takes it"));
}

TEST_F(HttpServer, takes_requests_in_any_pieces_and_several_at_once) {
    running_.server().add_below("/", [](const http_request& r, const http_responder& respond) {
        respond(text(r.path + "=" + r.body));
    });
    running_.listen();
    const std::string post = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    client c(running_.port);
    for (const char byte : post)
        c.send({byte});
    EXPECT_THAT(c.answer(), HasSubstr("\r\n\r\n/a=hello"));
    c.send(post + get("/b") + get("/c"));
    EXPECT_THAT(c.answer(), HasSubstr("/a=hello"));
    EXPECT_THAT(c.answer(), HasSubstr("/b="));
    EXPECT_THAT(c.answer(), HasSubstr("/c="));
}

TEST_F(HttpServer, what_is_too_large_or_no_http_is_refused_and_ends_the_connection) {
    running_.server().add_below(
        "/", [](const http_request&, const http_responder& respond) { respond(text("fine")); });
    running_.listen();
    const auto refused = [&](const std::string& request) {
        client c(running_.port);
        c.send(request);
        const std::string answer = c.answer();
        EXPECT_TRUE(c.closed()) << answer;
        return answer.substr(0, 12);
    };
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x')), "HTTP/1.1 431");
    EXPECT_EQ(refused("POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n"), "HTTP/1.1 413");
    EXPECT_EQ(refused("SELECT 1;\r\n\r\n"), "HTTP/1.1 400");
    EXPECT_EQ(refused("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n"), "HTTP/1.1 400");
    client c(running_.port);
    EXPECT_THAT(
        c.ask("POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x')),
        StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServer, closes_when_asked_to) {
    running_.server().add("/", [](const http_request&) { return text("bye"); });
    running_.listen();
    client c(running_.port);
    EXPECT_THAT(c.ask(get("/", "Connection: close\r\n")), HasSubstr("Connection: close"));
    EXPECT_TRUE(c.closed());
    client old(running_.port);
    EXPECT_THAT(old.ask("GET / HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.0 200"));
    EXPECT_TRUE(old.closed());
}

TEST_F(HttpServer, speaks_https_where_asked_to_and_then_nothing_else) {
    const auto folder = std::filesystem::path(testing::TempDir()) / "howdah-https";
    std::filesystem::create_directories(folder);
    const auto key = protocol::test::make_ec_key();
    const auto certificate =
        protocol::test::make_certificate(key.get(), "howdah", EVP_sha256(), "IP:127.0.0.1");
    protocol::test::write_pem(folder / "cert.pem", certificate.get());
    protocol::test::write_pem(folder / "key.pem", key.get());
    protocol::tls_files files;
    files.cert = folder / "cert.pem";
    files.key = folder / "key.pem";
    const auto context = make_https_tls(files);
    running_.server().add_below("/", [](const http_request& r, const http_responder& respond) {
        respond(text(r.tls ? std::string(100'000, 's') : "plain"));
    });
    running_.listen([context] { return context; });

    client c(running_.port);
    const protocol::tls_context trusting(SSL_CTX_new(TLS_client_method()),
                                         protocol::ssl_ctx_deleter{});
    // As curl offers it.
    constexpr unsigned char offered[] = "\x02h2\x08http/1.1";
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(trusting.get()), SSL_free);
    SSL_set_alpn_protos(ssl.get(), offered, sizeof offered - 1);
    SSL_set_fd(ssl.get(), c.native());
    ASSERT_EQ(SSL_connect(ssl.get()), 1);
    const unsigned char* chosen = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl.get(), &chosen, &length);
    EXPECT_EQ(std::string(chosen, chosen + length), "http/1.1");
    const std::string request = get("/", "Connection: close\r\n");
    ASSERT_GT(SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())), 0);
    std::string answer;
    std::array<char, 4096> part{};
    for (int n; (n = SSL_read(ssl.get(), part.data(), part.size())) > 0;)
        answer.append(part.data(), static_cast<std::size_t>(n));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, 100'000U);

    client plain(running_.port);
    plain.send(get("/"));
    EXPECT_THAT(plain.answer(), testing::Not(HasSubstr("HTTP")));
}

}  // namespace
}  // namespace howdah::admin
