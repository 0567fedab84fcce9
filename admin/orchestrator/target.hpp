#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::admin::orchestrator {

using text_map = std::map<std::string, std::string, std::less<>>;

/// Decodes %XX (and '+' as a blank where asked) and drops whitespace at the end:
/// orchestrator-client ends every value that it encodes with a line feed. Nothing where the
/// encoding is broken or hides a NUL.
[[nodiscard]] std::optional<std::string> decode(std::string_view encoded, bool plus_is_blank);

/// The parts between slashes, split before they are decoded, so that a value may have slashes.
/// Slashes at the start and at the end do not count.
[[nodiscard]] std::optional<std::vector<std::string>> split_path(std::string_view path);

/// "a=1&b=2"; the last one of a name counts.
[[nodiscard]] std::optional<text_map> split_query(std::string_view query);

/// A path with places: "begin-downtime/:host/:port/:owner/:reason". The first part may be one of
/// several words: "relocate|move-below/:host/:port".
class path_pattern {
public:
    explicit path_pattern(std::string_view text);
    /// The values of the places, and the word itself under "" where it matches.
    [[nodiscard]] std::optional<text_map> match(const std::vector<std::string>& parts) const;
    /// Every word that the first part may be.
    [[nodiscard]] const std::vector<std::string>& words() const { return words_; }

private:
    std::vector<std::string> words_;
    std::vector<std::string> rest_;
};

/// "10s", "5m", "2h", "1d", "1w" in seconds, as Orchestrator has them; a number alone is seconds.
/// Nothing where it is none of these or more than ten years.
[[nodiscard]] std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace howdah::admin::orchestrator
