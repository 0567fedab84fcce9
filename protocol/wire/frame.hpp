#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace howdah::protocol {

/// Bytes of a typed message's header: the type and the length.
inline constexpr std::size_t frame_header_size = 5;

/// Header of a typed message (PostgreSQL documentation, "Message Formats").
struct frame {
    char type;
    std::uint32_t length;  ///< as sent: counts itself (4 bytes) and the body, not the type byte

    /// False for a length that cannot be (below 4, or negative as the Int32 it is): the stream is
    /// lost and the connection must end. Ask before size() and body_size().
    [[nodiscard]] constexpr bool valid() const noexcept {
        return length >= 4 &&
               length <= static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max());
    }
    /// Bytes of the whole message, type byte included.
    [[nodiscard]] constexpr std::size_t size() const noexcept {
        return static_cast<std::size_t>(length) + 1;
    }
    /// Bytes behind the header. Meaningful only when valid().
    [[nodiscard]] constexpr std::size_t body_size() const noexcept {
        return static_cast<std::size_t>(length) - 4;
    }
};

/// The header at the start of `bytes`, or nothing while fewer than five bytes are there.
[[nodiscard]] constexpr std::optional<frame> peek_frame(std::string_view bytes) noexcept {
    if (bytes.size() < frame_header_size) return std::nullopt;
    const auto byte = [&](std::size_t i) {
        return std::uint32_t{static_cast<unsigned char>(bytes[i])};
    };
    return frame{bytes[0], byte(1) << 24 | byte(2) << 16 | byte(3) << 8 | byte(4)};
}

}  // namespace howdah::protocol
