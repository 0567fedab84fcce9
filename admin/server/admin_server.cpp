#include "admin/server/admin_server.hpp"

#include <openssl/rand.h>
#include <spdlog/spdlog.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <stdexcept>

#include "admin/server/admin_protocol.hpp"
#include "admin/server/local_peer.hpp"
#include "admin/sql/show_commands.hpp"
#include "protocol/io/listed_stream.hpp"
#include "protocol/io/message_channel.hpp"
#include "protocol/io/offload.hpp"
#include "protocol/io/opening.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;
using boost::asio::awaitable;
using protocol::message_channel;

/// Statements at work at the same time; further clients wait for a thread.
constexpr std::size_t thread_count = 4;
constexpr std::size_t most_clients = 200;
constexpr std::size_t longest_message = 4 << 20;
constexpr std::chrono::seconds login_time{10};

std::string random_bytes(std::size_t n) {
    std::string out(n, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n)) != 1)
        throw std::runtime_error("the system gives no random numbers");
    return out;
}

awaitable<void> refuse(message_channel& channel, std::string_view state, std::string message,
                       std::string hint) {
    std::string out;
    protocol::append_error(out, protocol::severity::fatal, state, message, {}, hint);
    (void)co_await channel.send(out);
}

std::string welcome(std::int32_t pid, std::string_view key, const std::string& user) {
    std::string out;
    protocol::append_authentication_ok(out);
    const std::pair<std::string_view, std::string_view> parameters[] = {
        {"server_version", server_parameters().at("server_version")},
        {"server_encoding", "UTF8"},
        {"client_encoding", "UTF8"},
        {"application_name", ""},
        {"is_superuser", "on"},
        {"session_authorization", user},
        {"DateStyle", "ISO, MDY"},
        {"IntervalStyle", "postgres"},
        {"TimeZone", "UTC"},
        {"integer_datetimes", "on"},
        {"standard_conforming_strings", "on"},
        {"default_transaction_read_only", "off"},
        {"in_hot_standby", "off"}};
    for (const auto& [name, text] : parameters)
        protocol::append_parameter_status(out, name, text);
    protocol::append_backend_key_data(out, pid, key);
    protocol::append_ready_for_query(out, 'I');
    return out;
}

}  // namespace

/// One client after its login.
struct admin_server::client {
    protocol::stream& stream;
    std::string key;
    std::unique_ptr<sql_session> session;
};

admin_server::admin_server(boost::asio::io_context& io, const sql_environment& environment,
                           std::function<admin_access()> access)
    : io_(io),
      environment_(environment),
      access_(std::move(access)),
      threads_(thread_count),
      wheel_(io),
      gate_(io,
            [](std::exception_ptr error) {
                try {
                    std::rethrow_exception(error);
                } catch (const std::exception& e) {
                    spdlog::error("admin: {}", e.what());
                }
            }),
      mock_secret_(random_bytes(32)) {}

admin_server::~admin_server() {
    threads_.join();
}

void admin_server::listen(int fd) {
    listeners_.push_back(std::make_unique<protocol::listener>(
        io_, fd, [this](protocol::stream_socket socket) { gate_.spawn(serve(std::move(socket))); },
        [](const boost::system::error_code& ec) {
            if (ec) spdlog::warn("admin: cannot accept clients: {}", ec.message());
        }));
    listeners_.back()->start();
}

void admin_server::stop_listening() {
    for (const auto& l : listeners_)
        l->stop();
}

void admin_server::stop(std::function<void()> stopped) {
    if (!std::exchange(stopped_, true)) {
        stop_listening();
        for (const auto& [pid, c] : clients_)
            if (c->session) c->session->interrupt();
        for (protocol::stream* s : streams_)
            s->close();
        wheel_.stop();
    }
    gate_.when_idle(std::move(stopped));
}

void admin_server::cancel(std::int32_t pid, std::string_view key) {
    const auto found = clients_.find(pid);
    if (found != clients_.end() && found->second->key == key && found->second->session)
        found->second->session->interrupt();
}

