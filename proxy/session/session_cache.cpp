#include <algorithm>
#include <tuple>
#include <utility>

#include "protocol/wire/messages.hpp"
#include "proxy/session/session.hpp"
#include "proxy/sql/cacheable.hpp"

// The query cache: results of statements whose rule has a cache_ttl. Looked for, and kept, where a
// batch begins without a server: outside of transactions, of sessions that hold their server, and
// of pipelines that are under way.
namespace howdah::proxy {

using protocol::frame_header_size;
using clock = std::chrono::steady_clock;

namespace {

/// Numbers and texts of any content, such that different lists have different bytes.
void append_number(std::string& key, std::uint64_t n) {
    key.append(reinterpret_cast<const char*>(&n), sizeof n);
}
void append_text(std::string& key, std::string_view text) {
    append_number(key, text.size());
    key += text;
}

}  // namespace

bool session::is_cacheable(const statement_plan& plan) const {
    return plan.verdict && plan.verdict->cache_ttl && plan.runs() && safe_lexing_ &&
           sql::same_result_again(*plan.what, w_.now->catalog(who_.login->database));
}

std::optional<session::cacheable_request> session::find_cacheable(const batch& b) {
    std::string_view rest = in_.data().substr(cursor_, b.end - cursor_);
    const auto next = [&rest] {
        const auto f = protocol::peek_frame(rest);
        const std::string_view body = rest.substr(frame_header_size, f->body_size());
        rest.remove_prefix(f->size());
        return std::pair(f->type, body);
    };
    // The whole batch is in sight (b.complete), and scan has looked at its messages.
    auto [type, body] = next();
    cacheable_request r{nullptr, {}, {}, result_shape::simple, std::nullopt};
    // Another hostgroup may be another cluster.
    append_number(r.key, static_cast<std::uint64_t>(b.where.hostgroup));
    if (type == 'Q') {
        const auto query = protocol::parse_query(body);
        if (!query) return std::nullopt;
        r.plan = &batch_plans_.front();
        if (!is_cacheable(*r.plan)) return std::nullopt;
        r.text = r.plan->text(*query);
        append_text(r.key, r.text);
        return r;
    }
    // [Parse of the unnamed statement,] Bind, [Describe of the portal,] Execute, Sync.
    if (type == 'P') {
        r.parse = protocol::parse_parse(body);
        if (!r.parse || !r.parse->name.empty()) return std::nullopt;
        std::tie(type, body) = next();
    }
    const auto bind = type == 'B' ? protocol::parse_bind(body) : std::nullopt;
    if (!bind || !bind->portal.empty() || (r.parse && !bind->statement.empty()))
        return std::nullopt;
    const std::string_view parameters = body.substr(bind->header_size);
    std::tie(type, body) = next();
    r.shape = type == 'D' ? result_shape::described : result_shape::extended;
    if (type == 'D') {
        const auto describe = protocol::parse_describe(body);
        if (!describe || describe->kind != 'P' || !describe->name.empty()) return std::nullopt;
        std::tie(type, body) = next();
    }
    const auto execute = type == 'E' ? protocol::parse_execute(body) : std::nullopt;
    if (!execute || !execute->portal.empty() || execute->max_rows > 0 || next().first != 'S')
        return std::nullopt;
    append_number(r.key, static_cast<std::uint64_t>(r.shape));
    if (r.parse) {
        r.plan = &batch_plans_.front();
        r.text = r.plan->text(r.parse->sql);
        append_text(r.key, r.text);
        append_text(r.key, r.parse->oids_bytes);
    } else if (const own_statement own = find_own(statement_name(bind->statement))) {
        if (own->statement->writes) return std::nullopt;
        r.plan = &plan_of(*own);
        r.text = own->statement->query;
        append_text(r.key, r.text);
        append_text(r.key, own->statement->oids);
        // What the client knows of the statement was true of a result that is kept.
        append_number(r.key, own->seen.parameters);
        append_number(r.key, r.shape == result_shape::described ? 0 : own->seen.columns);
    } else if (bind->statement.empty() && unnamed_ && r.shape == result_shape::described) {
        r.plan = &unnamed_->plan;
        r.text = unnamed_->query;
        append_text(r.key, r.text);
        append_text(r.key, unnamed_->oids);
    } else {
        return std::nullopt;
    }
    if (!is_cacheable(*r.plan)) return std::nullopt;
    append_text(r.key, parameters);
    return r;
}

bool session::answer_from_cache(const batch& b) {
    const conf::variables& vars = w_.now->vars();
    if (vars.query_cache_size_mb == 0 || !b.complete ||
        consistency() == conf::read_consistency::strong)
        return false;
    auto request = find_cacheable(b);
    if (!request) return false;
    const rule_verdict& verdict = *request->plan->verdict;
    // Connections of other hostgroups may have begun otherwise (init_connect).
    const hostgroup_policy* policy = w_.now->policy(b.where.hostgroup);
    const pool_login* as = policy != nullptr && policy->init
                               ? w_.shared.names.login(who_.login, policy->init)
                               : who_.login;
    cache_key key{as, settings_, std::move(request->key)};
    const cached_result* known = w_.cache.find(key, clock::now(), vars.query_cache_soft_ttl_pct);
    if (known != nullptr) {
        give(*request, *known, b);
        return true;
    }
    recording_.reset(
        new recording{std::move(key), result_recording(vars.threshold_resultset_size),
                      request->shape, *verdict.cache_ttl,
                      verdict.cache_empty_result.value_or(vars.query_cache_stores_empty_result)});
    return false;
}

void session::give(const cacheable_request& request, const cached_result& result, const batch& b) {
    // The plan goes with the batch.
    const statement_plan plan = *request.plan;
    std::string& out = w_.to_client.generated();
    if (request.shape == result_shape::simple) unnamed_.reset();
    if (request.parse) {
        ++counted_->client_parses;
        unnamed_ = make_unnamed(*request.parse, plan);
        protocol::append_parse_complete(out);
    }
    out += result.messages;
    protocol::append_ready_for_query(out, 'I');
    w_.to_client.commit();
    obey(plan.verdict.get());
    forget_plans();
    cursor_ = b.end;
    cleared_ = std::max(cleared_, cursor_);
    count_cached(plan, request, result.rows);
    // One client's pipeline of them must not pile up.
    if (result.messages.size() >= protocol::buffer_pool::chunk_size) flush_client();
}

void session::keep_recorded(char new_status) {
    const std::unique_ptr<recording> done = std::move(recording_);
    if (!done || new_status != 'I' || effects_.pins() != 0) return;
    if (server_->login() != done->key.login) return;
    auto result = std::move(done->result).finish(done->shape);
    if (!result || (result->rows == 0 && !done->keep_empty)) return;
    w_.cache.store(std::move(done->key), std::move(*result), done->ttl, clock::now(),
                   w_.cache_capacity());
}

}  // namespace howdah::proxy
