#include "proxy/sql/traits.hpp"

#include <array>

namespace howdah::proxy::sql {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(verb::other) + 1> verb_names{
    "empty",
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "copy from",
    "copy to",
    "begin",
    "commit",
    "rollback",
    "savepoint",
    "release",
    "rollback to",
    "prepare transaction",
    "commit prepared",
    "rollback prepared",
    "set",
    "reset",
    "show",
    "discard",
    "deallocate",
    "prepare",
    "execute",
    "listen",
    "unlisten",
    "notify",
    "lock",
    "declare cursor",
    "fetch",
    "close cursor",
    "explain",
    "call",
    "do",
    "load",
    "vacuum",
    "checkpoint",
    "ddl",
    "other",
};

}  // namespace

std::string_view to_string(verb v) noexcept {
    return verb_names[static_cast<std::size_t>(v)];
}

std::string_view to_string(pin_reason r) noexcept {
    switch (r) {
        case pin_reason::none:
            return "none";
        case pin_reason::temp_object:
            return "temporary object";
        case pin_reason::advisory_lock:
            return "advisory lock";
        case pin_reason::listen:
            return "listen";
        case pin_reason::hold_cursor:
            return "cursor with hold";
        case pin_reason::sql_prepare:
            return "sql prepare";
        case pin_reason::load:
            return "load";
        case pin_reason::set_config:
            return "set_config";
        case pin_reason::unknown_set:
            return "unknown set";
        case pin_reason::code_block:
            return "code block";
        case pin_reason::session_function:
            return "session function";
        case pin_reason::query_rule:
            return "query rule";
        case pin_reason::hostgroup:
            return "hostgroup";
    }
    return "several";
}

}  // namespace howdah::proxy::sql
