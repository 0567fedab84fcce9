#pragma once

#include <string>
#include <string_view>
#include <vector>

struct ProtobufCMessage;
struct PgQuery__ParseResult;
struct PgQuery__Node;

namespace howdah::proxy::sql {

/// The syntax tree of a text by PostgreSQL's own parser; owns all nodes. Thread-safe in the sense
/// of classify().
class parse_tree {
public:
    /// Must hold no NUL and be within parse_limits.
    explicit parse_tree(const std::string& sql);
    ~parse_tree();
    parse_tree(const parse_tree&) = delete;
    parse_tree& operator=(const parse_tree&) = delete;

    /// nullptr: not valid SQL.
    [[nodiscard]] const PgQuery__ParseResult* get() const noexcept { return root_; }

private:
    PgQuery__ParseResult* root_ = nullptr;
};

/// The message in a node's oneof, or nullptr.
[[nodiscard]] const ProtobufCMessage* content(const PgQuery__Node* node) noexcept;

/// Appends the messages directly below `message` to `out`; a node counts as its content.
void append_children(const ProtobufCMessage& message, std::vector<const ProtobufCMessage*>& out);

}  // namespace howdah::proxy::sql
