#pragma once

#include <cstddef>
#include <string_view>

namespace howdah::protocol {

/// Knows where messages begin and end in a stream of typed messages that passes by in pieces of
/// any size, without keeping a byte of it.
class frame_walker {
public:
    /// The next bytes of the stream.
    void feed(std::string_view bytes) noexcept;

    /// The next byte begins a message. Never again after lost().
    [[nodiscard]] bool at_boundary() const noexcept { return have_ == 0 && left_ == 0 && !lost_; }
    /// A message had a length that cannot be.
    [[nodiscard]] bool lost() const noexcept { return lost_; }
    /// Type of the latest message whose header was complete; NUL before the first.
    [[nodiscard]] char last_type() const noexcept { return last_type_; }

private:
    char header_[5] = {};
    unsigned char have_ = 0;  // bytes of header_
    char last_type_ = 0;
    bool lost_ = false;
    std::size_t left_ = 0;  // of the body
};

}  // namespace howdah::protocol
