#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/orchestrator/functions.hpp"
#include "admin/orchestrator/json.hpp"
#include "admin/orchestrator/lookup.hpp"
#include "admin/orchestrator/target.hpp"

namespace howdah::admin::orchestrator {

/// Orders that are being carried out, by name: who asks for the same again gets the answer of the
/// first, and nothing is done twice. Control thread.
class order_book : public std::enable_shared_from_this<order_book> {
public:
    using answer = api_functions::answer;
    void run(const std::string& name, const std::function<void(answer)>& order, answer done);

private:
    void finish(const std::string& name, const ha::order_answer& given);
    std::map<std::string, std::vector<answer>> waiting_;
};

/// One request on its way, with all that it needs.
struct api_call {
    std::shared_ptr<const api_functions> does;
    std::shared_ptr<order_book> orders;
    std::shared_ptr<const ha::ha_view> view;
    text_map places;  ///< of the route's pattern; "" is the word that it began with
    text_map query;
    std::string by;  ///< who asks
    http_responder respond;

    [[nodiscard]] const std::string& place(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return places.contains(name); }
    /// "" if it is not there.
    [[nodiscard]] std::string param(std::string_view name) const;
    /// Two places as a server's address: host, port or dhost, dport. Throws api_error.
    [[nodiscard]] ha::endpoint key(std::string_view prefix = "") const;
    /// That server, or api_error.
    [[nodiscard]] struct place server(std::string_view prefix = "") const;
    /// By the places cluster, or host and port. Throws api_error.
    [[nodiscard]] const ha::cluster_state& cluster() const;
};
using call_ptr = std::shared_ptr<const api_call>;

/// Runs on a thread that may block. Throws api_error.
using reader = http_answer (*)(const api_call&);
/// Runs on the control thread and answers through `respond` at some time. May throw api_error.
using changer = void (*)(const call_ptr&);

/// One row of the table.
struct route {
    std::string_view path;  ///< below /api, with places: "instance/:host/:port"
    std::string_view doc;   ///< what it does; where it is missing, why
    reader read = nullptr;
    changer change = nullptr;  ///< it changes state: needs a login or trust

    [[nodiscard]] bool changes() const { return change != nullptr; }
    [[nodiscard]] bool missing() const { return !read && !change; }
};

/// Families of rows.
[[nodiscard]] std::vector<route> cluster_routes();  ///< clusters and servers as they are
[[nodiscard]] std::vector<route> history_routes();  ///< what was
[[nodiscard]] std::vector<route> order_routes();    ///< recoveries, rewiring
[[nodiscard]] std::vector<route> note_routes();     ///< downtime, tags, rules, switches
[[nodiscard]] std::vector<route> node_routes();     ///< this Howdah
[[nodiscard]] std::vector<route> probe_routes();    ///< for load balancers, outside of /api
[[nodiscard]] std::vector<route> v2_routes();       ///< API v2
[[nodiscard]] std::vector<route> missing_routes();  ///< what PostgreSQL or Howdah has not

/// A table with its rows' patterns.
class route_table {
public:
    explicit route_table(std::vector<route> rows);
    struct match {
        const route* row = nullptr;
        text_map places;
    };
    [[nodiscard]] match find(const std::vector<std::string>& parts) const;
    /// For people: the paths that begin with the same word; "" if there is none.
    [[nodiscard]] std::string similar(const std::vector<std::string>& parts) const;
    [[nodiscard]] const std::vector<route>& rows() const { return rows_; }

private:
    std::vector<route> rows_;
    std::vector<path_pattern> patterns_;
};
/// Everything below /api, and outside of it (/health/...).
[[nodiscard]] const route_table& api_routes();
[[nodiscard]] const route_table& root_routes();

/// The reference page's tables, in Markdown.
[[nodiscard]] std::string routes_markdown();

/// A row that changes something.
[[nodiscard]] inline route changing(std::string_view path, std::string_view doc, changer how) {
    route out;
    out.path = path;
    out.doc = doc;
    out.change = how;
    return out;
}

/// A function for later, whose api_error becomes the call's answer.
template <class F>
auto guarded(call_ptr call, F f) {
    return [call = std::move(call), f = std::move(f)](auto&&... args) mutable {
        try {
            f(std::forward<decltype(args)>(args)...);
        } catch (const api_error& e) {
            call->respond(error_answer(e.what(), e.status()));
        } catch (const std::exception& e) {
            call->respond(error_answer(e.what(), 500));
        }
    };
}

}  // namespace howdah::admin::orchestrator
