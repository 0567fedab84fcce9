#include "admin/orchestrator/topology_text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "admin/orchestrator/server_state.hpp"

namespace howdah::admin::orchestrator {
namespace {

/// Columns: name, lag, status, version, ro or rw, binlog format (none), extras.
using row = std::array<std::string, 7>;

std::string lag_text(const server_state& state) {
    if (!state.valid || !state.recent) return "unknown";
    return state.lag_seconds ? std::to_string(*state.lag_seconds) + "s" : "null";
}

class drawing {
public:
    drawing(const ha::ha_view& view, const ha::cluster_state& one)
        : view_(view), one_(one), drawn_(one.subject.servers.size()) {
        std::vector<std::size_t> all(drawn_.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = i;
        sort(all);
        if (const auto primary = primary_of(one)) add(*primary, 0);
        for (const std::size_t i : all)
            if (!one.subject.servers[i].upstream) add(i, one.subject.servers[i].depth);
        // A circle of standbys hangs below nobody.
        for (const std::size_t i : all)
            add(i, 1);
    }

    std::vector<row> rows;
    std::vector<place> places;

private:
    void sort(std::vector<std::size_t>& which) const {
        std::ranges::sort(which, {}, [&](std::size_t i) { return one_.subject.servers[i].at(); });
    }

    void add(std::size_t i, std::size_t depth) {
        if (drawn_[i]) return;
        drawn_[i] = true;
        const place here{&one_, i};
        const auto state = state_of(view_, here);
        std::string name;
        if (depth > 0) {
            const bool well = state.replicates() && state.valid && state.recent;
            name = std::string(2 * (depth - 1), ' ') + (well ? "+ " : "- ");
        }
        std::string extras = ">>";
        if (state.downtime) extras += ",downtimed";
        rows.push_back({name + to_string(here.at()), lag_text(state), std::string(state.status()),
                        state.version, state.read_only ? "ro" : "rw", "", extras});
        places.push_back(here);
        auto below = here.server().downstream;
        sort(below);
        for (const std::size_t next : below)
            add(next, depth + 1);
    }

    const ha::ha_view& view_;
    const ha::cluster_state& one_;
    std::vector<bool> drawn_;
};

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width - std::min(width, text.size()), ' ');
}

std::string tag_list(const ha::ha_view& view, const place& which) {
    std::string out;
    for (const auto& [name, value] : tags_of(view, which))
        out += (out.empty() ? "" : ",") + name + (value.empty() ? "" : "=" + value);
    return " [" + out + "]";
}

}  // namespace

std::string topology_text(const ha::ha_view& view, const ha::cluster_state& one,
                          topology_style style) {
    const drawing all(view, one);
    constexpr std::size_t columns = std::tuple_size_v<row>;
    std::array<std::size_t, std::tuple_size_v<row>> width{};
    for (const auto& line : all.rows)
        for (std::size_t i = 0; i < columns; ++i)
            width[i] = std::max(width[i], line[i].size());
    std::string out;
    for (std::size_t n = 0; n < all.rows.size(); ++n) {
        const auto& line = all.rows[n];
        if (n > 0) out += '\n';
        if (style == topology_style::tabulated) {
            for (std::size_t i = 0; i < columns; ++i)
                out += (i > 0 ? "|" : "") + padded(line[i], width[i]);
            continue;
        }
        std::string facts;
        for (std::size_t i = 1; i < columns; ++i)
            if (!line[i].empty()) facts += (facts.empty() ? "" : ",") + line[i];
        out += padded(line[0], width[0]) + " [" + facts + "]";
        if (style == topology_style::with_tags) out += tag_list(view, all.places[n]);
    }
    return out;
}

}  // namespace howdah::admin::orchestrator
