#include "proxy/sql/parse_tree.hpp"

#include <pg_query.h>
#include <pg_query/pg_query.pb-c.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>

namespace howdah::proxy::sql {
namespace {

// The parser initialises itself per thread, but writes a process-wide variable while doing so.
void prepare_thread() {
    static std::mutex one_at_a_time;
    thread_local bool ready = false;
    if (ready) return;
    const std::scoped_lock lock{one_at_a_time};
    pg_query_init();
    ready = true;
}

template <class T>
T read_field(const ProtobufCMessage& message, unsigned offset) {
    T value;
    std::memcpy(&value, reinterpret_cast<const char*>(&message) + offset, sizeof value);
    return value;
}

void append(const ProtobufCMessage* child, std::vector<const ProtobufCMessage*>& out) {
    if (child != nullptr && child->descriptor == &pg_query__node__descriptor) {
        child = content(reinterpret_cast<const PgQuery__Node*>(child));
    }
    if (child != nullptr) out.push_back(child);
}

}  // namespace

parse_tree::parse_tree(const std::string& sql) {
    prepare_thread();
    const PgQueryProtobufParseResult result = pg_query_parse_protobuf(sql.c_str());
    if (result.error == nullptr) {
        root_ = pg_query__parse_result__unpack(
            nullptr, result.parse_tree.len,
            reinterpret_cast<const uint8_t*>(result.parse_tree.data));
    }
    pg_query_free_protobuf_parse_result(result);
}

parse_tree::~parse_tree() {
    if (root_ != nullptr) pg_query__parse_result__free_unpacked(root_, nullptr);
}

const ProtobufCMessage* content(const PgQuery__Node* node) noexcept {
    if (node == nullptr || node->node_case == PG_QUERY__NODE__NODE__NOT_SET) return nullptr;
    // All members of the union are pointers to messages.
    return &node->alias->base;
}

void append_children(const ProtobufCMessage& message, std::vector<const ProtobufCMessage*>& out) {
    const ProtobufCMessageDescriptor& type = *message.descriptor;
    for (unsigned i = 0; i < type.n_fields; ++i) {
        const ProtobufCFieldDescriptor& field = type.fields[i];
        if (field.type != PROTOBUF_C_TYPE_MESSAGE) continue;
        if (field.label == PROTOBUF_C_LABEL_REPEATED) {
            const auto count = read_field<std::size_t>(message, field.quantifier_offset);
            auto* const* items = read_field<ProtobufCMessage* const*>(message, field.offset);
            for (std::size_t n = 0; n < count; ++n)
                append(items[n], out);
        } else if ((field.flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
                   read_field<uint32_t>(message, field.quantifier_offset) == field.id) {
            append(read_field<const ProtobufCMessage*>(message, field.offset), out);
        }
    }
}

}  // namespace howdah::proxy::sql
