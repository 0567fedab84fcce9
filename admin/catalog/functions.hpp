#pragma once
#include <memory>
#include <string>

#include "admin/catalog/catalog.hpp"

struct sqlite3;

namespace howdah::admin {

/// Makes PostgreSQL's functions known to the connection of a user: those that clients use in their
/// own queries, and those that translated() puts in. They answer for this administration: what it
/// does not have is NULL or false. `version` is Howdah's. Throws std::runtime_error.
void add_catalog_functions(sqlite3* db, std::shared_ptr<const catalog> all, std::string user,
                           role who, std::string version);

}  // namespace howdah::admin
