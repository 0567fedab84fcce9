#include "proxy/sql/settings.hpp"

#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "proxy/sql/lexer.hpp"
#include "proxy/sql/parse_tree.hpp"

namespace howdah::proxy::sql {
namespace {

using node_list = std::span<PgQuery__Node* const>;
using kind = setting_change::kind;

void pin(traits& out, pin_reason r) {
    out.pins |= static_cast<uint16_t>(r);
}

std::string folded(std::string_view s) {
    std::string result{s};
    std::ranges::transform(result, result.begin(), fold);
    return result;
}

const PgQuery__AConst* constant(const PgQuery__Node* n) {
    return n != nullptr && n->node_case == PG_QUERY__NODE__NODE_A_CONST ? n->a_const : nullptr;
}

std::optional<std::string> constant_text(const PgQuery__AConst& c) {
    if (c.isnull) return std::nullopt;
    switch (c.val_case) {
        case PG_QUERY__A__CONST__VAL_IVAL:
            return std::to_string(c.ival->ival);
        case PG_QUERY__A__CONST__VAL_FVAL:
            return c.fval->fval;
        case PG_QUERY__A__CONST__VAL_BOOLVAL:
            return c.boolval->boolval ? "true" : "false";
        case PG_QUERY__A__CONST__VAL_SVAL:
            return c.sval->sval;
        default:
            return std::nullopt;
    }
}

std::string_view last_name(node_list names) {
    if (names.empty() || names.back()->node_case != PG_QUERY__NODE__NODE_STRING) return {};
    return names.back()->string->sval;
}

// SET TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE is kept by PostgreSQL as the text "INTERVAL
// '-08:00:00'". Without a colon the fields decide what the number means.
std::optional<std::string> interval_text(const PgQuery__TypeCast& cast) {
    const auto* c = constant(cast.arg);
    if (c == nullptr || cast.type_name == nullptr) return std::nullopt;
    const node_list names{cast.type_name->names, cast.type_name->n_names};
    const auto text = constant_text(*c);
    if (!text || last_name(names) != "interval") return std::nullopt;
    if (cast.type_name->n_typmods > 0 && text->find(':') == std::string::npos) return std::nullopt;
    return "INTERVAL " + quote_literal(*text);
}

std::optional<std::string> value_list(node_list args) {
    std::string result;
    for (const PgQuery__Node* arg : args) {
        std::optional<std::string> text;
        if (const auto* c = constant(arg)) {
            text = constant_text(*c);
        } else if (arg->node_case == PG_QUERY__NODE__NODE_TYPE_CAST) {
            text = interval_text(*arg->type_cast);
        }
        if (!text) return std::nullopt;
        if (!result.empty()) result += ", ";
        result += quote_literal(*text);
    }
    if (result.empty()) return std::nullopt;
    return result;
}

bool is_transaction_mode(std::string_view name) {
    return name == "transaction_isolation" || name == "transaction_read_only" ||
           name == "transaction_deferrable";
}

// New objects go to the temporary schema when it leads the path.
void note_temp_path(const setting_change& change, traits& out) {
    if (change.name == "search_path" && change.value.find("pg_temp") != std::string::npos) {
        pin(out, pin_reason::temp_object);
    }
}

void add(traits& out, setting_change change) {
    note_temp_path(change, out);
    out.settings.push_back(std::move(change));
}

void add_characteristics(node_list modes, traits& out) {
    for (const PgQuery__Node* mode : modes) {
        if (mode->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
        const auto* c = constant(mode->def_elem->arg);
        const auto text = c != nullptr ? constant_text(*c) : std::nullopt;
        if (!text) {
            pin(out, pin_reason::unknown_set);
            continue;
        }
        add(out,
            {kind::set, "default_" + std::string{mode->def_elem->defname}, quote_literal(*text)});
    }
}

// set_config takes the list as one text, SET as a list of names (variables marked
// GUC_LIST_QUOTE in PostgreSQL).
bool is_name_list(std::string_view name) {
    return name == "search_path" || name == "temp_tablespaces" ||
           name == "session_preload_libraries" || name == "local_preload_libraries";
}

std::optional<std::string> split_names(std::string_view text) {
    std::string result;
    lexer in{text};
    bool want_name = true;
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        if (!want_name) {
            if (!t.is(',')) return std::nullopt;
            want_name = true;
            continue;
        }
        std::string name;
        if (t.kind == token_kind::word) {
            name = folded(t.text);
        } else if (t.kind == token_kind::quoted_word && t.text.size() >= 2 &&
                   t.text.front() == '"' && t.text.back() == '"') {
            for (std::size_t i = 1; i + 1 < t.text.size(); ++i) {
                name += t.text[i];
                if (t.text[i] == '"') ++i;
            }
        } else {
            return std::nullopt;
        }
        if (!result.empty()) result += ", ";
        result += quote_literal(name);
        want_name = false;
    }
    if (want_name && !result.empty()) return std::nullopt;
    return result.empty() ? "''" : result;
}

std::optional<bool> constant_bool(const PgQuery__Node* n) {
    const auto* c = constant(n);
    if (c == nullptr || c->isnull) return std::nullopt;
    if (c->val_case == PG_QUERY__A__CONST__VAL_BOOLVAL) return c->boolval->boolval != 0;
    if (c->val_case != PG_QUERY__A__CONST__VAL_SVAL) return std::nullopt;
    const std::string s = folded(c->sval->sval);
    if (s == "t" || s == "true" || s == "on" || s == "1" || s == "yes") return true;
    if (s == "f" || s == "false" || s == "off" || s == "0" || s == "no") return false;
    return std::nullopt;
}

const PgQuery__FuncCall* set_config_call(const PgQuery__Node* target) {
    if (target->node_case != PG_QUERY__NODE__NODE_RES_TARGET) return nullptr;
    const PgQuery__Node* value = target->res_target->val;
    if (value == nullptr || value->node_case != PG_QUERY__NODE__NODE_FUNC_CALL) return nullptr;
    const PgQuery__FuncCall* call = value->func_call;
    const node_list names{call->funcname, call->n_funcname};
    if (last_name(names) != "set_config" || names.size() > 2) return nullptr;
    if (names.size() == 2 && last_name(names.first(1)) != "pg_catalog") return nullptr;
    const bool plain = call->n_args == 3 && call->agg_filter == nullptr && call->over == nullptr &&
                       call->n_agg_order == 0 && !call->agg_distinct && !call->func_variadic;
    return plain ? call : nullptr;
}

std::optional<setting_change> constant_set_config(const PgQuery__FuncCall& call) {
    const auto* name = constant(call.args[0]);
    const auto* value = constant(call.args[1]);
    const auto local = constant_bool(call.args[2]);
    if (name == nullptr || value == nullptr || !local) return std::nullopt;
    if (name->val_case != PG_QUERY__A__CONST__VAL_SVAL) return std::nullopt;
    setting_change change{*local ? kind::set_local : kind::set, folded(name->sval->sval), {}};
    if (is_transaction_mode(change.name)) return std::nullopt;
    if (value->isnull) {
        if (*local) {
            change.value = "DEFAULT";
        } else {
            change.what = kind::reset;
        }
        return change;
    }
    const auto text = constant_text(*value);
    if (!text) return std::nullopt;
    const auto written = is_name_list(change.name) ? split_names(*text) : quote_literal(*text);
    if (!written) return std::nullopt;
    change.value = *written;
    return change;
}

}  // namespace

std::string quote_literal(std::string_view s) {
    const bool backslash = s.find('\\') != std::string_view::npos;
    std::string result = backslash ? "E'" : "'";
    for (const char c : s) {
        if (c == '\'' || c == '\\') result += c;
        result += c;
    }
    result += '\'';
    return result;
}

void add_set(const PgQuery__VariableSetStmt& s, traits& out) {
    const node_list args{s.args, s.n_args};
    const std::string name = folded(s.name);
    const kind set_kind = s.is_local ? kind::set_local : kind::set;
    if (is_transaction_mode(name)) {
        out.sets_transaction_mode = true;
        return;
    }
    switch (s.kind) {
        case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE:
            if (auto value = value_list(args)) {
                add(out, {set_kind, name, std::move(*value)});
            } else if (!s.is_local) {
                pin(out, pin_reason::unknown_set);
            }
            break;
        case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_DEFAULT:
            if (s.is_local) {
                add(out, {kind::set_local, name, "DEFAULT"});
            } else {
                add(out, {kind::reset, name, {}});
            }
            break;
        case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET:
            add(out, {kind::reset, name, {}});
            break;
        case PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL:
            add(out, {kind::reset_all, {}, {}});
            break;
        case PG_QUERY__VARIABLE_SET_KIND__VAR_SET_MULTI:
            if (name == "session characteristics") {
                add_characteristics(args, out);
            } else {
                out.sets_transaction_mode = true;
            }
            break;
        default:
            pin(out, pin_reason::unknown_set);
            break;
    }
}

bool add_set_config(const PgQuery__SelectStmt& s, traits& out) {
    const bool bare = s.n_from_clause == 0 && s.where_clause == nullptr && s.n_group_clause == 0 &&
                      s.having_clause == nullptr && s.limit_count == nullptr &&
                      s.limit_offset == nullptr && s.with_clause == nullptr &&
                      s.n_values_lists == 0 && s.larg == nullptr && s.into_clause == nullptr &&
                      s.n_sort_clause == 0 && s.n_distinct_clause == 0 && s.n_target_list > 0;
    if (!bare) return false;
    std::vector<setting_change> changes;
    for (const PgQuery__Node* target : node_list{s.target_list, s.n_target_list}) {
        const auto* call = set_config_call(target);
        auto change = call != nullptr ? constant_set_config(*call) : std::nullopt;
        if (!change) return false;
        changes.push_back(std::move(*change));
    }
    for (setting_change& change : changes)
        add(out, std::move(change));
    return true;
}

}  // namespace howdah::proxy::sql
