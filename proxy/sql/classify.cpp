#include <pg_query/pg_query.pb-c.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>

#include "proxy/sql/code_block.hpp"
#include "proxy/sql/nesting.hpp"
#include "proxy/sql/parse_tree.hpp"
#include "proxy/sql/settings.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {
namespace {

using node_list = std::span<PgQuery__Node* const>;

constexpr int32_t cursor_with_hold = 0x0020;  // CURSOR_OPT_HOLD

void pin(traits& out, pin_reason r) {
    out.pins |= static_cast<uint16_t>(r);
}

bool is_temp_schema(std::string_view schema) {
    return schema == "pg_temp" || schema.starts_with("pg_temp_");
}

// Functions that leave state in the session. Not nextval: its state (currval, lastval) is only
// seen by those two, which would pin every insert of some applications.
pin_reason session_state_of(std::string_view function) {
    if (function.starts_with("pg_catalog.")) function.remove_prefix(11);
    if (function == "pg_advisory_lock" || function == "pg_advisory_lock_shared" ||
        function == "pg_try_advisory_lock" || function == "pg_try_advisory_lock_shared") {
        return pin_reason::advisory_lock;
    }
    if (const auto dot = function.rfind('.'); dot != std::string_view::npos) {
        function.remove_prefix(dot + 1);  // extensions live in any schema
    }
    constexpr std::array<std::string_view, 5> others{"setseed", "dblink_connect",
                                                     "dblink_connect_u", "set_limit",
                                                     "pg_replication_origin_session_setup"};
    return std::ranges::find(others, function) != others.end() ? pin_reason::session_function
                                                               : pin_reason::none;
}

/// What a walk over one statement's tree finds.
struct findings {
    bool writes = false;      // a data-modifying part, a row lock or INTO, at any depth
    bool set_config = false;  // a call that is not certainly local to the transaction
    bool any_set_config = false;
    bool temp_name = false;  // a name in the temporary schema
    bool own_state = false;  // a view of what goes on in one server
};

// What a standby shows in these is about itself, and not what the primary would show.
bool is_own_state(const PgQuery__RangeVar& relation) {
    const std::string_view schema{relation.schemaname};
    if (!schema.empty() && schema != "pg_catalog") return false;
    const std::string_view name{relation.relname};
    constexpr std::array<std::string_view, 11> views{"pg_backend_memory_contexts",
                                                     "pg_cursors",
                                                     "pg_file_settings",
                                                     "pg_hba_file_rules",
                                                     "pg_ident_file_mappings",
                                                     "pg_locks",
                                                     "pg_prepared_statements",
                                                     "pg_prepared_xacts",
                                                     "pg_replication_origin_status",
                                                     "pg_replication_slots",
                                                     "pg_shmem_allocations"};
    return name.starts_with("pg_stat_") || name.starts_with("pg_statio_") ||
           std::ranges::find(views, name) != views.end();
}

class walker {
public:
    walker(traits& out, findings& found) : out_{out}, found_{found} {}

    void walk(const ProtobufCMessage* root) {
        if (root == nullptr) return;
        std::vector<const ProtobufCMessage*> todo{root};
        while (!todo.empty()) {
            const ProtobufCMessage* m = todo.back();
            todo.pop_back();
            if (m->descriptor == &pg_query__a__const__descriptor) continue;
            visit(*m);
            append_children(*m, todo);
        }
    }

private:
    template <class T>
    static const T& as(const ProtobufCMessage& m) {
        return reinterpret_cast<const T&>(m);
    }

