#include "proxy/cache/cached_result.hpp"

#include <utility>

#include "protocol/wire/frame.hpp"

namespace howdah::proxy {

std::optional<cached_result> result_recording::finish(result_shape shape) && {
    if (too_large_) return std::nullopt;
    cached_result result;
    // In this order; rows stand before the last one.
    std::string_view wanted = shape == result_shape::simple     ? "TC"
                              : shape == result_shape::extended ? "2C"
                                                                : "2TC";
    std::string_view rest = bytes_;
    std::size_t left_out = 0;
    bool first = true;
    while (!rest.empty()) {
        const auto f = protocol::peek_frame(rest);
        if (!f || !f->valid() || rest.size() < f->size() || wanted.empty()) return std::nullopt;
        rest.remove_prefix(f->size());
        if (f->type == '1' && std::exchange(first, false) && shape != result_shape::simple) {
            left_out = f->size();
        } else if (f->type == 'D' && wanted == "C") {
            ++result.rows;
        } else if (f->type == wanted.front()) {
            wanted.remove_prefix(1);
        } else {
            return std::nullopt;
        }
        first = false;
    }
    if (!wanted.empty()) return std::nullopt;
    result.messages = std::move(bytes_).substr(left_out);
    return result;
}

}  // namespace howdah::proxy
