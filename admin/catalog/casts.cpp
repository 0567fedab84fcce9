#include "admin/catalog/casts.hpp"

#include <algorithm>
#include <map>

namespace howdah::admin {

bool is_keyword(const token& t) {
    static const word_set words{
        "ALL",    "AND",    "AS",        "BETWEEN", "BY",     "CASE",   "COLLATE",   "CROSS",
        "DELETE", "DESC",   "DISTINCT",  "ELSE",    "ESCAPE", "EXCEPT", "EXISTS",    "FROM",
        "GLOB",   "GROUP",  "HAVING",    "ILIKE",   "IN",     "INNER",  "INSERT",    "INTERSECT",
        "INTO",   "IS",     "JOIN",      "LATERAL", "LIKE",   "LIMIT",  "MATCH",     "NATURAL",
        "NOT",    "OFFSET", "ON",        "OR",      "ORDER",  "OUTER",  "PARTITION", "RECURSIVE",
        "REGEXP", "SELECT", "RETURNING", "SET",     "THEN",   "UNION",  "UPDATE",    "USING",
        "VALUES", "WHEN",   "WHERE",     "WITH",    "WINDOW"};
    return t.kind == token_kind::word && words.contains(upper(t.text));
}

bool is_name(const token& t) {
    return t.kind == token_kind::word || t.kind == token_kind::quoted_word;
}

cast_form form_of(const type_name& t) {
    static const std::map<std::string, cast_form, std::less<>> forms = [] {
        std::map<std::string, cast_form, std::less<>> out;
        for (const char* name : {"text", "varchar", "character varying", "bpchar", "character",
                                 "char", "name", "json", "jsonb", "uuid", "citext", "unknown"})
            out[name] = {{}, "TEXT"};
        for (const char* name : {"int2", "int4", "int8", "smallint", "integer", "int", "bigint"})
            out[name] = {{}, "INTEGER"};
        for (const char* name : {"float4", "float8", "real", "double precision", "float"})
            out[name] = {{}, "REAL"};
        for (const char* name : {"numeric", "decimal"})
            out[name] = {{}, "NUMERIC"};
        for (const char* name : {"bool", "boolean"})
            out[name] = {"pg_to_bool", {}};
        out["oid"] = {"pg_to_oid", {}};
        out["date"] = {"date", {}};
        out["regclass"] = {"pg_regclass", {}};
        out["regtype"] = {"pg_regtype", {}};
        out["regnamespace"] = {"pg_regnamespace", {}};
        out["regrole"] = {"pg_regrole", {}};
        for (const char* name : {"regproc", "regprocedure", "regoper", "regoperator"})
            out[name] = {"pg_regproc", {}};
        return out;
    }();
    const auto found = forms.find(t.name);
    return t.array || found == forms.end() ? cast_form{} : found->second;
}

std::optional<type_name> type_at(const std::vector<token>& tokens, std::size_t i) {
    type_name out;
    if (i + 1 < tokens.size() && tokens[i].is_word("PG_CATALOG") && tokens[i + 1].is(".")) {
        out.qualified = true;
        i += 2;
    }
    if (i >= tokens.size() || !is_name(tokens[i])) return {};
    out.name = lower(content_of(tokens[i++]));
    const auto take = [&](std::string_view word) {
        if (i >= tokens.size() || !tokens[i].is_word(word)) return false;
        ++i;
        return true;
    };
    if (out.name == "double" && take("PRECISION")) out.name += " precision";
    if (out.name == "character" && take("VARYING")) out.name += " varying";
    const auto size = [&] {
        if (i >= tokens.size() || !tokens[i].is("(")) return;
        while (i < tokens.size() && !tokens[i].is(")"))
            ++i;
        i = std::min(i + 1, tokens.size());
    };
    size();
    if (out.name == "timestamp" || out.name == "time") {
        const bool zone = (i + 2 < tokens.size()) &&
                          (tokens[i].is_word("WITH") || tokens[i].is_word("WITHOUT")) &&
                          tokens[i + 1].is_word("TIME") && tokens[i + 2].is_word("ZONE");
        if (zone) i += 3;
    }
    while (i + 1 < tokens.size() && tokens[i].is("[") && tokens[i + 1].is("]")) {
        out.array = true;
        i += 2;
    }
    out.end = i;
    return out;
}

}  // namespace howdah::admin
