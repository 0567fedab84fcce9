#pragma once
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/io/buffer.hpp"
#include "protocol/io/gather.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/reply_queue.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/settings.hpp"

namespace howdah::proxy {

class server_connection;
struct logged_statement;

/// Who a server connection's events go to: the pool while it is idle, else a session.
class server_owner {
public:
    virtual void on_server_readable(server_connection& from) = 0;
    virtual void on_server_writable(server_connection& from) = 0;

protected:
    virtual ~server_owner() = default;
};

/// What is remembered with an expected reply.
struct reply_note {
    /// Of Parse, Bind, Describe of a statement, and our Close: which one.
    statement_ptr statement;
    /// Of a client's Parse or Close: what it named. Of Describe: who is shown the answer.
    own_statement own;
    std::shared_ptr<const sql::traits> what;  ///< of a query or Execute: its lasting effects
    verdict_ptr verdict;                      ///< of a query or Execute: what the rules say of it
    sql::digested_ptr digest;                 ///< of a query or Execute; null: it is not counted
    std::chrono::steady_clock::time_point asked{};  ///< where there is a digest or a log
    /// Of a query or Execute: what the query log will say of it; null: it is not logged.
    std::shared_ptr<const logged_statement> log;
    std::uint64_t rows_sent = 0;
    std::uint64_t rows_affected = 0;
    /// local: the answer. Others: what the client gets for the error that the server was made to
    /// raise.
    std::string text;
    std::string name;           ///< of a client's Parse or Close: its name for the statement
    std::size_t completed = 0;  ///< of a query: statements of its string that have run
    bool closes = false;        ///< a client's Close: undone if an error skips it
    /// A Parse or Close of the unnamed statement, or a Query, which drops it: what it was before,
    /// if an error skips this.
    std::shared_ptr<const unnamed_statement> unnamed_before;
    bool changes_unnamed = false;
};
using server_replies = protocol::reply_queue<reply_note>;
using reply_kind = server_replies::kind;

/// The client gets a ReadyForQuery when this reply is complete.
[[nodiscard]] inline bool owes_ready(const server_replies::entry& e) {
    return !e.swallow && (e.what == reply_kind::query || e.what == reply_kind::sync ||
                          e.what == reply_kind::function_call);
}

/// What a server has reported by ParameterStatus, in the order in which it did first.
class reported_parameters {
public:
    using list = std::vector<std::pair<std::string, std::string>>;

    void set(std::string_view name, std::string_view value);
    [[nodiscard]] const std::string* find(std::string_view name) const;
    [[nodiscard]] const list& all() const { return all_; }

private:
    list all_;
};

/// A logged-in connection to a PostgreSQL server. Belongs to one worker; to move to another one
/// its parts move into a new object there. Closing and the permit are the pool's business.
class server_connection
    : public boost::intrusive_ref_counter<server_connection, boost::thread_unsafe_counter> {
public:
    /// The parts that survive a move between workers.
    struct parts {
        parts(protocol::stream logged_in, const server_entry* at, const pool_login* as,
              settings_ptr initial)
            : stream(std::move(logged_in)), server(at), login(as), settings(std::move(initial)) {}

        protocol::stream stream;
        const server_entry* server;
        const pool_login* login;
        std::string database;  ///< that it is connected to, by the server's name
        std::int32_t pid = 0;
        std::string cancel_key;
        reported_parameters parameters;
        char status = 'I';  ///< of the last ReadyForQuery
        settings_ptr settings;
        prepared_on_server prepared;
        /// Serial of the unnamed statement it holds; 0: it has none; unnamed_unknown: somebody's.
        std::uint64_t unnamed_owner = 0;
        std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
        std::chrono::steady_clock::time_point idle_since{};
        /// Connections that carry a CancelRequest for this one; it stays out of use meanwhile, so
        /// that a late cancel cannot hit the next client.
        std::shared_ptr<int> cancels = std::make_shared<int>(0);
    };

    server_connection(parts p, protocol::buffer_pool& buffers, server_owner& owner);

    [[nodiscard]] const server_entry* server() const { return parts_.server; }
    [[nodiscard]] const pool_login* login() const { return parts_.login; }
    [[nodiscard]] parts& state() { return parts_; }
    [[nodiscard]] protocol::stream& stream() { return parts_.stream; }

    void set_owner(server_owner& owner) { owner_ = &owner; }
    /// A client has it from now on: counted until the pool has it back or it is closed. `count`
    /// lives until then.
    void begin_use(std::uint32_t& count) {
        end_use();
        in_use_ = &++count;
    }
    void end_use() {
        if (in_use_ != nullptr) --*std::exchange(in_use_, nullptr);
    }
    /// Arms one readiness event; while one is armed, nothing happens.
    void want_read();
    void want_write();
    void close();
    [[nodiscard]] bool closed() const { return closed_; }

    /// Nothing outstanding in either direction and not in a transaction.
    [[nodiscard]] bool clean() const {
        return replies.empty() && out.empty() && message_left == 0 && parts_.status == 'I';
    }

    protocol::input_buffer in;
    protocol::backlog out;
    server_replies replies;
    /// Rest of a message that streams through, and whether the client gets it.
    std::size_t message_left = 0;
    bool forward_message = false;

private:
    parts parts_;
    server_owner* owner_;
    std::uint32_t* in_use_ = nullptr;
    bool reading_ = false;
    bool writing_ = false;
    bool closed_ = false;
};
using server_ptr = boost::intrusive_ptr<server_connection>;

}  // namespace howdah::proxy
