#include "proxy/sql/functions.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace howdah::proxy::sql {
namespace {

constexpr std::string_view catalog_prefix = "pg_catalog.";

// Stable or immutable in PostgreSQL 13 to 17, in every overload.
constexpr auto well_known = std::to_array<std::string_view>({
    "abs",
    "age",
    "array_agg",
    "array_append",
    "array_cat",
    "array_length",
    "array_position",
    "array_prepend",
    "array_remove",
    "array_to_json",
    "array_to_string",
    "array_upper",
    "avg",
    "bit_and",
    "bit_length",
    "bit_or",
    "bool_and",
    "bool_or",
    "btrim",
    "cardinality",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "concat",
    "concat_ws",
    "corr",
    "count",
    "cume_dist",
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_user",
    "date",
    "date_bin",
    "date_part",
    "date_trunc",
    "decode",
    "degrees",
    "dense_rank",
    "div",
    "encode",
    "every",
    "exp",
    "extract",
    "first_value",
    "floor",
    "format",
    "format_type",
    "generate_series",
    "generate_subscripts",
    "get_bit",
    "get_byte",
    "has_schema_privilege",
    "has_table_privilege",
    "initcap",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "int4",
    "int8",
    "isfinite",
    "json_agg",
    "json_array_elements",
    "json_array_elements_text",
    "json_array_length",
    "json_build_array",
    "json_build_object",
    "json_each",
    "json_each_text",
    "json_extract_path",
    "json_extract_path_text",
    "json_object_agg",
    "json_object_keys",
    "json_typeof",
    "jsonb_agg",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_array_length",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_extract_path",
    "jsonb_extract_path_text",
    "jsonb_object_agg",
    "jsonb_object_keys",
    "jsonb_path_exists",
    "jsonb_path_query",
    "jsonb_pretty",
    "jsonb_set",
    "jsonb_strip_nulls",
    "jsonb_typeof",
    "justify_days",
    "justify_hours",
    "justify_interval",
    "lag",
    "last_value",
    "lead",
    "left",
    "length",
    "like_escape",
    "ln",
    "log",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "max",
    "md5",
    "min",
    "mod",
    "mode",
    "now",
    "nth_value",
    "ntile",
    "obj_description",
    "octet_length",
    "overlaps",
    "overlay",
    "percent_rank",
    "percentile_cont",
    "percentile_disc",
    "pg_backend_pid",
    "pg_client_encoding",
    "pg_column_size",
    "pg_encoding_to_char",
    "pg_function_is_visible",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_function_arguments",
    "pg_get_function_identity_arguments",
    "pg_get_function_result",
    "pg_get_functiondef",
    "pg_get_indexdef",
    "pg_get_partkeydef",
    "pg_get_ruledef",
    "pg_get_serial_sequence",
    "pg_get_triggerdef",
    "pg_get_userbyid",
    "pg_get_viewdef",
    "pg_postmaster_start_time",
    "pg_size_pretty",
    "pg_table_is_visible",
    "pg_type_is_visible",
    "pg_typeof",
    "pi",
    "plainto_tsquery",
    "position",
    "pow",
    "power",
    "quote_ident",
    "quote_literal",
    "quote_nullable",
    "radians",
    "rank",
    "regexp_match",
    "regexp_matches",
    "regexp_replace",
    "regexp_split_to_array",
    "regexp_split_to_table",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "row_to_json",
    "rpad",
    "rtrim",
    "session_user",
    "sha256",
    "shobj_description",
    "sign",
    "similar_to_escape",
    "split_part",
    "sqrt",
    "statement_timestamp",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "string_to_array",
    "strpos",
    "substr",
    "substring",
    "sum",
    "timezone",
    "to_char",
    "to_date",
    "to_hex",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_regtype",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "transaction_timestamp",
    "translate",
    "trunc",
    "ts_rank",
    "unnest",
    "upper",
    "var_pop",
    "var_samp",
    "variance",
    "version",
    "width_bucket",
});

constexpr auto denied_prefixes = std::to_array<std::string_view>({
    "pg_advisory_",
    "pg_try_advisory_",
    "pg_stat_reset",
    "pg_create_",
    "pg_drop_",
    "pg_copy_",
    "pg_backup_",
    "pg_logical_",
    "pg_replication_",
    "pg_wal_replay_",
    "pg_log_",
    "lo_",
    "binary_upgrade_",
});

constexpr auto denied_names = std::to_array<std::string_view>({
    "currval",
    "lastval",
    "loread",
    "lowrite",
    "nextval",
    "pg_cancel_backend",
    "pg_current_xact_id",
    "pg_export_snapshot",
    "pg_listening_channels",
    "pg_nextoid",
    "pg_notify",
    "pg_promote",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_sequence_last_value",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_switch_wal",
    "pg_switch_xlog",
    "pg_terminate_backend",
    "pg_walfile_name",
    "pg_walfile_name_offset",
    "set_config",
    "setseed",
    "setval",
    "txid_current",
});

constexpr auto harmless_names = std::to_array<std::string_view>({
    "clock_timestamp",
    "current_query",
    "gen_random_uuid",
    "pg_collation_actual_version",
    "pg_database_collation_actual_version",
    "pg_database_size",
    "pg_indexes_size",
    "pg_is_in_recovery",
    "pg_jit_available",
    "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn",
    "pg_last_xact_replay_timestamp",
    "pg_partition_ancestors",
    "pg_partition_tree",
    "pg_relation_size",
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
    "pg_table_size",
    "pg_tablespace_size",
    "pg_total_relation_size",
    "random",
    "timeofday",
});

static_assert(std::ranges::is_sorted(denied_names));
static_assert(std::ranges::is_sorted(harmless_names));

// Names of pg_catalog come with or without their schema.
std::string_view strip_catalog(std::string_view name) {
    if (name.starts_with(catalog_prefix)) name.remove_prefix(catalog_prefix.size());
    return name;
}

}  // namespace

