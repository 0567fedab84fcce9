#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace howdah::protocol {

/// Writes one message at the end of a buffer; the destructor fills in the length.
///
/// The buffer outlives the writer, and nothing else appends to it meanwhile. Messages are limited
/// to 2^31-1 bytes by the protocol; staying under that is the caller's invariant.
class message_writer {
public:
    /// Starts a message of `type`. Type 0 starts an untyped message (StartupMessage,
    /// SSLRequest...).
    message_writer(std::string& out, char type) : out_(out) {
        if (type != 0) out_.push_back(type);
        start_ = out_.size();
        out_.append(4, '\0');
    }
    message_writer(const message_writer&) = delete;
    message_writer& operator=(const message_writer&) = delete;

    ~message_writer() {
        const std::size_t length = out_.size() - start_ + elsewhere_;
        assert(length <= std::numeric_limits<std::int32_t>::max());
        for (std::size_t i = 0; i < 4; ++i)
            out_[start_ + i] = static_cast<char>(length >> (24 - 8 * i));
    }

    void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
    void i16(std::int16_t value) { big_endian(static_cast<std::uint16_t>(value), 2); }
    void u16(std::uint16_t value) { big_endian(value, 2); }
    void i32(std::int32_t value) { big_endian(static_cast<std::uint32_t>(value), 4); }
    void u32(std::uint32_t value) { big_endian(value, 4); }

    /// Writes text and its NUL. Text is cut at a NUL inside it, so that a value never opens a
    /// second field.
    void cstring(std::string_view text) {
        out_.append(text.substr(0, text.find('\0')));
        out_.push_back('\0');
    }
    void bytes(std::string_view data) { out_.append(data); }

    /// Counts bytes of this message that the caller sends from another buffer right behind this
    /// one.
    void elsewhere(std::size_t count) noexcept { elsewhere_ += count; }

private:
    void big_endian(std::uint32_t value, int width) {
        for (int shift = 8 * (width - 1); shift >= 0; shift -= 8)
            out_.push_back(static_cast<char>(value >> shift));
    }

    std::string& out_;
    std::size_t start_ = 0;
    std::size_t elsewhere_ = 0;
};

}  // namespace howdah::protocol
