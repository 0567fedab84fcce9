#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {

/// pg_proc.provolatile, from harmless to not.
enum class volatility : uint8_t { immutable, stable, volatile_ };

/// 'i', 's', anything else.
[[nodiscard]] volatility volatility_from_char(char provolatile) noexcept;

/// One row of pg_proc joined with pg_namespace.
struct function_row {
    std::string_view schema;
    std::string_view name;
    volatility kind = volatility::volatile_;
};

/// The functions of one database with their volatilities. Immutable after construction, so one
/// snapshot may be shared by all threads.
class function_catalog {
public:
    /// The query whose rows (schema, name, provolatile of the worst overload as one char) fill a
    /// catalogue.
    static constexpr std::string_view query =
        "SELECT n.nspname, p.proname, max(p.provolatile::text) FROM pg_catalog.pg_proc p "
        "JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace GROUP BY 1, 2";

    /// Knows nothing: every function counts as volatile.
    function_catalog() = default;
    /// Several rows for one function (overloads): the worst counts. Copies what it needs.
    explicit function_catalog(std::span<const function_row> rows);

    /// `name` as in traits::functions: "schema.name" is that function, "name" the worst over all
    /// schemas, since search_path is the session's. Unknown: volatile_.
    [[nodiscard]] volatility lookup(std::string_view name) const;
    [[nodiscard]] std::size_t size() const noexcept { return kinds_.size(); }

    /// A few dozen immutable and stable built-ins, for the time before pg_proc has been read.
    [[nodiscard]] static const std::shared_ptr<const function_catalog>& built_in();

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept {
            return std::hash<std::string_view>{}(s);
        }
    };
    std::unordered_map<std::string, volatility, text_hash, std::equal_to<>> kinds_;
};

/// True for functions that run on a standby without an error but mean something else there, or
/// address one server: advisory locks, set_config, backup and WAL control, pg_cancel_backend,
/// currval, dblink, ... `name` as in traits::functions.
[[nodiscard]] bool means_something_else_on_standby(std::string_view name) noexcept;

/// True for volatile built-ins whose result on a standby is as good as on the primary: random(),
/// clock_timestamp(), pg_sleep(), pg_is_in_recovery(), ... (volatilities as in PostgreSQL 15)
[[nodiscard]] bool volatile_but_harmless(std::string_view name) noexcept;

/// Every function of the statement may run on a standby: known, not volatile (or harmless all the
/// same), not on the deny-list. Look at traits::read_only first.
[[nodiscard]] bool harmless_on_standby(const traits& t, const function_catalog& catalog);

}  // namespace howdah::proxy::sql
