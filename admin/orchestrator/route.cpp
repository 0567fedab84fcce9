#include "admin/orchestrator/route.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace howdah::admin::orchestrator {
namespace {

std::vector<route> together(std::initializer_list<std::vector<route>> families) {
    std::vector<route> out;
    for (const auto& one : families)
        out.insert(out.end(), one.begin(), one.end());
    return out;
}

std::string table_of(std::string_view title, const std::vector<route>& rows) {
    std::string out = fmt::format("\n## {}\n\n", title);
    out += "| path | changes state | |\n|---|---|---|\n";
    for (const route& one : rows) {
        // A bar ends a column of the table.
        std::string path(one.path);
        for (std::size_t at = 0; (at = path.find('|', at)) != path.npos; at += 2)
            path.insert(at, "\\");
        out += fmt::format("| `{}` | {} | {} |\n", path, one.changes() ? "yes" : "", one.doc);
    }
    return out;
}

}  // namespace

void order_book::run(const std::string& name, const std::function<void(answer)>& order,
                     answer done) {
    auto& waiting = waiting_[name];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1) return;
    try {
        order([book = shared_from_this(), name](const ha::order_answer& given) {
            book->finish(name, given);
        });
    } catch (const std::exception& e) {
        ha::order_answer failed;
        failed.sentence = e.what();
        finish(name, failed);
    }
}

void order_book::finish(const std::string& name, const ha::order_answer& given) {
    const auto all = waiting_.extract(name);
    if (all.empty()) return;
    for (const auto& one : all.mapped())
        one(given);
}

const std::string& api_call::place(std::string_view name) const {
    const auto found = places.find(name);
    if (found == places.end()) throw api_error("no " + std::string(name) + " given");
    return found->second;
}

std::string api_call::param(std::string_view name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
}

ha::endpoint api_call::key(std::string_view prefix) const {
    return parse_key(place(std::string(prefix) + "host"), place(std::string(prefix) + "port"));
}

struct place api_call::server(std::string_view prefix) const {
    return the_server(*view, key(prefix));
}

const ha::cluster_state& api_call::cluster() const {
    if (has("cluster")) return the_cluster(*view, place("cluster"));
    return the_cluster(*view, to_string(key()));
}

route_table::route_table(std::vector<route> rows) : rows_(std::move(rows)) {
    for (const route& one : rows_)
        patterns_.emplace_back(one.path);
}

route_table::match route_table::find(const std::vector<std::string>& parts) const {
    match out;
    if (parts.empty()) return out;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        auto places = patterns_[i].match(parts);
        if (!places) continue;
        out.row = &rows_[i];
        out.places = std::move(*places);
        return out;
    }
    return out;
}

std::string route_table::similar(const std::vector<std::string>& parts) const {
    std::string out;
    if (parts.empty()) return out;
    for (std::size_t i = 0; i < rows_.size(); ++i)
        if (std::ranges::find(patterns_[i].words(), parts.front()) != patterns_[i].words().end())
            out += (out.empty() ? "" : ", ") + std::string(rows_[i].path);
    return out;
}

const route_table& api_routes() {
    static const route_table all(
        together({cluster_routes(), history_routes(), order_routes(), note_routes(), node_routes(),
                  v2_routes(), missing_routes()}));
    return all;
}

const route_table& root_routes() {
    static const route_table all(probe_routes());
    return all;
}

std::string routes_markdown() {
    return table_of("Clusters and servers", cluster_routes()) +
           table_of("History", history_routes()) + table_of("Orders", order_routes()) +
           table_of("What operators say", note_routes()) + table_of("This Howdah", node_routes()) +
           table_of("Outside of /api", probe_routes()) + table_of("Version 2", v2_routes()) +
           table_of("Not there, and why", missing_routes());
}

}  // namespace howdah::admin::orchestrator
