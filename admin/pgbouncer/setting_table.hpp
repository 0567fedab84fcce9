#pragma once
#include <span>
#include <string_view>

// What becomes of each setting of PgBouncer (1.18 to 1.25) in Howdah: one row per setting. The
// translation, its tests and the documentation walk this table.
namespace howdah::admin::pgbouncer {

class translator;
struct setting;

/// Where a setting stands: in [pgbouncer], or in the connection string of an entry of [databases],
/// [users] or [peers].
enum class scope { general, database, user, peer };

enum class treatment {
    ignored,  ///< means nothing in Howdah, whatever its value
    neutral,  ///< has no counterpart: only the values in `usual` can be imported
    seconds,  ///< a time: `target` takes it in milliseconds
    number,   ///< `target` takes it
    text,     ///< `target` takes it
    by_hand,  ///< `handler` sees to it
    amount    ///< a number that is used where something else is translated
};

struct known_setting {
    scope where;
    std::string_view name;
    treatment how;
    /// Option or column; with other treatments, for the documentation: what it becomes.
    std::string_view target;
    /// Why it is ignored, what to do instead, or what to know.
    std::string_view note;
    /// neutral: values without a meaning, separated by '|'. Others: PgBouncer's default, which is
    /// imported where the file says nothing; empty: it is not.
    std::string_view usual = {};
    void (translator::*handler)(const setting&) = nullptr;
    bool secret = false;        ///< its value is not shown
    bool zero_is_never = true;  ///< seconds: so it is in Howdah; false: Howdah's longest is taken
};

[[nodiscard]] std::span<const known_setting> known_settings();

/// Null: PgBouncer has no such setting.
[[nodiscard]] const known_setting* find_setting(scope where, std::string_view name);

/// "[pgbouncer]", "[databases]", ...
[[nodiscard]] std::string_view section_of(scope where);

}  // namespace howdah::admin::pgbouncer
