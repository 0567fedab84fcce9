#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/loopback/connection.hpp"

namespace howdah::tests {

/// Something that a test lets happen once, and that threads wait for.
class event {
public:
    void set();
    [[nodiscard]] bool is_set() const;
    /// Throws after `patience`.
    void wait() const;
    /// Ends all waits without an error; for the end of the test.
    void abandon();

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    bool set_ = false;
    bool abandoned_ = false;
};

class fake_server;

/// One connection of the fake server, as a script sees it: what to answer to one statement.
/// Lives on a thread of its own.
class backend {
public:
    backend(fake_server& server, std::unique_ptr<connection> c)
        : server_(server), link_(std::move(c)) {}

    [[nodiscard]] int number() const { return number_; }
    [[nodiscard]] connection& link() { return *link_; }
    [[nodiscard]] std::string& buffer() { return out_; }
    [[nodiscard]] char status() const { return status_; }
    /// Adds messages to the answer; ReadyForQuery is added by itself.
    void raw(std::string_view bytes) { out_ += bytes; }
    void row(std::string_view value);
    void complete(std::string_view tag);
    void error(std::string_view sqlstate, std::string_view text,
               std::string_view severity = "ERROR", std::string_view routine = {});
    /// Sends what was added so far.
    void flush();
    /// Ends the connection at once; what was added and not flushed is lost.
    void close() { closed_ = true; }
    /// Waits until a cancel request for this connection arrives.
    void wait_for_cancel();
    /// Answers COPY FROM STDIN: CopyInResponse, then reads until the client ends it; fails with an
    /// error after `fail_after` CopyData messages (0: never).
    void copy_in(int fail_after = 0);
    /// The text of the statement being answered.
    [[nodiscard]] const std::string& statement() const { return statement_; }
    /// True in the extended protocol.
    [[nodiscard]] bool extended() const { return extended_; }

private:
    friend class fake_server;
    void run();
    [[nodiscard]] bool log_in();
    [[nodiscard]] bool authenticate(const std::string& user);
    void serve(const message& m);
    void execute(const std::string& sql);
    void built_in(const std::string& sql);
    void ready();
    void extended_message(const message& m);
    [[nodiscard]] std::optional<message> receive();

    fake_server& server_;
    std::unique_ptr<connection> link_;
    int number_ = 0;  // by login; 0 before it
    std::string out_;
    std::string statement_;
    std::map<std::string, std::string> prepared_;
    std::map<std::string, std::string> portals_;
    char status_ = 'I';
    bool extended_ = false;
    bool skipping_ = false;
    bool failed_ = false;
    bool closed_ = false;
    event cancelled_;
};

/// A PostgreSQL server as a proxy sees it: logins, the simple and extended protocol with named
/// statements and portals, transaction status, error recovery up to Sync, COPY. Statements are
/// answered by scripts, others by one row with the server's name. Records everything it is sent.
class fake_server {
public:
    enum class auth { trust, cleartext, md5, scram };
    using script = std::function<void(backend&)>;

    explicit fake_server(std::string name);
    ~fake_server();
    fake_server(const fake_server&) = delete;
    fake_server& operator=(const fake_server&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] const std::string& name() const { return name_; }

    /// How to answer statements with exactly this text.
    void on(const std::string& sql, script answer);
    /// Before any login.
    void require(auth method, std::string password);
    /// Answers every login from the start-up packet on in its own way; true lets the client in.
    void on_login(std::function<bool(backend&)> answer);
    /// Closes the connection instead of answering the next Parse messages.
    void close_at_parse(int times) { deaths_ = times; }
    /// Its postmaster is dead, as its next so many connections find out while they wait for a
    /// command: what they are sent then they do not read.
    void orphan(int times) { orphans_ = times; }
    /// Refuses logins with this error until told otherwise by an empty sqlstate.
    void refuse_logins(std::string sqlstate, std::string text);
    /// Cuts every answer at this offset; the second part follows once the first was read.
    void cut_at(std::size_t offset) { cut_ = offset; }
    /// Further ParameterStatus messages of a login.
    void parameter(const std::string& name, const std::string& value);
    /// Stops listening and closes every connection.
    void die();
    /// Closes every connection.
    void drop_all();

    /// What was received, as "1:Q SELECT 1": connection number, type, and what matters of the body:
    /// P name|sql, B portal|statement, D and C kind and name, E portal.
    [[nodiscard]] std::vector<std::string> seen() const;
    /// Without the connection numbers.
    [[nodiscard]] std::vector<std::string> seen_messages() const;
    [[nodiscard]] int count(std::string_view message_text) const;
    /// Waits until the message was received `times` times.
    void wait_for(std::string_view message_text, int times = 1) const;
    /// Waits until that many connections have ended.
    void wait_for_closed(int connections) const;
    [[nodiscard]] int cancels() const;
    void wait_for_cancels(int n) const;
    /// Connections that logged in so far, and the most at one time.
    [[nodiscard]] int logins() const;
    [[nodiscard]] int peak() const;
    void forget();
    /// Bytes of CopyData and Bind bodies received, for large transfers.
    [[nodiscard]] std::uint64_t bytes_received() const { return bytes_; }
    /// Start-up parameters of the latest login.
    [[nodiscard]] std::map<std::string, std::string> startup() const;

private:
    friend class backend;
    void accept();
    void record(int number, const message& m);
    void cancel(std::int32_t pid, std::string_view key);
    [[nodiscard]] script find(const std::string& sql) const;
    template <class Done>
    void wait_until(const char* what, Done done) const;

    const std::string name_;
    int listener_ = -1;
    std::uint16_t port_ = 0;
    std::atomic<bool> stopping_{false};
    std::atomic<std::size_t> cut_{0};
    std::atomic<int> deaths_{0};
    std::atomic<int> orphans_{0};
    std::atomic<std::uint64_t> bytes_{0};
    auth method_ = auth::trust;
    std::string password_;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::map<std::string, script> scripts_;
    std::function<bool(backend&)> login_script_;
    std::map<std::string, std::string> parameters_;
    std::map<std::string, std::string> startup_;
    std::string refusal_state_;
    std::string refusal_text_;
    std::vector<std::string> seen_;
    std::list<backend> backends_;
    std::vector<std::thread> threads_;
    std::set<int> open_;
    int numbers_ = 0;
    int logins_ = 0;
    int closed_ = 0;
    int peak_ = 0;
    int cancels_ = 0;
    std::thread acceptor_;
};

}  // namespace howdah::tests
