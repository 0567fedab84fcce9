#include "ha/tree_order.hpp"

namespace howdah::ha {
namespace {

void add(const cluster& subject, tree_place here, std::vector<bool>& seen,
         std::vector<tree_place>& out) {
    if (seen[here.server]) return;
    seen[here.server] = true;
    out.push_back(here);
    for (const auto below : subject.servers[here.server].downstream)
        add(subject, {below, here.depth + 1}, seen, out);
}

}  // namespace

std::vector<tree_place> tree_order(const cluster& subject) {
    std::vector<tree_place> out;
    std::vector<bool> seen(subject.servers.size());
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (!subject.servers[i].upstream) add(subject, {i, 0}, seen, out);
    for (std::size_t i = 0; i < seen.size(); ++i)
        add(subject, {i, 0}, seen, out);
    return out;
}

}  // namespace howdah::ha
