#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace howdah::ha {

/// How much Howdah does by itself.
enum class mode : std::uint8_t {
    observe,   ///< only watches and reports; also refuses orders
    manual,    ///< acts on an operator's order
    automatic  ///< fails over by itself where a cluster filter matches
};

inline constexpr std::array<std::string_view, 3> mode_names{"observe", "manual", "automatic"};

[[nodiscard]] constexpr std::string_view to_string(mode value) noexcept {
    return mode_names[static_cast<std::size_t>(value)];
}
[[nodiscard]] constexpr std::optional<mode> parse_mode(std::string_view text) noexcept {
    for (std::size_t i = 0; i < mode_names.size(); ++i)
        if (mode_names[i] == text) return static_cast<mode>(i);
    return std::nullopt;
}

}  // namespace howdah::ha
