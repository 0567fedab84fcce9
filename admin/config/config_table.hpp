#pragma once
#include <array>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/sql_error.hpp"
#include "admin/sql/value.hpp"
#include "conf/settings.hpp"

// The tables of the configuration: ProxySQL's names and columns over the records of conf.
namespace howdah::admin {

/// A column as it is declared, and what it means.
struct config_column {
    std::string name;
    std::string declaration;  ///< "INT NOT NULL DEFAULT 1 CHECK (weight >= 0)"
    std::string doc;
    column_type type = column_type::text;
    /// Not empty: kept as ProxySQL has it, without effect; any other value than this is reported.
    std::string idle_value = {};
    bool idle = false;
    bool secret = false;
};

/// One table. In "main" and "disk" with the name, in "main" with "runtime_" before it.
struct config_table {
    std::string_view name;
    std::string_view doc;
    std::string_view module;  ///< of LOAD and SAVE: "PGSQL SERVERS"
    std::vector<config_column> columns;
    std::string constraints;  ///< ", PRIMARY KEY (...)"
    std::string_view order;   ///< in which rows are read: "rule_id"

    /// The rows of a configuration.
    std::function<std::vector<row>(const conf::settings&)> rows;
    /// Replaces what the configuration has by these rows. The error names row and column; what is
    /// without effect is added to the notices.
    std::function<sql_result<void>(conf::settings&, const std::vector<row>&,
                                   std::vector<std::string>& notices)>
        put;

    /// CREATE TABLE IF NOT EXISTS for the schema.
    [[nodiscard]] std::string create(std::string_view schema) const;
    [[nodiscard]] std::string select_all(std::string_view schema) const;
};

/// All tables, in the order in which they are listed.
[[nodiscard]] const std::vector<config_table>& config_tables();

/// "PGSQL SERVERS", "PGSQL USERS", ...: each once, in order.
[[nodiscard]] const std::vector<std::string_view>& config_modules();

/// What an option of the configuration is called in global_variables: "pgsql-threads",
/// "admin-...", "ha-...".
[[nodiscard]] std::string variable_name(std::string_view option);
/// The modules that share global_variables, as in LOAD and SAVE.
inline constexpr std::array<std::string_view, 3> variable_modules{
    "PGSQL VARIABLES", "ADMIN VARIABLES", "HA VARIABLES"};
/// The one that a variable belongs to, by its prefix; PGSQL VARIABLES for names without one.
[[nodiscard]] std::string_view module_of(std::string_view variable);

}  // namespace howdah::admin
