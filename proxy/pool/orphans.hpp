#pragma once
#include <cstdint>
#include <vector>

#include "proxy/pool/server_connection.hpp"
#include "proxy/traffic.hpp"

namespace howdah::proxy {

class worker;
enum class unseen : std::uint8_t;

/// One worker's server connections whose clients have gone while they still ran what those had
/// asked for. Each is read, unseen, until all of that is answered; then DISCARD ALL undoes what the
/// client left behind, and the connection goes back to the pool. It is closed instead where a
/// transaction is open (which rolls it back), where the server waits for data that nobody will
/// send, or where it breaks. All the while it counts as one of its server's connections.
class orphans final : public server_owner {
public:
    explicit orphans(worker& w) : worker_(w) {}

    /// Takes a connection that owes answers to whole messages, the last of which ends with
    /// ReadyForQuery.
    void adopt(server_ptr connection);
    /// Closes those of one server; of all with null.
    void close(const server_entry* server);
    [[nodiscard]] std::size_t count() const { return all_.size(); }
    [[nodiscard]] std::size_t count(const traffic_scope& scope) const;

private:
    /// As PostgreSQL, which finds out that its client is gone when it sends results.
    static constexpr std::size_t most_results = 64 * 1024;

    struct orphan {
        explicit orphan(server_ptr c) : connection(std::move(c)) {}
        server_ptr connection;
        std::size_t results = 0;  ///< bytes of rows that nobody got
        bool cancelled = false;
        bool cleaning = false;  ///< DISCARD ALL is under way
        bool failed = false;    ///< ... and was refused
    };
    void on_server_readable(server_connection& from) override;
    void on_server_writable(server_connection& from) override;
    [[nodiscard]] unseen read(orphan& o);
    void answered(server_connection& c);
    [[nodiscard]] orphan& find(server_connection& c);
    [[nodiscard]] server_ptr remove(server_connection& c);

    worker& worker_;
    std::vector<orphan> all_;
};

}  // namespace howdah::proxy
