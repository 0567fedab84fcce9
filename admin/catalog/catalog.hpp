#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/command.hpp"
#include "admin/sql/value.hpp"

namespace howdah::admin {

struct sql_environment;

using object_id = std::int64_t;

struct catalog_column {
    std::string name;
    column_type type = column_type::text;
    bool not_null = false;
    std::optional<std::string> default_text;  ///< as SQL
    std::string doc;
};

struct catalog_index {
    object_id oid = 0;
    object_id constraint = 0;  ///< 0: it belongs to none
    std::string name{};
    std::vector<std::int64_t> columns{};  ///< numbers of the table's columns, from 1
    bool primary = false;
    bool unique = false;
};

struct catalog_check {
    object_id oid = 0;
    std::string name;
    std::string definition;  ///< "CHECK (...)"
    std::int64_t column = 0;
};

/// A table that is written to, or a live one, which is shown as a view.
struct catalog_relation {
    object_id oid = 0;
    object_id schema_oid = 0;
    std::string schema;
    std::string name;
    std::string doc;
    bool live = false;
    bool system = false;   ///< of pg_catalog or information_schema
    bool visible = false;  ///< its name without a schema means it
    std::vector<catalog_column> columns;
    std::vector<catalog_index> indexes;
    std::vector<catalog_check> checks;
};

struct catalog_schema {
    object_id oid = 0;
    std::string name;
    std::string doc;
};

/// Who may log in to the administration.
struct catalog_role {
    object_id oid = 0;
    std::string name;
    bool super = false;
};

/// What the administration's schemas hold, under PostgreSQL's terms. Looked up once, when somebody
/// asks: tables do not change afterwards. Any thread.
class catalog {
public:
    /// Of the schemas' one and only database, and of its encoding.
    static constexpr std::string_view database_name = "admin";
    static constexpr object_id database_oid = 16384;
    static constexpr object_id system_schema_oid = 11;
    static constexpr std::int64_t utf8 = 6;

    /// `all` must outlive it. `ask_roles` says who may log in; it is called once a second at most,
    /// on the thread of who looks.
    catalog(const sql_environment& all,
            std::function<std::vector<std::pair<std::string, role>>()> ask_roles);

    [[nodiscard]] const std::vector<catalog_schema>& schemas() const;
    [[nodiscard]] const std::vector<catalog_relation>& relations() const;
    [[nodiscard]] std::vector<catalog_role> roles() const;

    /// Null: there is none.
    [[nodiscard]] const catalog_relation* relation(object_id oid) const;
    /// The relation that an index belongs to and the index; null: there is none.
    struct found_index {
        const catalog_relation* of = nullptr;
        const catalog_index* index = nullptr;
    };
    [[nodiscard]] found_index index(object_id oid) const;
    [[nodiscard]] const catalog_schema* schema(object_id oid) const;
    /// By a name as SQL writes it, with or without a schema: a relation's or an index's oid.
    [[nodiscard]] std::optional<object_id> relation_named(std::string_view name) const;
    [[nodiscard]] std::optional<object_id> schema_named(std::string_view name) const;
    /// As regclass shows it: with the schema where it is needed. Empty: there is none.
    [[nodiscard]] std::string shown_name(object_id oid) const;
    [[nodiscard]] std::vector<std::string> search_path() const;

private:
    void load() const;

    const sql_environment& all_;
    std::function<std::vector<std::pair<std::string, role>>()> ask_roles_;
    mutable std::mutex roles_mutex_;
    mutable std::vector<catalog_role> roles_;
    mutable std::chrono::steady_clock::time_point roles_until_{};
    mutable std::once_flag loaded_;
    mutable std::vector<catalog_schema> schemas_;
    mutable std::vector<catalog_relation> relations_;
    mutable std::map<object_id, std::size_t> by_oid_;
    mutable std::map<object_id, std::pair<std::size_t, std::size_t>> index_by_oid_;
};

/// One row of PostgreSQL's table of types, as far as clients ask for it.
struct catalog_type {
    object_id oid;
    std::string_view name;      ///< int8
    std::string_view shown;     ///< bigint
    std::int64_t size;          ///< -1: it varies
    std::string_view category;  ///< pg_type.typcategory
    object_id array;            ///< type of its arrays; 0: none
    object_id element;          ///< of an array
};

[[nodiscard]] const std::vector<catalog_type>& catalog_types();
[[nodiscard]] object_id type_oid(column_type type);
/// By its name or another spelling of it, "int4" or "character varying"; null: there is none.
[[nodiscard]] const catalog_type* type_named(std::string_view name);
[[nodiscard]] const catalog_type* type_of_oid(object_id oid);

/// `name` with quotes where SQL needs them.
[[nodiscard]] std::string quoted_if_needed(std::string_view name);

}  // namespace howdah::admin
