#include "admin/sql/registry_tables.hpp"

#include "admin/sql/sql_session.hpp"

namespace howdah::admin {
namespace {

constexpr column_type text = column_type::text;

std::string name_of(column_type type) {
    switch (type) {
        case column_type::integer:
            return "integer";
        case column_type::real:
            return "real";
        case column_type::boolean:
            return "boolean";
        case column_type::text:
            break;
    }
    return "text";
}

}  // namespace

std::vector<live_table> registry_tables(const sql_environment& all) {
    return {
        {"stats",
         "howdah_commands",
         "All commands.",
         {{"heading", text, "What it is about."},
          {"syntax", text, "How it is written."},
          {"privilege", text, "admin or stats."},
          {"doc", text, "What it does."}},
         [&all] {
             std::vector<row> out;
             for (const command& c : all.commands.all())
                 out.push_back({std::string(c.group), command_pattern::readable(c.syntax),
                                std::string(c.needs == role::admin ? "admin" : "stats"),
                                std::string(c.doc)});
             return out;
         }},
        {"stats",
         "howdah_columns",
         "All live tables and their columns.",
         {{"schema_name", text, "Schema."},
          {"table_name", text, "Table."},
          {"column_name", text, "Column."},
          {"type", text, "integer, real, boolean or text."},
          {"doc", text, "What it says."},
          {"table_doc", text, "What the table is for."}},
         [&all] {
             std::vector<row> out;
             for (const live_table& t : all.tables)
                 for (const live_column& c : t.columns)
                     out.push_back({std::string(t.schema), std::string(t.name), std::string(c.name),
                                    name_of(c.type), std::string(c.doc), std::string(t.doc)});
             return out;
         }}};
}

}  // namespace howdah::admin