    void visit(const ProtobufCMessage& m) {
        const ProtobufCMessageDescriptor* type = m.descriptor;
        if (type == &pg_query__func_call__descriptor) {
            visit_call(as<PgQuery__FuncCall>(m));
        } else if (type == &pg_query__range_var__descriptor) {
            const auto& name = as<PgQuery__RangeVar>(m);
            if (std::string_view{name.relpersistence} == "t") {
                pin(out_, pin_reason::temp_object);
            }
            found_.temp_name = found_.temp_name || is_temp_schema(name.schemaname);
            found_.own_state = found_.own_state || is_own_state(name);
        } else if (type == &pg_query__string__descriptor) {
            found_.temp_name = found_.temp_name || is_temp_schema(as<PgQuery__String>(m).sval);
        } else if (type == &pg_query__insert_stmt__descriptor ||
                   type == &pg_query__update_stmt__descriptor ||
                   type == &pg_query__delete_stmt__descriptor ||
                   type == &pg_query__merge_stmt__descriptor ||
                   type == &pg_query__locking_clause__descriptor ||
                   type == &pg_query__into_clause__descriptor) {
            found_.writes = true;
        }
    }

    void visit_call(const PgQuery__FuncCall& call) {
        std::string name;
        const node_list parts{call.funcname, call.n_funcname};
        // "database.schema.name" is the same as "schema.name".
        for (const PgQuery__Node* part : parts.last(std::min<std::size_t>(parts.size(), 2))) {
            if (part->node_case != PG_QUERY__NODE__NODE_STRING) continue;
            if (!name.empty()) name += '.';
            name += part->string->sval;
        }
        if (name == "set_config" || name == "pg_catalog.set_config") {
            found_.any_set_config = true;
            found_.set_config = found_.set_config || !is_local(call);
        }
        pin(out_, session_state_of(name));
        out_.functions.push_back(std::move(name));
    }

    static bool is_local(const PgQuery__FuncCall& call) {
        if (call.n_args != 3 || call.args[2]->node_case != PG_QUERY__NODE__NODE_A_CONST) {
            return false;
        }
        const PgQuery__AConst& c = *call.args[2]->a_const;
        return c.val_case == PG_QUERY__A__CONST__VAL_BOOLVAL && c.boolval->boolval;
    }

    traits& out_;
    findings& found_;
};

/// Describes one top-level statement; the rest of `traits` is summed up by classify().
class statement {
public:
    statement(const PgQuery__Node* node, traits& out) : node_{node}, out_{out} {}

    verb kind = verb::empty;
    bool read_only = false;

    void describe() {
        walker{out_, found_}.walk(content(node_));
        kind = verb_and_details();
        if (found_.own_state) read_only = false;
        if (found_.any_set_config) {
            out_.literal_dependent = true;
            const bool known = node_->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
                               add_set_config(*node_->select_stmt, out_);
            if (!known && found_.set_config) pin(out_, pin_reason::set_config);
        }
        if (kind == verb::ddl && found_.temp_name && !is_drop()) pin(out_, pin_reason::temp_object);
    }

private:
    [[nodiscard]] bool is_drop() const {
        return node_->node_case == PG_QUERY__NODE__NODE_DROP_STMT;
    }

    void target(std::string_view name) { out_.target = name; }

    // SELECT, VALUES and TABLE without side effects that the grammar shows.
    [[nodiscard]] bool is_read(const PgQuery__Node* query) const {
        return query != nullptr && query->node_case == PG_QUERY__NODE__NODE_SELECT_STMT &&
               !found_.writes;
    }

