#include "proxy/sql/command_kind.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

namespace howdah::proxy::sql {
namespace {

/// Words in the text, and the name; where several begin a text the longest counts.
struct spelling {
    std::string_view words;
    std::string_view name;
};

constexpr spelling plain[] = {
    {"select", "SELECT"},
    {"values", "SELECT"},
    {"table", "SELECT"},
    {"insert", "INSERT"},
    {"update", "UPDATE"},
    {"delete", "DELETE"},
    {"merge", "MERGE"},
    {"begin", "BEGIN"},
    {"start transaction", "BEGIN"},
    {"commit", "COMMIT"},
    {"end", "COMMIT"},
    {"commit prepared", "COMMIT_PREPARED"},
    {"rollback", "ROLLBACK"},
    {"abort", "ROLLBACK"},
    {"rollback prepared", "ROLLBACK_PREPARED"},
    {"rollback to", "ROLLBACK_TO_SAVEPOINT"},
    {"rollback work to", "ROLLBACK_TO_SAVEPOINT"},
    {"rollback transaction to", "ROLLBACK_TO_SAVEPOINT"},
    {"savepoint", "SAVEPOINT"},
    {"release", "RELEASE_SAVEPOINT"},
    {"prepare transaction", "PREPARE_TRANSACTION"},
    {"set", "SET"},
    {"reset", "RESET"},
    {"show", "SHOW"},
    {"explain", "EXPLAIN"},
    {"analyze", "ANALYZE"},
    {"analyse", "ANALYZE"},
    {"vacuum", "VACUUM"},
    {"reindex", "REINDEX"},
    {"cluster", "CLUSTER"},
    {"checkpoint", "CHECKPOINT"},
    {"copy", "COPY"},
    {"call", "CALL"},
    {"do", "DO"},
    {"prepare", "PREPARE"},
    {"execute", "EXECUTE"},
    {"deallocate", "DEALLOCATE"},
    {"discard", "DISCARD"},
    {"declare", "DECLARE_CURSOR"},
    {"fetch", "FETCH"},
    {"move", "MOVE"},
    {"close", "CLOSE_CURSOR"},
    {"listen", "LISTEN"},
    {"notify", "NOTIFY"},
    {"unlisten", "UNLISTEN"},
    {"load", "LOAD"},
    {"lock", "LOCK"},
    {"grant", "GRANT"},
    {"revoke", "REVOKE"},
    {"comment", "COMMENT"},
    {"security label", "SECURITY_LABEL"},
    {"import foreign schema", "IMPORT_FOREIGN_SCHEMA"},
    {"refresh materialized view", "REFRESH_MATERIALIZED_VIEW"},
    {"reassign owned", "REASSIGN_OWNED"},
    {"truncate", "TRUNCATE"},
};

constexpr std::string_view objects[] = {
    "access method",
    "aggregate",
    "cast",
    "collation",
    "conversion",
    "database",
    "default privileges",
    "domain",
    "event trigger",
    "extension",
    "foreign data wrapper",
    "foreign table",
    "function",
    "group",
    "index",
    "language",
    "large object",
    "materialized view",
    "operator",
    "operator class",
    "operator family",
    "owned",
    "policy",
    "procedure",
    "publication",
    "role",
    "routine",
    "rule",
    "schema",
    "sequence",
    "server",
    "statistics",
    "subscription",
    "system",
    "table",
    "tablespace",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "transform",
    "trigger",
    "type",
    "user",
    "user mapping",
    "view",
};

/// Between the verb and the object.
constexpr std::string_view modifiers[] = {
    "or",     "replace",   "temp",    "temporary", "unlogged",   "global",     "local",
    "unique", "recursive", "default", "trusted",   "procedural", "constraint",
};

std::string upper(std::string_view words) {
    std::string out;
    for (const char c : words)
        out += c == ' ' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
}

struct registry {
    std::vector<std::string> names;
    std::map<std::string, command_kind, std::less<>> by_words;
    command_kind unknown = 0;

    registry() {
        for (const spelling& s : plain)
            by_words[std::string(s.words)] = number(std::string(s.name));
        for (const std::string_view verb : {"create", "alter", "drop"})
            for (const std::string_view object : objects) {
                std::string words(verb);
                words.append(" ").append(object);
                by_words[words] = number(upper(words));
            }
        unknown = number("UNKNOWN");
    }
    command_kind number(const std::string& name) {
        const auto at = std::find(names.begin(), names.end(), name) - names.begin();
        if (static_cast<std::size_t>(at) == names.size()) names.push_back(name);
        return static_cast<command_kind>(at);
    }
};

const registry& all() {
    static const registry made;
    return made;
}

/// At most this many words count.
constexpr std::size_t most_words = 4;

bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || c == '_';
}

/// The first words, without those between a verb and its object.
std::vector<std::string_view> first_words(std::string_view text) {
    std::vector<std::string_view> out;
    std::size_t at = text.find_first_not_of(" (;");
    while (at < text.size() && out.size() < most_words) {
        std::size_t end = at;
        while (end < text.size() && is_word(text[end]))
            ++end;
        if (end == at) break;
        const std::string_view word = text.substr(at, end - at);
        const bool between =
            out.size() == 1 && std::ranges::find(modifiers, word) != std::ranges::end(modifiers);
        // ALTER DEFAULT PRIVILEGES is not about a default object.
        const bool counts = !between || (word == "default" && out.front() == "alter");
        if (counts) out.push_back(word);
        at = text.find_first_not_of(' ', end);
    }
    return out;
}

std::string_view behind_with(verb first) {
    switch (first) {
        case verb::insert:
            return "insert";
        case verb::update:
            return "update";
        case verb::delete_:
            return "delete";
        case verb::merge:
            return "merge";
        default:
            return "select";
    }
}

}  // namespace

std::span<const std::string> command_names() {
    return all().names;
}

command_kind command_of(std::string_view text, verb first) {
    const registry& known = all();
    const std::vector<std::string_view> words = first_words(text);
    for (std::size_t n = words.size(); n > 0; --n) {
        std::string joined;
        for (std::size_t i = 0; i < n; ++i)
            joined.append(i == 0 ? "" : " ")
                .append(i == 0 && words[0] == "with" ? behind_with(first) : words[i]);
        const auto found = known.by_words.find(joined);
        if (found != known.by_words.end()) return found->second;
    }
    return known.unknown;
}

}  // namespace howdah::proxy::sql
