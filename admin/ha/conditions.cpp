#include "admin/ha/conditions.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace howdah::admin {
namespace {

constexpr const char* nothing = "0";

void add(conditions& out, const std::string& sql, std::initializer_list<value> values = {}) {
    out.sql += (out.sql.empty() ? " WHERE " : " AND ") + sql;
    out.parameters.insert(out.parameters.end(), values);
}

std::string is(const std::string& column) {
    return "(" + column + "_host = ? AND " + column + "_port = ?)";
}

conditions common(const ha::history_filter& which, const std::string& time) {
    conditions out;
    if (which.id) add(out, "id = ?", {*which.id});
    if (!which.cluster.empty()) add(out, "cluster = ?", {which.cluster});
    if (which.since != 0) add(out, time + " >= ?", {which.since});
    return out;
}

conditions of_events(const ha::history_filter& which) {
    conditions out = common(which, "at");
    if (which.server)
        add(out, is("server"), {which.server->host, std::int64_t{which.server->port}});
    if (!which.uid.empty() || which.only_unacknowledged || which.only_active) add(out, nothing);
    return out;
}

conditions ordered(conditions out, const ha::history_filter& which) {
    const auto number = [](std::size_t n) {
        constexpr auto most = std::numeric_limits<std::int64_t>::max();
        return static_cast<std::int64_t>(std::min(n, static_cast<std::size_t>(most)));
    };
    out.sql += " ORDER BY id DESC LIMIT ? OFFSET ?";
    // SQLite: a negative limit is none.
    out.parameters.emplace_back(which.limit == 0 ? std::int64_t{-1} : number(which.limit));
    out.parameters.emplace_back(number(which.offset));
    return out;
}

}  // namespace

conditions of_recoveries(const ha::history_filter& which) {
    conditions out = common(which, "started_at");
    if (!which.uid.empty()) add(out, "uid = ?", {which.uid});
    if (!which.alias.empty()) add(out, "alias = ?", {which.alias});
    if (which.server) {
        const value host = which.server->host, port = std::int64_t{which.server->port};
        add(out, "(" + is("failed") + " OR " + is("successor") + ")", {host, port, host, port});
    }
    if (which.only_unacknowledged) add(out, "acknowledged = 0");
    if (which.only_active) add(out, "ended_at = 0");
    return ordered(std::move(out), which);
}

conditions of_detections(const ha::history_filter& which) {
    conditions out = of_events(which);
    if (!which.alias.empty()) add(out, "alias = ?", {which.alias});
    return ordered(std::move(out), which);
}

conditions of_audit(const ha::history_filter& which) {
    conditions out = of_events(which);
    if (!which.alias.empty()) add(out, nothing);
    return ordered(std::move(out), which);
}

}  // namespace howdah::admin
