#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "proxy/session/session.hpp"

// RESET goes back to what the session began with. For the server that is its own default, since it
// does not know what the client brought with its login: that is set again behind the RESET, before
// the client hears of either.
namespace howdah::proxy {

using change_kind = sql::setting_change::kind;

bool session::resets_own(const sql::traits& t) const {
    return std::any_of(t.settings.begin(), t.settings.end(), [this](const auto& change) {
        return change.what == change_kind::reset_all
                   ? !who_.settings->empty()
                   : change.what == change_kind::reset &&
                         who_.settings->find(change.name) != nullptr;
    });
}

void session::note_resets(const sql::traits& t) {
    auto& pending = resets_.pending;
    const auto forget = [&](std::string_view name) {
        std::erase_if(pending, [&](const auto& p) { return p.first == name; });
    };
    for (const sql::setting_change& change : t.settings) {
        if (change.what == change_kind::reset_all) {
            for (const auto& [name, statement] : who_.settings->entries()) {
                if (name == "role" || name == "session_authorization") continue;
                forget(name);
                pending.emplace_back(name, statement);
            }
        } else {
            forget(change.name);
            const std::string* own = who_.settings->find(change.name);
            if (change.what == change_kind::reset && own != nullptr)
                pending.emplace_back(change.name, *own);
        }
    }
}

void session::take_parameter(std::string_view body) {
    const auto p = protocol::parse_parameter_status(body);
    if (!p) return;
    reported_parameters& parameters = server_->state().parameters;
    if (phase_ == phase::ready && !told_) {
        const bool by_reset = resets_.held || !resets_.pending.empty() ||
                              (server_->replies.owed() && server_->replies.front().note.what &&
                               resets_own(*server_->replies.front().note.what));
        if (by_reset) told_ = parameters;
    }
    parameters.set(p->name, p->value);
}

void session::tell_parameters() {
    if (!told_) return;
    const reported_parameters before = *std::exchange(told_, std::nullopt);
    for (const auto& [name, value] : server_->state().parameters.all()) {
        const std::string* known = before.find(name);
        if (known != nullptr && *known == value) continue;
        protocol::append_parameter_status(w_.to_client.generated(), name, value);
        w_.to_client.commit();
    }
}

bool session::hold_ready() {
    if (resets_.pending.empty()) return false;
    const char state = server_->state().status;
    if (state != 'E' && server_->replies.empty() && !mending_) {
        resets_.held = true;
        return true;
    }
    // Later batches of the pipeline are on their way already.
    if (state == 'T') resets_.left = true;
    resets_.pending.clear();
    return false;
}

void session::undo_reset() {
    if (server_->state().status == 'I') {
        awaited_settings_ = settings_for(hostgroup_, server_->state().settings);
        begin_settings();
        return;
    }
    std::string sql;
    for (const auto& [name, statement] : resets_.pending) {
        if (!sql.empty()) sql += ';';
        sql += statement;
    }
    apply_settings(sql);
}

void session::finish_undo() {
    resets_.held = false;
    resets_.pending.clear();
    const char state = server_->state().status;
    if (state == 'I') {
        server_->state().settings = awaited_settings_;
    } else {
        resets_.undone = true;
    }
    tell_parameters();
    protocol::append_ready_for_query(w_.to_client.generated(), state == 'I' ? 'I' : 'T');
    w_.to_client.commit();
    if (!settings_error_.empty()) {
        const std::string raw = std::exchange(settings_error_, {});
        const auto error = protocol::parse_error(raw);
        report_lost_server(error ? error->sqlstate : protocol::sqlstate::internal_error,
                           "the session's start-up settings cannot be set again: " +
                               std::string(error ? error->message : std::string_view()));
        return;
    }
    flush_client();
    if (phase_ == phase::ready && server_) at_sync();
}

}  // namespace howdah::proxy