    verb verb_and_details() {
        switch (node_->node_case) {
            case PG_QUERY__NODE__NODE_SELECT_STMT:
                read_only = is_read(node_);
                return verb::select;
            case PG_QUERY__NODE__NODE_INSERT_STMT:
                return verb::insert;
            case PG_QUERY__NODE__NODE_UPDATE_STMT:
                return verb::update;
            case PG_QUERY__NODE__NODE_DELETE_STMT:
                return verb::delete_;
            case PG_QUERY__NODE__NODE_MERGE_STMT:
                return verb::merge;
            case PG_QUERY__NODE__NODE_COPY_STMT:
                return copy(*node_->copy_stmt);
            case PG_QUERY__NODE__NODE_EXPLAIN_STMT:
                read_only = is_read(node_->explain_stmt->query);
                return verb::explain;
            case PG_QUERY__NODE__NODE_TRANSACTION_STMT:
                return transaction(*node_->transaction_stmt);
            case PG_QUERY__NODE__NODE_DECLARE_CURSOR_STMT:
                return declare(*node_->declare_cursor_stmt);
            case PG_QUERY__NODE__NODE_FETCH_STMT:
                target(node_->fetch_stmt->portalname);
                return verb::fetch;
            case PG_QUERY__NODE__NODE_CLOSE_PORTAL_STMT:
                target(node_->close_portal_stmt->portalname);
                return verb::close_cursor;
            case PG_QUERY__NODE__NODE_PREPARE_STMT:
                pin(out_, pin_reason::sql_prepare);
                target(node_->prepare_stmt->name);
                return verb::prepare;
            case PG_QUERY__NODE__NODE_EXECUTE_STMT:
                target(node_->execute_stmt->name);
                return verb::execute;
            case PG_QUERY__NODE__NODE_DEALLOCATE_STMT:
                target(node_->deallocate_stmt->name);
                return verb::deallocate;
            case PG_QUERY__NODE__NODE_LOAD_STMT:
                pin(out_, pin_reason::load);
                return verb::load;
            case PG_QUERY__NODE__NODE_LOCK_STMT:
                return verb::lock;
            case PG_QUERY__NODE__NODE_CALL_STMT:
                return verb::call;
            case PG_QUERY__NODE__NODE_VACUUM_STMT:
                return verb::vacuum;
            case PG_QUERY__NODE__NODE_CHECK_POINT_STMT:
                return verb::checkpoint;
            case PG_QUERY__NODE__NODE_CONSTRAINTS_SET_STMT:
                return verb::other;
            case PG_QUERY__NODE__NODE_DO_STMT:
                return code_block(*node_->do_stmt);
            default:
                return session_or_ddl();
        }
    }

    // PostgreSQL refuses while anybody else is connected to the database.
    verb alone_in(std::string_view database) {
        out_.alone_in = database;
        return verb::ddl;
    }

    static std::string_view text_of(const PgQuery__DefElem& option) {
        return option.arg != nullptr && option.arg->node_case == PG_QUERY__NODE__NODE_STRING
                   ? std::string_view{option.arg->string->sval}
                   : std::string_view{};
    }

    verb create_database(const PgQuery__CreatedbStmt& s) {
        out_.literal_dependent = true;  // TEMPLATE 'x'
        for (const PgQuery__Node* option : node_list{s.options, s.n_options})
            if (option->node_case == PG_QUERY__NODE__NODE_DEF_ELEM &&
                std::string_view{option->def_elem->defname} == "template")
                return alone_in(text_of(*option->def_elem));
        return verb::ddl;
    }

    verb session_or_ddl() {
        switch (node_->node_case) {
            case PG_QUERY__NODE__NODE_DROPDB_STMT:
                return alone_in(node_->dropdb_stmt->dbname);
            case PG_QUERY__NODE__NODE_CREATEDB_STMT:
                return create_database(*node_->createdb_stmt);
            case PG_QUERY__NODE__NODE_ALTER_DATABASE_STMT:
                return alone_in(node_->alter_database_stmt->dbname);
            case PG_QUERY__NODE__NODE_RENAME_STMT:
                if (node_->rename_stmt->rename_type == PG_QUERY__OBJECT_TYPE__OBJECT_DATABASE)
                    return alone_in(node_->rename_stmt->subname);
                return verb::ddl;
            case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT:
                return set(*node_->variable_set_stmt);
            case PG_QUERY__NODE__NODE_VARIABLE_SHOW_STMT:
                return show(node_->variable_show_stmt->name);
            case PG_QUERY__NODE__NODE_DISCARD_STMT:
                return discard(*node_->discard_stmt);
            case PG_QUERY__NODE__NODE_LISTEN_STMT:
                pin(out_, pin_reason::listen);
                target(node_->listen_stmt->conditionname);
                return verb::listen;
            case PG_QUERY__NODE__NODE_UNLISTEN_STMT:
                target(node_->unlisten_stmt->conditionname);
                return verb::unlisten;
            case PG_QUERY__NODE__NODE_NOTIFY_STMT:
                target(node_->notify_stmt->conditionname);
                return verb::notify;
            case PG_QUERY__NODE__NODE__NOT_SET:
                return verb::empty;
            default:
                return verb::ddl;
        }
    }

