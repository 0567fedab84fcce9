#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/rules/compiled_rules.hpp"
#include "proxy/session/statement_plan.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// A named prepared statement as the process knows it: equal text, parameter types and settings
/// under which it is read are one statement, whatever clients call it.
struct prepared_statement {
    prepared_statement(std::uint64_t number, std::string_view text, std::string_view types,
                       std::string_view settings, std::shared_ptr<const sql::traits> traits)
        : id(number),
          server_name("howdah_" + std::to_string(number)),
          query(text),
          oids(types),
          reading(settings),
          what(std::move(traits)) {}

    std::uint64_t id;
    std::string server_name;  ///< its name on server connections: "howdah_<id>"
    std::string query;
    std::string oids;     ///< the raw parameter block of Parse
    std::string reading;  ///< session_settings::reading of the client that prepared it
    std::shared_ptr<const sql::traits> what;
    /// A standby refused it (25006), whatever its traits say.
    mutable std::atomic<bool> writes{false};
    mutable std::atomic<std::uint32_t> clients{0};  ///< names that they have for it
    mutable std::atomic<std::uint32_t> servers{0};  ///< connections on which it is prepared

    /// How many types of parameters the client gave.
    [[nodiscard]] int parameter_types() const {
        return oids.size() < 2
                   ? 0
                   : static_cast<unsigned char>(oids[0]) << 8 | static_cast<unsigned char>(oids[1]);
    }
};
using statement_ptr = std::shared_ptr<const prepared_statement>;

/// What Describe says of a statement: its parameters, and the columns of its result by name and
/// type. PostgreSQL refuses to run a statement whose columns have changed since it was prepared;
/// so must Howdah where it prepares the statement anew behind a client that knows the old ones.
/// Hashes; 0: not known.
struct statement_shape {
    static constexpr std::uint64_t too_large = 1;  ///< never looked at: taken to be the same

    std::uint64_t parameters = 0;
    std::uint64_t columns = 0;

    [[nodiscard]] bool known() const { return parameters != 0 || columns != 0; }
    /// Whatever `other` knows is known here, too.
    [[nodiscard]] bool covers(const statement_shape& other) const {
        return (other.parameters == 0 || parameters != 0) && (other.columns == 0 || columns != 0);
    }
    /// Nothing that both know differs.
    [[nodiscard]] bool agrees(const statement_shape& other) const;
};
/// Of the body of a ParameterDescription; never 0.
[[nodiscard]] std::uint64_t shape_of_parameters(std::string_view body);
/// Of the body of a RowDescription, or of an empty one for NoData; never 0. Formats do not count,
/// nor do the tables that columns come from.
[[nodiscard]] std::uint64_t shape_of_columns(std::string_view body);

/// One name of a client.
struct client_statement {
    explicit client_statement(statement_ptr s) : statement(std::move(s)) { ++statement->clients; }
    ~client_statement() { --statement->clients; }
    client_statement(const client_statement&) = delete;
    client_statement& operator=(const client_statement&) = delete;

    /// It is that one from now on.
    void replace(statement_ptr s) {
        ++s->clients;
        --statement->clients;
        statement = std::move(s);
    }

    statement_ptr statement;  ///< changed by replace() alone
    statement_shape seen;     ///< what this client has been shown of it
    /// What it is and what the rules say of it, as this client has prepared it.
    statement_plan plan;
    std::shared_ptr<const compiled_rules> judged_by;
    int flag = 0;                             ///< flagIN with which the rules were asked
    std::unique_ptr<const std::string> sent;  ///< where the rules have rewritten it
};
using own_statement = std::shared_ptr<client_statement>;

/// PostgreSQL, too, looks at no more than 63 bytes of a statement's name.
[[nodiscard]] inline std::string_view statement_name(std::string_view name) {
    return name.substr(0, 63);
}

/// Before a name that a client must not share with the statements of others; errors are shown
/// without it.
inline constexpr std::string_view foreign_prefix = "client:";

/// The unnamed statement of a client, which it may bind again on another server connection.
struct unnamed_statement {
    std::uint64_t serial = 0;  ///< unique in the process
    std::string query;
    std::string oids;
    statement_plan plan;
};
/// No client's serial.
inline constexpr std::uint64_t unnamed_unknown = ~std::uint64_t{0};

/// Process-wide; thread-safe; asked only when a client sends Parse with a name. A statement lives
/// as long as a client or a server connection has it.
class statement_registry {
public:
    [[nodiscard]] statement_ptr intern(std::string_view query, std::string_view oids,
                                       std::string_view reading,
                                       std::shared_ptr<const sql::traits> what);
    [[nodiscard]] std::size_t size() const;
    /// Those that are alive, by their numbers.
    [[nodiscard]] std::vector<statement_ptr> all() const;

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<const prepared_statement>> known_;
    std::uint64_t next_id_ = 1;
    std::size_t purge_at_ = 1024;
};

/// How many statements a server connection keeps.
struct prepared_limits {
    std::size_t count;
    std::size_t bytes;                   ///< of their texts
    std::chrono::milliseconds max_idle;  ///< 0: for ever
};

/// Which statements one server connection has, least recently used first out.
class prepared_on_server {
public:
    using clock = std::chrono::steady_clock;
    struct entry {
        statement_ptr statement;
        statement_shape shape;   ///< as described since it was prepared
        bool described = false;  ///< Describe is under way
        bool stale = false;      ///< the server will not run it: to be prepared anew
        clock::time_point used{};
    };

    prepared_on_server() = default;
    prepared_on_server(prepared_on_server&& other) noexcept;
    prepared_on_server& operator=(prepared_on_server&& other) noexcept;
    ~prepared_on_server() { clear(); }

    [[nodiscard]] bool contains(const prepared_statement& s) const { return index_.contains(s.id); }
    /// Stays valid until the statement is removed; nullptr if it is not there.
    [[nodiscard]] entry* find(const prepared_statement& s);
    /// The same, and marks it as just used.
    [[nodiscard]] entry* touch(const prepared_statement& s, clock::time_point now);
    void add(statement_ptr s, clock::time_point now);
    void remove(const prepared_statement& s);
    /// One to close because of the limits; nullptr if there is none. Never the one used last.
    [[nodiscard]] statement_ptr take_excess(const prepared_limits& limits, clock::time_point now);
    void clear();
    [[nodiscard]] std::size_t size() const { return order_.size(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

private:
    std::list<entry> order_;  // most recent first
    std::unordered_map<std::uint64_t, std::list<entry>::iterator> index_;
    std::size_t bytes_ = 0;
};

/// A client's own names.
using client_statements = std::map<std::string, own_statement, std::less<>>;

}  // namespace howdah::proxy
