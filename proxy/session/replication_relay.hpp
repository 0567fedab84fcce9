#pragma once
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/frame_walker.hpp"
#include "proxy/pool/pool.hpp"
#include "proxy/session/cancel_key.hpp"
#include "proxy/session/session.hpp"
#include "proxy/worker_client.hpp"

namespace howdah::proxy {

/// Whether the start-up parameter `replication` asks for a replication connection. Nothing: the
/// value is none that PostgreSQL knows.
[[nodiscard]] std::optional<bool> asks_for_replication(std::string_view value);

/// A client that speaks the replication protocol, after its login: it gets a server connection of
/// its own in the user's default hostgroup, opened with the client's own start-up parameters, and
/// from then on bytes pass in both directions as they come, until either side ends. Each direction
/// holds one buffer at most and reads no further while its peer does not take it. The server
/// connection counts as one of the server's max_connections; it never comes from the idle ones and
/// never becomes one.
///
/// There is no idle timeout: a stream without changes is as it should be.
class replication_relay final : public worker_client,
                                public server_owner,
                                public server_waiter,
                                private protocol::deadline {
public:
    /// `parameters` go to the server as they are; user and database are not among them.
    replication_relay(worker& w, protocol::stream client, client_identity who,
                      startup_parameters parameters);
    ~replication_relay() override;

    /// Asks for the server connection. `pending` is what the client has sent already.
    void start(std::string_view pending);

    void cancel(std::string_view key) override;
    void on_server_dead(const server_entry* server) override;
    void drain() override {}
    [[nodiscard]] bool is_covered_by(const traffic_scope& scope) const override;
    /// Pauses leave replication alone.
    [[nodiscard]] bool holds_server(const traffic_scope&) const override { return false; }
    /// As PostgreSQL's walsenders, which outlast the backends whose changes they send.
    [[nodiscard]] bool leaves_last() const override { return true; }
    [[nodiscard]] client_report report() const override;
    void terminate(std::string_view sqlstate, std::string_view message) override;

private:
    enum class phase : std::uint8_t { waiting, relaying, closed };
    /// What carrying one buffer came to, and on which side.
    struct outcome {
        protocol::io_result io;
        bool reading = false;  ///< it concerns the source, else the destination
    };

    void on_server(server_ptr connection) override;
    void on_no_server(const server_login_error& why) override;
    bool on_attempt_failed(const server_entry*) override { return false; }
    void on_server_readable(server_connection&) override { pump(); }
    void on_server_writable(server_connection&) override { pump(); }
    void on_deadline() override;

    void ask_for_server();
    [[nodiscard]] std::chrono::milliseconds longest_wait() const;
    /// What is under way in its hostgroup; nullptr: nothing.
    [[nodiscard]] const std::string* held_because() const;
    void watch_waiting_client();
    void pump();
    [[nodiscard]] static outcome carry(protocol::stream& from, protocol::input_buffer& bytes,
                                       protocol::frame_walker& walker, protocol::stream& to);
    /// The direction stopped; false: the client's connection is over.
    [[nodiscard]] bool stopped(const outcome& why, bool upwards);
    void server_ended(const protocol::io_result& how);
    void want_client(protocol::stream::wait_type type, bool& armed);
    void send_last(std::string_view message);
    void finish();

    worker& w_;
    boost::intrusive_ptr<replication_relay> self_;
    protocol::stream client_;
    client_identity who_;
    const startup_parameters parameters_;
    const cancel_key key_;
    protocol::input_buffer from_client_;
    server_ptr server_;  ///< its `in` is the buffer of the other direction
    protocol::frame_walker client_messages_;
    protocol::frame_walker server_messages_;
    std::chrono::steady_clock::time_point since_{};
    std::int32_t pid_ = 0;
    phase phase_ = phase::waiting;
    bool client_reading_ = false;
    bool client_writing_ = false;
    bool server_deaf_ = false;  ///< it takes no more, but may still say why
};

}  // namespace howdah::proxy
