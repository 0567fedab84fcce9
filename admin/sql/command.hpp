#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/sql_error.hpp"
#include "admin/sql/text.hpp"
#include "admin/sql/value.hpp"

namespace howdah::admin {

class database;

/// Who is allowed what: administrators everything, the others to look at statistics.
enum class role : std::uint8_t { admin, stats };

/// One call of a command.
struct command_call {
    /// What stands for the names in the syntax: "module" -> "QUERY RULES". Words of the syntax are
    /// in capitals, what the client wrote is as written, without quotes.
    std::map<std::string, std::string, std::less<>> arguments;
    database& db;  ///< the client's connection
    role who = role::stats;
    std::string user;

    /// Empty where it was not given.
    [[nodiscard]] std::string_view operator[](std::string_view name) const {
        const auto it = arguments.find(name);
        return it == arguments.end() ? std::string_view() : std::string_view(it->second);
    }
    [[nodiscard]] bool has(std::string_view name) const {
        return arguments.find(name) != arguments.end();
    }
};

/// What a command answers.
struct command_result {
    std::string tag;              ///< of CommandComplete
    std::vector<column> columns;  ///< empty: no rows
    std::vector<row> rows;
    std::vector<std::string> notices;
};

/// The answer of a command that has nothing but its tag to say.
[[nodiscard]] inline command_result tagged(std::string_view tag) {
    command_result r;
    r.tag = tag;
    return r;
}

/// One row of the table of commands.
struct command {
    /// Words in capitals are written so (in any case); `<name>` is one value, which may be several
    /// tokens where no blank is between them (10.0.0.1:5432); `[x]` may be left out; `{a|b}` is one
    /// of several; with `name:` before either it is an argument; `...` at the end is the rest of
    /// the statement, argument "rest". For example
    /// "LOAD PGSQL module:{SERVERS|USERS} {TO RUNTIME|FROM MEMORY}".
    std::string_view syntax;
    std::string_view doc;  ///< One line, ends with a full stop.
    role needs = role::admin;
    /// On an admin thread; may block.
    std::function<sql_result<command_result>(const command_call&)> run;
    std::string_view group = {};  ///< heading in the documentation
};

/// A syntax made ready to be compared with statements. Pure.
class command_pattern {
public:
    explicit command_pattern(std::string_view syntax);
    ~command_pattern();
    command_pattern(command_pattern&&) noexcept;
    command_pattern& operator=(command_pattern&&) noexcept;

    using arguments = std::map<std::string, std::string, std::less<>>;
    /// `furthest` grows to the number of tokens that fitted.
    [[nodiscard]] std::optional<arguments> match(const std::vector<token>& statement,
                                                 std::string_view text,
                                                 std::size_t& furthest) const;
    /// As users read it: without the names of alternatives.
    [[nodiscard]] static std::string readable(std::string_view syntax);

    struct element;

private:
    std::vector<element> sequence_;
};

/// All commands. Built at the start, then only read.
class command_table {
public:
    void add(command c);
    void add(std::vector<command> several);

    struct found {
        const command* what = nullptr;
        command_pattern::arguments arguments;
    };
    /// Null where the statement does not begin as any command; an error with its position and the
    /// syntax where it begins so and goes on otherwise.
    [[nodiscard]] sql_result<found> find(std::string_view statement) const;
    [[nodiscard]] const std::vector<command>& all() const { return commands_; }

private:
    std::vector<command> commands_;
    std::vector<command_pattern> patterns_;
};

}  // namespace howdah::admin
