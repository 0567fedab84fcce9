#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "admin/sql/live_table.hpp"
#include "ha/notes.hpp"

// How HA's facts look as values of tables and results.
namespace howdah::admin {

/// "2026-11-23 15:04:05.000001+00"; NULL where it is 0, "not yet".
[[nodiscard]] value time_value(ha::unix_us at);
/// What exceeds an int8 is its greatest value.
[[nodiscard]] value number_value(std::uint64_t n);
[[nodiscard]] value flag(bool is);
[[nodiscard]] value text_value(std::string_view text);
/// NULL where there is nothing to say.
[[nodiscard]] value text_or_null(std::string_view text);
/// PostgreSQL's notation.
[[nodiscard]] value lsn_value(const std::optional<std::uint64_t>& lsn);
[[nodiscard]] value host_value(const ha::endpoint& at);  ///< NULL where it is none
[[nodiscard]] value port_value(const ha::endpoint& at);
[[nodiscard]] value server_value(const std::optional<ha::endpoint>& at);  ///< host:port
[[nodiscard]] value server_list(const std::vector<ha::endpoint>& servers);

/// A column and how its value is got.
template <class Item>
struct field {
    std::string_view name;
    column_type type;
    std::string_view doc;
    value (*get)(const Item&);
};

/// A table of schema ha from what `walk` hands over, row by row.
template <class Item>
[[nodiscard]] live_table ha_table(
    std::string_view name, std::string_view doc, std::vector<field<Item>> fields,
    std::function<void(const std::function<void(const Item&)>& each)> walk) {
    live_table out{"ha", name, doc, {}, {}};
    for (const field<Item>& f : fields)
        out.columns.push_back({f.name, f.type, f.doc});
    out.rows = [fields = std::move(fields), walk = std::move(walk)] {
        std::vector<row> rows;
        walk([&](const Item& item) {
            row& fresh = rows.emplace_back();
            for (const field<Item>& f : fields)
                fresh.push_back(f.get(item));
        });
        return rows;
    };
    return out;
}

}  // namespace howdah::admin
