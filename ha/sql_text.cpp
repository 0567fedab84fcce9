#include "ha/sql_text.hpp"

#include <fmt/format.h>

namespace howdah::ha {

std::string quote_literal(std::string_view text) {
    std::string out;
    bool escapes = false;
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += c;
        escapes |= c == '\\';
        out += c;
    }
    return (escapes ? "E'" : "'") + out + "'";
}

statement plain(std::string sql) {
    auto shown = sql;
    return {std::move(sql), std::move(shown)};
}

statement alter_system(std::string_view name, std::string_view value) {
    return plain(fmt::format("ALTER SYSTEM SET {} = {}", name, quote_literal(value)));
}

statement reset_system(std::string_view name) {
    return plain(fmt::format("ALTER SYSTEM RESET {}", name));
}

statement alter_conninfo(const conninfo& value) {
    return {alter_system("primary_conninfo", value.text()).sql,
            alter_system("primary_conninfo", value.text(false)).sql};
}

statement alter_conninfo_raw(const std::string& value) {
    const auto known = conninfo::parse(value);
    return {alter_system("primary_conninfo", value).sql,
            alter_system("primary_conninfo", known ? known->text(false) : "****").sql};
}

statement reload_conf() {
    return plain("SELECT pg_catalog.pg_reload_conf()");
}

statement create_slot(std::string_view name) {
    const auto literal = quote_literal(name);
    return plain(
        fmt::format("SELECT pg_catalog.pg_create_physical_replication_slot({0}, true) WHERE NOT "
                    "EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE slot_name = {0})",
                    literal));
}

std::string slot_name_for(std::string_view server) {
    std::string out = "howdah_";
    for (char c : server) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
        const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        out += allowed ? c : '_';
    }
    return out.substr(0, 63);
}

}  // namespace howdah::ha
