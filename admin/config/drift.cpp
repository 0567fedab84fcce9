#include "admin/config/drift.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "conf/options.hpp"

namespace howdah::admin {
namespace {

constexpr std::size_t layer_count = 3;

/// The row of each layer with one key; null: it has none.
using found_rows = std::array<const row*, layer_count>;

std::string key_text(const row& r, const std::vector<std::size_t>& key) {
    std::string out;
    for (const std::size_t i : key)
        out.append(out.empty() ? "" : ", ").append(to_text(r[i]));
    return out;
}

bool is_secret(const config_table& table, const row& r, std::size_t column) {
    if (table.columns[column].secret) return true;
    if (table.name != "global_variables" || column == 0) return false;
    const std::string name = to_text(r[0]);
    return std::ranges::any_of(conf::options(), [&](const conf::option& o) {
        return o.secret && variable_name(o.name) == name;
    });
}

value shown(const config_table& table, const row* r, std::size_t column) {
    if (r == nullptr) return {};
    if (is_secret(table, *r, column)) return std::string("(secret)");
    return to_text((*r)[column]);
}

}  // namespace

std::vector<std::size_t> key_columns(const config_table& table) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < table.columns.size(); ++i)
        if (table.columns[i].declaration.find("PRIMARY KEY") != std::string::npos) out.push_back(i);
    if (!out.empty()) return out;
    constexpr std::string_view begin = "PRIMARY KEY (";
    const std::size_t at = table.constraints.find(begin);
    if (at != std::string::npos) {
        const std::size_t end = table.constraints.find(')', at);
        std::string_view names =
            std::string_view(table.constraints).substr(at + begin.size(), end - at - begin.size());
        while (!names.empty()) {
            std::string_view name = names.substr(0, names.find(','));
            names.remove_prefix(std::min(names.size(), name.size() + 1));
            name.remove_prefix(std::min(name.find_first_not_of(" \""), name.size()));
            name = name.substr(0, name.find_last_not_of(" \"") + 1);
            for (std::size_t i = 0; i < table.columns.size(); ++i)
                if (table.columns[i].name == name) out.push_back(i);
        }
    }
    if (out.empty())
        for (std::size_t i = 0; i < table.columns.size(); ++i)
            out.push_back(i);
    return out;
}

std::vector<row> drift_of(const config_table& table, const layers_compared& layers) {
    const std::array<const conf::settings*, layer_count> all{layers.config, layers.disk,
                                                             layers.runtime};
    const std::vector<std::size_t> key = key_columns(table);
    std::array<std::vector<row>, layer_count> kept;
    std::map<std::string, found_rows> by_key;
    for (std::size_t l = 0; l < layer_count; ++l) {
        if (all[l] == nullptr) continue;
        kept[l] = table.rows(*all[l]);
        for (const row& r : kept[l])
            by_key[key_text(r, key)][l] = &r;
    }
    std::vector<row> out;
    for (const auto& [name, rows] : by_key) {
        const auto tell = [&](value column, const std::array<value, layer_count>& values) {
            out.push_back({std::string(table.module), std::string(table.name), name,
                           std::move(column), values[0], values[1], values[2]});
        };
        bool everywhere = true;
        for (std::size_t l = 0; l < layer_count; ++l)
            everywhere = everywhere && (all[l] == nullptr || rows[l] != nullptr);
        if (!everywhere) {
            std::array<value, layer_count> there;
            for (std::size_t l = 0; l < layer_count; ++l)
                if (rows[l] != nullptr) there[l] = std::string("there");
            tell({}, there);
            continue;
        }
        for (std::size_t c = 0; c < table.columns.size(); ++c) {
            const row* first = nullptr;
            bool same = true;
            for (const row* r : rows) {
                if (r == nullptr) continue;
                if (first == nullptr) first = r;
                same = same && (*r)[c] == (*first)[c];
            }
            if (same) continue;
            tell(std::string(table.columns[c].name),
                 {shown(table, rows[0], c), shown(table, rows[1], c), shown(table, rows[2], c)});
        }
    }
    return out;
}

}  // namespace howdah::admin
