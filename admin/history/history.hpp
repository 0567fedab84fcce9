#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/live_table.hpp"
#include "admin/sql/sql_error.hpp"
#include "admin/sql/sqlite.hpp"

namespace howdah::admin {

/// A live table of which earlier states are kept.
struct kept_table {
    std::string_view live;
    std::string_view history;
    std::string_view stamp;  ///< the column with the Unix time
    bool periodic;           ///< kept by itself now and then; else when somebody says so
};

/// What live tables showed at earlier times, in a SQLite file of its own (schema stats_history).
/// Thread-safe; everything may block for as long as a disk does.
class history {
public:
    /// Opens or creates the file; the tables get their columns from `tables`, which must outlive
    /// this. Columns that a table did not have when the file was made are added. Throws
    /// std::runtime_error.
    history(const std::string& path, const std::vector<live_table>& tables);

    /// Which tables are kept.
    [[nodiscard]] static const std::vector<kept_table>& kept();

    /// Keeps the rows that the periodic tables have now. Throws what the tables throw.
    [[nodiscard]] sql_result<void> sample(std::int64_t now);
    /// Keeps the rows of a table; returns how many.
    [[nodiscard]] sql_result<std::size_t> keep(const kept_table& what, std::int64_t now);
    /// Deletes what is older.
    [[nodiscard]] sql_result<void> forget_before(std::int64_t time);

private:
    void create(const kept_table& k);
    [[nodiscard]] const live_table& live(std::string_view name) const;

    const std::vector<live_table>& tables_;
    std::mutex mutex_;
    database db_;
};

}  // namespace howdah::admin
