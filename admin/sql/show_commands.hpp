#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "admin/sql/command.hpp"

namespace howdah::admin {

struct sql_environment;

/// A query as the answer of a command, with the types that its tables declare.
[[nodiscard]] sql_result<command_result> select(const command_call& call, std::string_view sql);

/// SHOW TABLES, SHOW VARIABLES, SET, HELP and the others that need nothing but the database and the
/// table of commands. `all` must outlive them.
[[nodiscard]] std::vector<command> show_commands(const sql_environment& all);

/// The parameters of PostgreSQL that clients ask for, with the values that hold here.
[[nodiscard]] const std::map<std::string, std::string, std::less<>>& server_parameters();

/// SHOW of anything else: a parameter of PostgreSQL, or an error. To be added last.
[[nodiscard]] command show_anything();

}  // namespace howdah::admin
