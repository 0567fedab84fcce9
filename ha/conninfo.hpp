#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "monitor/hostgroups.hpp"

namespace howdah::ha {

using monitor::endpoint;

/// A connection string as in `primary_conninfo`: libpq's keywords and values, or a URI.
class conninfo {
public:
    /// Nothing, and the reason in `error` where given, if libpq would not take the string. Keywords
    /// that only a newer libpq knows are kept.
    [[nodiscard]] static std::optional<conninfo> parse(std::string_view text,
                                                       std::string* error = nullptr);

    /// "" if it is not there.
    [[nodiscard]] const std::string& get(std::string_view keyword) const;
    /// Adds or replaces; an empty value removes.
    void set(std::string_view keyword, std::string value);

    /// Where it leads, in the order in which libpq tries them: `host`, or `hostaddr` where there is
    /// none, each with its port (5432 by default).
    [[nodiscard]] std::vector<endpoint> endpoints() const;

    /// The same with one host. Everything else stays (user, passfile, TLS, application_name, ...),
    /// but `hostaddr`, which belonged to the old host, and, unless the new one is a primary,
    /// `target_session_attrs`.
    [[nodiscard]] conninfo pointing_at(const endpoint& to, bool to_primary = true) const;

    /// Keywords and values, quoted where needed. `with_secrets` false: passwords as "****".
    [[nodiscard]] std::string text(bool with_secrets = true) const;

    bool operator==(const conninfo&) const = default;

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace howdah::ha
