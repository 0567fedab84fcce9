#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace howdah::protocol {

/// Bounds-checked cursor over one message body in network byte order.
///
/// Failure is sticky: after the first read past the end every getter returns 0 or an empty view and
/// ok() is false, so a caller reads all fields and checks once. Views returned point into the bytes
/// given to the constructor, which the caller keeps alive. Never throws, never allocates.
class reader {
public:
    explicit reader(std::string_view bytes) noexcept : left_(bytes) {}

    [[nodiscard]] std::uint8_t u8() noexcept {
        return left_.empty() ? fail() : static_cast<std::uint8_t>(take(1)[0]);
    }
    [[nodiscard]] std::int16_t i16() noexcept { return static_cast<std::int16_t>(big_endian(2)); }
    [[nodiscard]] std::uint16_t u16() noexcept { return static_cast<std::uint16_t>(big_endian(2)); }
    [[nodiscard]] std::int32_t i32() noexcept { return static_cast<std::int32_t>(big_endian(4)); }
    [[nodiscard]] std::uint32_t u32() noexcept { return big_endian(4); }

    /// A string up to its terminating NUL, which is consumed and not part of the view.
    [[nodiscard]] std::string_view cstring() noexcept {
        const auto end = left_.find('\0');
        if (end == std::string_view::npos) {
            fail();
            return {};
        }
        const auto text = take(end);
        left_.remove_prefix(1);
        return text;
    }

    /// Exactly `count` bytes, or a failure if fewer are left.
    [[nodiscard]] std::string_view bytes(std::size_t count) noexcept {
        if (count > left_.size()) {
            fail();
            return {};
        }
        return take(count);
    }

    /// Everything that is left; the reader is at its end afterwards.
    [[nodiscard]] std::string_view rest() noexcept { return take(left_.size()); }

    [[nodiscard]] bool ok() const noexcept { return ok_; }
    /// Nothing is left and nothing failed: the message had exactly the fields that were read.
    [[nodiscard]] bool at_end() const noexcept { return ok_ && left_.empty(); }
    [[nodiscard]] std::size_t remaining() const noexcept { return left_.size(); }

private:
    std::uint8_t fail() noexcept {
        ok_ = false;
        left_ = {};
        return 0;
    }
    std::string_view take(std::size_t count) noexcept {
        const auto taken = left_.substr(0, count);
        left_.remove_prefix(count);
        return taken;
    }
    std::uint32_t big_endian(std::size_t width) noexcept {
        std::uint32_t value = 0;
        for (const char byte : bytes(width))
            value = value << 8 | static_cast<std::uint8_t>(byte);
        return value;
    }

    std::string_view left_;
    bool ok_ = true;
};

}  // namespace howdah::protocol
