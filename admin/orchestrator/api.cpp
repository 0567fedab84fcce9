#include "admin/orchestrator/api.hpp"

#include <nlohmann/json.hpp>

namespace howdah::admin::orchestrator {
namespace {

http_answer greeting(const api_functions& does) {
    json out;
    out["name"] = "howdah";
    out["version"] = does.version;
    out["api"] = "/api";
    return json_answer(out);
}

http_answer not_found(const std::vector<std::string>& parts, const route_table& table) {
    std::string path;
    for (const auto& one : parts)
        path += "/" + one;
    const std::string similar = table.similar(parts);
    return error_answer(
        "There is no " + path + (similar.empty() ? std::string() : "; there is " + similar), 404);
}

http_answer refusal(const access_verdict& verdict) {
    http_answer out = error_answer(verdict.message, verdict.status);
    if (verdict.status == 401)
        out.headers.emplace_back("WWW-Authenticate", "Basic realm=\"howdah\", charset=\"UTF-8\"");
    out.delay = verdict.delay;
    return out;
}

}  // namespace

api::api(api_functions does, std::function<access_rules()> rules)
    : does_(std::make_shared<const api_functions>(std::move(does))), rules_(std::move(rules)) {}

void api::handle(const http_request& request, const http_responder& respond) const {
    const bool head = request.method == "HEAD";
    if (request.method != "GET" && request.method != "POST" && !head) {
        http_answer out = error_answer("only GET, HEAD and POST", 405);
        out.headers.emplace_back("Allow", "GET, HEAD, POST");
        return respond(out);
    }
    auto parts = split_path(request.path);
    auto query = split_query(request.query);
    if (!parts || !query) return respond(error_answer("the address is badly encoded", 400));
    const bool below_api = !parts->empty() && parts->front() == "api";
    if (below_api) parts->erase(parts->begin());
    // orchestrator-client asks HEAD before each call, without credentials.
    if (parts->empty()) return respond(greeting(*does_));
    const route_table& table = below_api ? api_routes() : root_routes();
    auto found = table.find(*parts);
    const bool changes = found.row && found.row->changes();
    const bool probe = !below_api && found.row;
    auto verdict = check_access(rules_(), request, changes);
    if (!verdict.allowed && !probe) return respond(refusal(verdict));
    if (!found.row) return respond(not_found(*parts, table));
    if (found.row->missing()) return respond(error_answer(found.row->doc, 500));
    if (head && changes) return respond(ok_answer("HEAD changes nothing"));
    auto call = std::make_shared<api_call>();
    call->does = does_;
    call->orders = orders_;
    call->view = does_->view();
    call->places = std::move(found.places);
    call->query = std::move(*query);
    call->by = std::move(verdict.by);
    call->respond = respond;
    run(*found.row, call);
}

void api::run(const route& row, const std::shared_ptr<api_call>& call) const {
    if (row.change)
        guarded(call, [&] { row.change(call); })();
    else
        does_->offload(guarded(call, [call, read = row.read] { call->respond(read(*call)); }));
}

void api::serve_on(http_server& server) const {
    server.write_errors_by(
        [](unsigned status, std::string message) { return error_answer(message, status); });
    server.add_below("/", [this](const http_request& request, const http_responder& respond) {
        handle(request, respond);
    });
}

}  // namespace howdah::admin::orchestrator
