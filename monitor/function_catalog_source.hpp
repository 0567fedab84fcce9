#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}
namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

class monitor;

/// How a function name behaves in one database; of several overloads, the worst.
struct function_row {
    std::string schema;
    std::string name;
    char volatility = 'v';  ///< pg_proc.provolatile: 'i'mmutable, 's'table, 'v'olatile

    bool operator==(const function_row&) const = default;
};

/// All functions of a database, sorted by schema and name.
using function_rows = std::shared_ptr<const std::vector<function_row>>;

/// Reads pg_proc of the databases that clients use, for the router, and keeps it fresh
/// (`catalog_refresh_interval`). Lives on the control thread; opens one short-lived connection per
/// database and refresh to an online server, readers preferred, as the monitor's user.
class function_catalog_source {
public:
    /// Called on the control thread, never after `stop()`: at first and then at each change.
    /// Null rows: the database is no longer kept fresh; call `request` again when it is used.
    using publish = std::function<void(const std::string& database, function_rows rows)>;

    /// `io` and `servers` must outlive it.
    function_catalog_source(boost::asio::io_context& io,
                            std::shared_ptr<const conf::settings> settings, const monitor& servers,
                            publish notify);
    ~function_catalog_source();
    function_catalog_source(const function_catalog_source&) = delete;
    function_catalog_source& operator=(const function_catalog_source&) = delete;

    /// Ask only for databases that a server has let a client into. Any thread, any time. Cheap to
    /// repeat; a database that nobody requests for an hour is
    /// forgotten.
    void request(std::string database);

    void reload(std::shared_ptr<const conf::settings> settings);

    /// Idempotent; the destructor calls it.
    void stop();

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace howdah::monitor
