#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::proxy {

/// The messages of a successful result, as a server has sent them, without ReadyForQuery.
struct cached_result {
    std::string messages;
    std::uint64_t rows = 0;
};

/// Which messages a result consists of.
enum class result_shape : std::uint8_t {
    simple,    ///< RowDescription, rows, CommandComplete
    extended,  ///< BindComplete, rows, CommandComplete
    described  ///< the same with a RowDescription of the portal behind BindComplete
};

/// Collects what a server sends for one statement, until it is too large.
class result_recording {
public:
    explicit result_recording(std::size_t most) : most_(most) {}

    void add(std::string_view bytes) {
        if (too_large_) return;
        too_large_ = bytes_.size() + bytes.size() > most_;
        if (too_large_) {
            std::string().swap(bytes_);
        } else {
            bytes_ += bytes;
        }
    }
    /// Everything came, and in it nothing but a whole, successful result of this shape (a
    /// ParseComplete before it is left out): no error, notice, warning or suspended portal.
    [[nodiscard]] std::optional<cached_result> finish(result_shape shape) &&;

private:
    std::size_t most_;
    std::string bytes_;
    bool too_large_ = false;
};

}  // namespace howdah::proxy
