#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "protocol/wire/md5.hpp"
#include "proxy/sql/statement_cache.hpp"

namespace howdah::proxy {

/// The secret of a client's BackendKeyData: 4 random bytes, or 32 from protocol 3.2 on.
class cancel_key {
public:
    explicit cancel_key(std::uint16_t protocol_minor) : size_(protocol_minor >= 2 ? 32 : 4) {
        for (std::size_t i = 0; i < size_; i += 8) {
            const std::uint64_t random = sql::statement_cache::random_key();
            std::memcpy(bytes_.data() + i, &random, std::min<std::size_t>(8, size_ - i));
        }
    }
    [[nodiscard]] std::string_view view() const { return {bytes_.data(), size_}; }
    /// Takes as long for a wrong key as for the right one.
    [[nodiscard]] bool matches(std::string_view other) const {
        return protocol::constant_time_equal(other, view());
    }

private:
    std::array<char, 32> bytes_{};
    std::uint8_t size_;
};

}  // namespace howdah::proxy