    verb copy(const PgQuery__CopyStmt& s) {
        if (s.is_from) return verb::copy_from;
        const bool to_client = !s.is_program && std::string_view{s.filename}.empty();
        read_only = to_client && (s.query == nullptr || is_read(s.query));
        return verb::copy_to;
    }

    verb declare(const PgQuery__DeclareCursorStmt& s) {
        target(s.portalname);
        const bool hold = (s.options & cursor_with_hold) != 0;
        if (hold) pin(out_, pin_reason::hold_cursor);
        read_only = !hold && is_read(s.query);
        return verb::declare_cursor;
    }

    verb show(std::string_view variable) {
        target(variable);
        // Drivers look for the primary with these; a client must not hear "on" for its writer.
        read_only = variable != "transaction_read_only" && variable != "in_hot_standby";
        return verb::show;
    }

    verb set(const PgQuery__VariableSetStmt& s) {
        const bool reset = s.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET ||
                           s.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_RESET_ALL;
        if (!reset) out_.literal_dependent = true;
        add_set(s, out_);
        return reset ? verb::reset : verb::set;
    }

    verb discard(const PgQuery__DiscardStmt& s) {
        switch (s.target) {
            case PG_QUERY__DISCARD_MODE__DISCARD_PLANS:
                target("plans");
                break;
            case PG_QUERY__DISCARD_MODE__DISCARD_SEQUENCES:
                target("sequences");
                break;
            case PG_QUERY__DISCARD_MODE__DISCARD_TEMP:
                target("temp");
                break;
            default:
                target("all");
                using enum setting_change::kind;
                out_.settings.push_back({reset, "session_authorization", {}});
                out_.settings.push_back({reset, "role", {}});
                out_.settings.push_back({reset_all, {}, {}});
                break;
        }
        return verb::discard;
    }