awaitable<void> admin_server::serve(protocol::stream_socket socket) {
    const std::string peer = protocol::peer_name(socket);
    const bool local = is_local(socket);
    protocol::set_tcp_options(socket, 60);
    protocol::stream s(std::move(socket));
    const protocol::listed_stream listed(streams_, s);
    protocol::input_buffer in(buffers_);
    message_channel channel(s, in);
    protocol::stream_deadline limit(wheel_, s, login_time);
    const admin_access access = access_();

    const auto cancels = [this](const protocol::cancel_request& r) { cancel(r.pid, r.key); };
    const protocol::opening start =
        co_await protocol::open_connection(s, channel, access.tls, cancels);
    if (start.result == protocol::opening::what::closed) co_return;
    if (start.result == protocol::opening::what::refused) {
        co_await refuse(channel, start.sqlstate, start.message, {});
        co_return;
    }
    if (clients_.size() >= most_clients) {
        co_await refuse(channel, sqlstate::too_many_connections, "too many administrators", {});
        co_return;
    }
    std::string user;
    for (const auto& [name, text] : start.parameters)
        if (name == "user") user = text;
    const auto found = access.accounts.find(user);
    const admin_access::account* account =
        found == access.accounts.end() ? nullptr : &found->second;
    const std::string* stored = account != nullptr ? &account->password : nullptr;
    const protocol::auth_outcome auth = co_await protocol::authenticate_client(
        s, channel, secrets_, mock_secret_, protocol::proof::scram, stored, user);
    if (!auth.ok) {
        if (auth.sqlstate.empty()) co_return;
        spdlog::warn("admin: {} refused: {}", peer, auth.message);
        // Who tries passwords waits for each answer.
        boost::asio::steady_timer timer(io_, access.failed_login_delay);
        boost::system::error_code ignored;
        co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
        co_await refuse(channel, auth.sqlstate, auth.message, {});
        co_return;
    }
    if (account->local_only && !local) {
        spdlog::warn("admin: {} refused: user \"{}\" has the built-in password", peer, user);
        const std::string message = "user \"" + user + "\" can only connect locally";
        const std::string hint =
            "It has the built-in password: set admin-admin_credentials or "
            "admin-stats_credentials.";
        co_await refuse(channel, sqlstate::invalid_authorization_specification, message, hint);
        co_return;
    }
    limit.disarm();
    client c{s, random_bytes(4), nullptr};
    std::string problem;
    const auto open = [&] {
        try {
            c.session = std::make_unique<sql_session>(environment_, account->as, user);
        } catch (const std::exception& e) {
            problem = e.what();
        }
    };
    co_await protocol::offload(threads_, io_, open);
    if (!problem.empty()) {
        spdlog::error("admin: {}: {}", peer, problem);
        co_await refuse(channel, sqlstate::internal_error, problem, {});
        co_return;
    }
    const std::int32_t pid = ++next_pid_;
    clients_.emplace(pid, &c);
    const std::string hello = welcome(pid, c.key, user);
    const bool sent = co_await channel.send(hello);
    if (sent) co_await converse(c, channel);
    clients_.erase(pid);
    // Closing a database may take a moment: its transaction is rolled back.
    const auto close = [&] { c.session.reset(); };
    co_await protocol::offload(threads_, io_, close);
}

awaitable<void> admin_server::converse(client& c, message_channel& channel) {
    admin_protocol conversation(*c.session);
    std::string out;
    std::string problem;
    // Nothing that a client sends may end the process.
    const auto guarded = [&problem](const auto& step) {
        try {
            step();
        } catch (const std::exception& e) {
            problem = e.what();
        }
    };
    while (!conversation.ended() && !stopped_) {
        const message_channel::message m = co_await channel.next(longest_message);
        if (m.what == message_channel::outcome::too_long) {
            const std::string message = "message is too long";
            co_await refuse(channel, sqlstate::program_limit_exceeded, message, {});
            co_return;
        }
        if (m.what != message_channel::outcome::ok) co_return;
        const std::function<void()> take = [&] {
            guarded([&] { conversation.on_message(m.type, m.body, out); });
        };
        co_await protocol::offload(threads_, io_, take);
        for (;;) {
            if (!problem.empty()) {
                spdlog::error("admin: {}", problem);
                co_await refuse(channel, sqlstate::internal_error, problem, {});
                co_return;
            }
            if (!out.empty()) {
                const bool sent = co_await channel.send(out);
                if (!sent || stopped_) co_return;
                out.clear();
            }
            if (!conversation.busy()) break;
            const std::function<void()> resume = [&] {
                guarded([&] { conversation.resume(out); });
            };
            co_await protocol::offload(threads_, io_, resume);
        }
    }
}

}  // namespace howdah::admin
