#include "admin/ha/commands.hpp"

namespace howdah::admin {

std::vector<command> ha_commands(const ha_orders& orders, const ha_view_source& view,
                                 ha::store& kept, std::chrono::milliseconds patience) {
    std::vector<command> out = ha_show_commands(view, kept);
    for (command& one : ha_order_commands(orders, view, kept, patience))
        out.push_back(std::move(one));
    for (command& one : ha_note_commands(orders, view, patience))
        out.push_back(std::move(one));
    return out;
}

}  // namespace howdah::admin
