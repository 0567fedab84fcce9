#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "conf/value.hpp"

namespace howdah::conf {

/// One named member of a record (the variables, a server, a user, ...): how it is called, what it
/// may hold, and how it is read and written as text. The loader, the printer and the
/// documentation walk tables of these.
template <class Record>
struct field {
    std::string_view name;
    std::string_view doc;  ///< One line, ends with a full stop.
    value_kind kind = value_kind::text;
    limits range;                           ///< Numbers only.
    std::vector<std::string_view> choices;  ///< Enumerations only.
    bool optional = false;                  ///< May be unset.
    bool required = false;                  ///< Must be given.
    bool secret = false;                    ///< Never printed; may be read from a file.
    bool is_file = false;                   ///< Names a file that must be readable.

    /// Canonical text; nothing if the member is optional and unset.
    std::function<std::optional<std::string>(const Record&)> get;
    /// Leaves the record alone when it returns an error.
    std::function<value_error(Record&, std::string_view)> set;
};

template <class T>
struct without_optional {
    using type = T;
};
template <class T>
struct without_optional<std::optional<T>> {
    using type = T;
};

template <class Record, class Member>
field<Record> make_field(std::string_view name, Member Record::*member, std::string_view doc,
                         limits range = {}) {
    using value = typename without_optional<Member>::type;
    constexpr bool is_optional = !std::is_same_v<value, Member>;
    field<Record> result;
    result.name = name;
    result.doc = doc;
    result.kind = kind_of<value>;
    result.range = range;
    result.optional = is_optional;
    if constexpr (std::is_enum_v<value>) result.choices = choices_of<value>();
    result.get = [member](const Record& record) -> std::optional<std::string> {
        if constexpr (is_optional) {
            if (!(record.*member)) return std::nullopt;
            return format_value(*(record.*member));
        } else {
            return format_value(record.*member);
        }
    };
    result.set = [member, range](Record& record, std::string_view text) -> value_error {
        value parsed{};
        auto error = parse_value(text, range, parsed);
        if (!error) record.*member = std::move(parsed);
        return error;
    };
    return result;
}

}  // namespace howdah::conf
