#pragma once
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "proxy/sql/traits.hpp"

namespace howdah::proxy {

/// Configuration parameters that differ from what the server gives a fresh login, as the statement
/// that sets each. Immutable and interned: equal settings are the same object, so comparing a
/// client's with a server connection's is comparing pointers.
class session_settings {
public:
    /// Name in lower case and the statement that sets it, sorted by name.
    using list = std::vector<std::pair<std::string, std::string>>;

    explicit session_settings(list entries);

    [[nodiscard]] const list& entries() const { return entries_; }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    /// The statement that sets a parameter, or nothing.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    /// Those under which a statement's text may mean something else, as one key without NUL.
    [[nodiscard]] const std::string& reading() const { return reading_; }

private:
    list entries_;
    std::string reading_;
};
using settings_ptr = std::shared_ptr<const session_settings>;

/// Whether a statement's text can mean something else under another value of this parameter (its
/// encoding, its literals, the objects it names). Unknown parameters may; custom ones do not.
[[nodiscard]] bool changes_reading(std::string_view name);

/// Process-wide interning; thread-safe, used only when settings change.
class settings_registry {
public:
    settings_registry();
    [[nodiscard]] settings_ptr intern(session_settings::list entries);
    [[nodiscard]] const settings_ptr& none() const { return none_; }

private:
    std::mutex mutex_;
    std::unordered_map<std::string, std::weak_ptr<const session_settings>> known_;
    std::size_t purge_at_ = 1024;
    settings_ptr none_;
};

/// A parameter given as raw text (startup packet, options), as a statement. set_config takes the
/// text as it is, where SET would quote a list into one element.
[[nodiscard]] std::string raw_setting_statement(std::string_view name, std::string_view value);

/// What the changes of a successful statement or transaction make of `current`. SET LOCAL changes
/// nothing that lasts. RESET goes back to `initial`, the client's startup settings.
[[nodiscard]] session_settings::list apply_changes(const session_settings& current,
                                                   const session_settings& initial,
                                                   std::span<const sql::setting_change> changes);

/// One Query text that turns a connection with `from` into one with `to`.
[[nodiscard]] std::string replay_statements(const session_settings& from,
                                            const session_settings& to);

/// The value that a statement gives to a parameter of one value, in lower case.
[[nodiscard]] std::string setting_value(std::string_view statement);

/// Whether a statement that sets a boolean parameter switches it on, in any of the spellings that
/// PostgreSQL takes. False for what it would not take either.
[[nodiscard]] bool sets_to_true(std::string_view statement);

/// Whether a statement sets client_encoding to one in which a byte below 0x80 may be part of a
/// longer character.
[[nodiscard]] bool sets_to_ascii_unsafe_encoding(std::string_view statement);

/// Quotes text as a string literal, whatever standard_conforming_strings is.
[[nodiscard]] std::string quote_literal(std::string_view text);

}  // namespace howdah::proxy