volatility volatility_from_char(char provolatile) noexcept {
    switch (provolatile) {
        case 'i':
            return volatility::immutable;
        case 's':
            return volatility::stable;
        default:
            return volatility::volatile_;
    }
}

function_catalog::function_catalog(std::span<const function_row> rows) {
    kinds_.reserve(rows.size() * 2);
    const auto worsen = [this](std::string name, volatility kind) {
        const auto [at, is_new] = kinds_.try_emplace(std::move(name), kind);
        if (!is_new) at->second = std::max(at->second, kind);
    };
    for (const function_row& row : rows) {
        worsen(std::string{row.name}, row.kind);
        std::string qualified{row.schema};
        qualified += '.';
        qualified += row.name;
        worsen(std::move(qualified), row.kind);
    }
}

volatility function_catalog::lookup(std::string_view name) const {
    const auto at = kinds_.find(name);
    return at == kinds_.end() ? volatility::volatile_ : at->second;
}

const std::shared_ptr<const function_catalog>& function_catalog::built_in() {
    static const std::shared_ptr<const function_catalog> catalog = [] {
        std::vector<function_row> rows;
        rows.reserve(well_known.size());
        for (const std::string_view name : well_known) {
            rows.push_back({"pg_catalog", name, volatility::stable});
        }
        return std::make_shared<const function_catalog>(rows);
    }();
    return catalog;
}

bool means_something_else_on_standby(std::string_view name) noexcept {
    // An extension, so in any schema.
    const auto dot = name.rfind('.');
    if (name.substr(dot == std::string_view::npos ? 0 : dot + 1).starts_with("dblink")) return true;
    name = strip_catalog(name);
    return std::ranges::binary_search(denied_names, name) ||
           std::ranges::any_of(denied_prefixes,
                               [&](std::string_view p) { return name.starts_with(p); });
}

bool volatile_but_harmless(std::string_view name) noexcept {
    return std::ranges::binary_search(harmless_names, strip_catalog(name));
}

bool harmless_on_standby(const traits& t, const function_catalog& catalog) {
    return std::ranges::all_of(t.functions, [&](const std::string& name) {
        if (means_something_else_on_standby(name)) return false;
        return volatile_but_harmless(name) || catalog.lookup(name) != volatility::volatile_;
    });
}

}  // namespace howdah::proxy::sql
