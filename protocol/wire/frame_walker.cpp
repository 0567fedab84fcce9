#include "protocol/wire/frame_walker.hpp"

#include <algorithm>

#include "protocol/wire/frame.hpp"

namespace howdah::protocol {

static_assert(frame_header_size == 5);

void frame_walker::feed(std::string_view bytes) noexcept {
    while (!bytes.empty() && !lost_) {
        if (left_ > 0) {
            const std::size_t n = std::min(left_, bytes.size());
            left_ -= n;
            bytes.remove_prefix(n);
            continue;
        }
        header_[have_++] = bytes.front();
        bytes.remove_prefix(1);
        if (have_ < frame_header_size) continue;
        have_ = 0;
        const frame f = *peek_frame({header_, frame_header_size});
        last_type_ = f.type;
        lost_ = !f.valid();
        if (!lost_) left_ = f.body_size();
    }
}

}  // namespace howdah::protocol