    verb code_block(const PgQuery__DoStmt& s) {
        out_.literal_dependent = true;
        for (const PgQuery__Node* arg : node_list{s.args, s.n_args}) {
            if (arg->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
            const PgQuery__Node* body = arg->def_elem->arg;
            if (body != nullptr && body->node_case == PG_QUERY__NODE__NODE_STRING &&
                std::string_view{arg->def_elem->defname} == "as" &&
                seems_to_create_session_state(body->string->sval)) {
                pin(out_, pin_reason::code_block);
            }
        }
        return verb::do_block;
    }

    verb begin(const PgQuery__TransactionStmt& s) {
        bool reads = false;
        bool writes = false;
        bool serializable = false;
        for (const PgQuery__Node* option : node_list{s.options, s.n_options}) {
            if (option->node_case != PG_QUERY__NODE__NODE_DEF_ELEM) continue;
            const PgQuery__DefElem& e = *option->def_elem;
            if (e.arg == nullptr || e.arg->node_case != PG_QUERY__NODE__NODE_A_CONST) continue;
            const PgQuery__AConst& value = *e.arg->a_const;
            const std::string_view name{e.defname};
            if (name == "transaction_read_only") {
                reads = value.val_case == PG_QUERY__A__CONST__VAL_IVAL && value.ival->ival != 0;
                writes = !reads;
            } else if (name == "transaction_isolation" &&
                       value.val_case == PG_QUERY__A__CONST__VAL_SVAL) {
                serializable = std::string_view{value.sval->sval} == "serializable";
            }
        }
        out_.begins_transaction = true;
        out_.begin_read_only = reads && !serializable;
        out_.begin_needs_writer = writes || serializable;
        return verb::begin;
    }

    verb end(verb v, const PgQuery__TransactionStmt& s) {
        out_.ends_transaction = true;
        out_.rollback_like = v == verb::rollback;
        out_.chain = s.chain;
        return v;
    }

    verb with_gid(verb v, const PgQuery__TransactionStmt& s) {
        out_.literal_dependent = true;
        target(s.gid);
        return v;
    }

    verb with_savepoint(verb v, const PgQuery__TransactionStmt& s) {
        target(s.savepoint_name);
        return v;
    }

    verb transaction(const PgQuery__TransactionStmt& s) {
        switch (s.kind) {
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_BEGIN:
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_START:
                return begin(s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT:
                return end(verb::commit, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK:
                return end(verb::rollback, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_SAVEPOINT:
                return with_savepoint(verb::savepoint, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_RELEASE:
                return with_savepoint(verb::release, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_TO:
                return with_savepoint(verb::rollback_to, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_PREPARE:
                return with_gid(end(verb::prepare_transaction, s), s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_COMMIT_PREPARED:
                return with_gid(verb::commit_prepared, s);
            case PG_QUERY__TRANSACTION_STMT_KIND__TRANS_STMT_ROLLBACK_PREPARED:
                return with_gid(verb::rollback_prepared, s);
            default:
                return verb::other;
        }
    }

    const PgQuery__Node* node_;
    traits& out_;
    findings found_;
};

void sort_functions(traits& t) {
    std::ranges::sort(t.functions);
    t.functions.erase(std::unique(t.functions.begin(), t.functions.end()), t.functions.end());
}

traits describe(const PgQuery__Node* node) {
    traits out;
    statement s{node, out};
    s.describe();
    out.parsed = true;
    out.statements = 1;
    out.first = out.last = s.kind;
    out.read_only = s.read_only;
    sort_functions(out);
    return out;
}

bool matters_in_order(const traits& t) {
    return t.pins != 0 || !t.settings.empty() || t.begins_transaction || t.ends_transaction ||
           t.first == verb::savepoint || t.first == verb::release || t.first == verb::rollback_to ||
           t.first == verb::unlisten;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
}

void add(traits& sum, const traits& t) {
    sum.last = t.last;
    sum.read_only = sum.read_only && t.read_only;
    sum.begins_transaction = sum.begins_transaction || t.begins_transaction;
    sum.begin_read_only = sum.begin_read_only || t.begin_read_only;
    sum.begin_needs_writer = sum.begin_needs_writer || t.begin_needs_writer;
    sum.ends_transaction = sum.ends_transaction || t.ends_transaction;
    sum.rollback_like = sum.rollback_like || t.rollback_like;
    sum.chain = sum.chain || t.chain;
    sum.sets_transaction_mode = sum.sets_transaction_mode || t.sets_transaction_mode;
    sum.literal_dependent = sum.literal_dependent || t.literal_dependent;
    sum.pins |= t.pins;
    if (sum.alone_in.empty()) sum.alone_in = t.alone_in;
    append(sum.functions, t.functions);
    append(sum.settings, t.settings);
}

}  // namespace

traits classify(std::string_view sql, const parse_limits& limits) {
    traits out;
    if (sql.size() > limits.bytes || sql.find('\0') != std::string_view::npos ||
        nesting_bound(sql, limits.depth) > limits.depth) {
        return out;
    }
    const parse_tree tree{std::string{sql}};
    const PgQuery__ParseResult* root = tree.get();
    if (root == nullptr) return out;
    out.parsed = true;
    if (root->n_stmts == 0) return out;
    out = describe(root->stmts[0]->stmt);
    if (root->n_stmts == 1) return out;
    if (matters_in_order(out)) out.parts.push_back({0, out});
    for (std::size_t i = 1; i < root->n_stmts; ++i) {
        traits t = describe(root->stmts[i]->stmt);
        add(out, t);
        if (matters_in_order(t)) out.parts.push_back({i, std::move(t)});
    }
    out.statements = static_cast<uint16_t>(
        std::min<std::size_t>(root->n_stmts, std::numeric_limits<uint16_t>::max()));
    sort_functions(out);
    return out;
}

}  // namespace howdah::proxy::sql
