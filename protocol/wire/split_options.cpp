#include "protocol/wire/startup.hpp"

#include <algorithm>

#include "protocol/wire/sqlstate.hpp"

namespace howdah::protocol {
namespace {

constexpr bool is_space(char c) noexcept {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    bool in_word = false;
    bool escaped = false;
    for (const char c : text) {
        if (!escaped && is_space(c)) {
            in_word = false;
            continue;
        }
        if (!in_word) words.emplace_back();
        in_word = true;
        const bool starts_escape = !escaped && c == '\\';
        if (!starts_escape) words.back().push_back(c);
        escaped = starts_escape;
    }
    return words;
}

startup_error syntax_error(std::string message) {
    return {sqlstate::syntax_error, std::move(message)};
}

startup_error invalid_argument(std::string_view word) {
    return syntax_error("invalid command-line argument for server process: " + std::string(word));
}

}  // namespace

boost::system::result<option_list, startup_error> split_options(std::string_view options) {
    option_list settings;
    const auto words = split_words(options);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string_view word = words[i];
        std::string_view switch_text = "--";
        std::string_view assignment;
        if (word.starts_with("--") && word.size() > 2) {
            assignment = word.substr(2);
        } else if (word.starts_with("-c")) {
            switch_text = "-c ";
            if (word.size() > 2)
                assignment = word.substr(2);
            else if (++i < words.size())
                assignment = words[i];
            else
                return invalid_argument(word);
        } else {
            return invalid_argument(word);
        }
        const auto equals = assignment.find('=');
        if (equals == std::string_view::npos)
            return syntax_error(std::string(switch_text).append(assignment) + " requires a value");
        if (equals == 0)
            return startup_error{sqlstate::undefined_object,
                                 "unrecognized configuration parameter \"\""};
        std::string name(assignment.substr(0, equals));
        std::replace(name.begin(), name.end(), '-', '_');
        settings.emplace_back(std::move(name), std::string(assignment.substr(equals + 1)));
    }
    return settings;
}

}  // namespace howdah::protocol
