#pragma once
#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// A named prepared statement as the process knows it: equal text and parameter types are one
/// statement, whatever clients call it.
struct prepared_statement {
    prepared_statement(std::uint64_t number, std::string_view text, std::string_view types,
                       std::shared_ptr<const sql::traits> traits)
        : id(number),
          server_name("howdah_" + std::to_string(number)),
          query(text),
          oids(types),
          what(std::move(traits)) {}

    std::uint64_t id;
    std::string server_name;  ///< its name on server connections: "howdah_<id>"
    std::string query;
    std::string oids;  ///< the raw parameter block of Parse
    std::shared_ptr<const sql::traits> what;
    /// A standby refused it (25006), whatever its traits say.
    mutable std::atomic<bool> writes{false};
};
using statement_ptr = std::shared_ptr<const prepared_statement>;

/// Before a name that a client must not share with the statements of others; errors are shown
/// without it.
inline constexpr std::string_view foreign_prefix = "client:";

/// The unnamed statement of a client, which it may bind again on another server connection.
struct unnamed_statement {
    std::uint64_t serial = 0;  ///< unique in the process
    std::string query;
    std::string oids;
    std::shared_ptr<const sql::traits> what;
};
/// No client's serial.
inline constexpr std::uint64_t unnamed_unknown = ~std::uint64_t{0};

/// Process-wide; thread-safe; asked only when a client sends Parse with a name. A statement lives
/// as long as a client or a server connection has it.
class statement_registry {
public:
    [[nodiscard]] statement_ptr intern(std::string_view query, std::string_view oids,
                                       std::shared_ptr<const sql::traits> what);
    [[nodiscard]] std::size_t size() const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<const prepared_statement>> known_;
    std::uint64_t next_id_ = 1;
    std::size_t purge_at_ = 1024;
};

/// Which statements one server connection has, least recently used first out.
class prepared_on_server {
public:
    [[nodiscard]] bool contains(const prepared_statement& s) const { return index_.contains(s.id); }
    /// Marks as just used; false if it is not there.
    bool touch(const prepared_statement& s);
    void add(statement_ptr s);
    void remove(const prepared_statement& s);
    /// The one to close when there are more than `limit`; nullptr if there are not.
    [[nodiscard]] statement_ptr take_excess(std::size_t limit);
    void clear();
    [[nodiscard]] std::size_t size() const { return order_.size(); }

private:
    std::list<statement_ptr> order_;  // most recent first
    std::unordered_map<std::uint64_t, std::list<statement_ptr>::iterator> index_;
};

/// A client's own names.
using client_statements = std::map<std::string, statement_ptr, std::less<>>;

}  // namespace howdah::proxy
