#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/loopback/connection.hpp"

namespace howdah::tests {

// Messages of a client, as bytes.
[[nodiscard]] std::string query(std::string_view sql);
[[nodiscard]] std::string parse(std::string_view name, std::string_view sql);
/// Without parameters.
[[nodiscard]] std::string bind(std::string_view portal, std::string_view statement);
[[nodiscard]] std::string describe(char kind, std::string_view name);
[[nodiscard]] std::string execute(std::string_view portal);
[[nodiscard]] std::string close(char kind, std::string_view name);
[[nodiscard]] std::string sync();
[[nodiscard]] std::string flush();
[[nodiscard]] std::string terminate();
/// Parse of the unnamed statement, Bind, Execute.
[[nodiscard]] std::string run(std::string_view sql);

/// Messages in short: "T", "D(value of the first column)", "C(tag)", "E(sqlstate)", "Z(status)",
/// "S(name=value)", "N(sqlstate)", "A(channel)", otherwise the type. Joined by blanks.
[[nodiscard]] std::string in_short(const message& m);

/// A blocking client without opinions.
class client {
public:
    using parameters = std::vector<std::pair<std::string, std::string>>;

    /// Connects; says nothing yet.
    explicit client(std::uint16_t port);
    client(client&&) = default;

    /// Logs in as `user` where no password is asked for. Returns what the server said, in short,
    /// and remembers pid, key and parameters.
    std::string log_in(const std::string& user = "alice", const parameters& extra = {},
                       std::uint16_t minor = 0);

    client& send(std::string_view bytes);
    [[nodiscard]] connection& link() { return *link_; }
    /// The next message in short; "closed" when there is none.
    [[nodiscard]] std::string next();
    /// The next n messages.
    [[nodiscard]] std::string next(int n);
    /// Messages up to and including `n` ReadyForQuery, in short.
    [[nodiscard]] std::string until_ready(int n = 1);
    /// Messages up to the end of the connection, in short.
    [[nodiscard]] std::string until_closed();
    /// n bytes as they came.
    [[nodiscard]] std::string bytes(std::size_t n);
    /// Sends and waits for ReadyForQuery.
    [[nodiscard]] std::string ask(std::string_view sql) { return send(query(sql)).until_ready(); }
    /// Text of the latest error.
    [[nodiscard]] const std::string& error_text() const { return error_; }
    [[nodiscard]] std::int32_t pid() const { return pid_; }
    [[nodiscard]] const std::string& key() const { return key_; }
    [[nodiscard]] const std::string& parameter_list() const { return parameters_; }

private:
    std::unique_ptr<connection> link_;
    std::int32_t pid_ = 0;
    std::string key_;
    std::string parameters_;
    std::string error_;
};

/// Sends a CancelRequest and waits until the other side has closed.
void send_cancel(std::uint16_t port, std::int32_t pid, std::string_view key);

}  // namespace howdah::tests
