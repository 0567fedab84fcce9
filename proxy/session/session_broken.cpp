#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// A transaction whose server is lost: its client is told so once, then gets PostgreSQL's answer to
// everything in a failed transaction, until it ends it. No server is involved.
namespace howdah::proxy {

namespace sqlstate = protocol::sqlstate;
using protocol::frame;
using protocol::frame_header_size;
using protocol::severity;

namespace {

bool ends_only(const sql::traits& t) {
    return t.ends_transaction && t.statements == 1;
}

}  // namespace

void session::refuse_in_broken() {
    std::string out;
    if (broken_reported_) {
        protocol::append_error(out, severity::error, sqlstate::in_failed_sql_transaction,
                               "current transaction is aborted, commands ignored until end of "
                               "transaction block");
    } else {
        protocol::append_error(
            out, severity::error, sqlstate::connection_failure,
            "the server of this transaction was lost; the transaction is aborted");
    }
    broken_reported_ = true;
    answer(std::move(out));
}

bool session::malformed(const frame& f) {
    terminate(sqlstate::protocol_violation,
              std::string("invalid message format in message of type '") + f.type + "'");
    return false;
}

bool session::step_broken(const frame& f, std::string_view data) {
    if (f.type == 'S') {
        if (data.size() < f.size()) return need(f.size());
        cursor_ += f.size();
        answer_ready();
        return true;
    }
    if (f.type == 'H') {
        skip_message(f);
        return true;
    }
    const bool has_text = f.type == 'Q' || f.type == 'P';
    if (has_text && f.size() > w_.now->vars().max_allowed_packet + frame_header_size) {
        terminate(sqlstate::program_limit_exceeded, "statement is larger than max_allowed_packet");
        return false;
    }
    if (has_text && data.size() < f.size()) return need(f.size());
    const std::string_view body = data.substr(frame_header_size, f.body_size());
    if (f.type == 'Q') {
        const auto query = protocol::parse_query(body);
        if (!query) return malformed(f);
        cursor_ += f.size();
        if (ends_only(*w_.statements.get(*query))) {
            broken_ = false;
            std::string out;
            protocol::append_command_complete(out, "ROLLBACK");
            answer(std::move(out));
        } else {
            refuse_in_broken();
        }
        answer_ready();
        return true;
    }
    // Extended protocol: a transaction end is answered message by message, anything else fails.
    std::string out;
    if (f.type == 'P') {
        const auto parse = protocol::parse_parse(body);
        if (!parse) return malformed(f);
        const auto t = w_.statements.get(parse->sql);
        if (ends_only(*t)) {
            if (parse->name.empty()) {
                unnamed_ = make_unnamed(*parse, {t, nullptr, nullptr});
            } else {
                if (!statements_) statements_ = std::make_unique<client_statements>();
                const statement_plan plan{t, nullptr, nullptr};
                statements_->insert_or_assign(
                    std::string(statement_name(parse->name)),
                    make_own(make_statement(parse->oids_bytes, plan, parse->sql), parse->sql,
                             plan));
            }
            protocol::append_parse_complete(out);
            cursor_ += f.size();
            answer(std::move(out));
            return true;
        }
    } else if (f.type == 'B') {
        const std::size_t names = std::min(f.size(), protocol::buffer_pool::chunk_size);
        if (data.size() < names) return need(names);
        const auto bind = protocol::parse_bind(data.substr(frame_header_size));
        const statement_plan* plan =
            bind ? plan_of_statement(statement_name(bind->statement)) : nullptr;
        if (plan != nullptr && ends_only(*plan->what)) {
            protocol::append_bind_complete(out);
            skip_message(f);
            answer(std::move(out));
            broken_ending_ = true;
            return true;
        }
    } else if (broken_ending_ && (f.type == 'D' || f.type == 'E')) {
        if (f.type == 'D') {
            protocol::append_no_data(out);
        } else {
            protocol::append_command_complete(out, "ROLLBACK");
            broken_ = broken_ending_ = false;
        }
        skip_message(f);
        answer(std::move(out));
        return true;
    } else if (f.type == 'C') {
        if (data.size() < f.size()) return need(f.size());
        const auto close = protocol::parse_close(body);
        if (close && close->kind == 'S') {
            if (close->name.empty()) unnamed_.reset();
            forget_name(close->name);
        }
        protocol::append_close_complete(out);
        skip_message(f);
        answer(std::move(out));
        return true;
    }
    refuse_in_broken();
    skip_message(f);
    skip_to_sync_ = f.type != 'F';
    if (f.type == 'F') answer_ready();
    return true;
}

}  // namespace howdah::proxy
