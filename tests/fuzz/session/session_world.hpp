#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/process.hpp"
#include "proxy/session/session.hpp"
#include "proxy/worker.hpp"
#include "tests/fuzz/session/scripted_postgres.hpp"

namespace howdah::fuzz {

/// How a world is set up.
struct variant {
    bool session_pooling = false;
    bool statement_pooling = false;
    bool split = true;
    bool consistent = false;       ///< read_consistency session
    bool own_settings = false;     ///< the second client brings settings with its login
    bool small_buffers = false;    ///< what is written to a client soon blocks
    unsigned max_connections = 1;  ///< of each server
};

/// One typed message of a server.
struct message {
    char type = 0;
    std::string body;
};

/// A worker with two scripted servers (a writer and a reader) and up to two clients, all in this
/// thread, which turns the event loop itself. Each client has a reference: a server of its own that
/// is sent the same. Aborts the process, with a sentence on stderr, where something is not as it
/// must be.
class session_world {
public:
    explicit session_world(const variant& how);
    ~session_world();
    session_world(const session_world&) = delete;
    session_world& operator=(const session_world&) = delete;

    static constexpr int clients = 2;

    void connect(int client);
    [[nodiscard]] bool connected(int client) const { return clients_[client].fd >= 0; }
    /// Well-formed messages.
    void send(int client, std::string_view bytes);
    /// Whatever it is: what this client gets is not judged any more.
    void send_raw(int client, std::string_view bytes);
    /// The next send comes in two parts; 0: no.
    void cut_next(std::size_t at) { cut_ = at; }
    void half_close(int client);
    void close(int client);
    void read_on(int client, bool on) { clients_[client].reads = on; }
    void cancel(int client);

    void servers_answer(bool on) { answering_ = on; }
    /// Something that a server may say at any time.
    void server_says(unsigned which, std::string_view bytes);
    void server_says_raw(unsigned which, std::string_view bytes);
    void server_closes(unsigned which, std::string_view last_words);
    void server_fails_next(unsigned which, scripted_postgres::fault what);
    void monitor_finds_dead(bool reader);

    /// Until nobody has anything to do.
    void settle();
    void let_time_pass(std::chrono::milliseconds by);
    /// All clients leave; what they must have got is checked, and that nothing of theirs is left.
    void finish();

private:
    struct visitor {
        int fd = -1;
        bool reads = true;
        bool judged = true;
        bool ended = false;  // half closed, or it said goodbye
        std::string unsent;
        std::string got;
        std::size_t parsed = 0;
        bool welcome = false;
        std::vector<message> messages;
        scripted_postgres::settings told;
        std::int32_t pid = 0;
        std::string key;
        std::unique_ptr<scripted_postgres> reference;
    };
    struct backend {
        int fd = -1;
        bool reader = false;
        bool logged_in = false;
        bool spoilt = false;  // it has said what no server says
        std::int32_t pid = 0;
        std::string in;
        std::string out;
        std::size_t taken = 0;  // of what the server has sent
        std::unique_ptr<scripted_postgres> server;
    };

    void open_listeners();
    bool turn();
    bool accept_backends();
    bool serve(backend& b);
    bool log_in(backend& b);
    bool move(visitor& c);
    void take_messages(visitor& c);
    [[nodiscard]] backend* pick(unsigned which);
    /// Null: all is as it should be. "behind": less has come than must.
    [[nodiscard]] const char* judge(visitor& c);
    void require(visitor& c);
    void witness();
    static void print(const visitor& c);
    [[noreturn]] static void fail(const std::string& what, const visitor* c = nullptr);

    variant how_;
    std::shared_ptr<const conf::settings> settings_;
    proxy::process process_;
    std::unique_ptr<proxy::worker> worker_;
    std::array<visitor, clients> clients_;
    std::vector<std::unique_ptr<backend>> backends_;
    std::int32_t next_pid_ = 1;
    bool orderly_ = true;  // nothing has happened for which sessions may differ from references
    bool answering_ = true;
    std::size_t cut_ = 0;
};

/// Plays one input of the fuzzer.
void play_session(std::string_view input);

}  // namespace howdah::fuzz
