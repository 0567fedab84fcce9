#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/message_views.hpp"
#include "proxy/pool/server_connection.hpp"

namespace howdah::proxy {

/// How far a connection is whose replies nobody wants to see.
enum class unseen : std::uint8_t {
    more,   ///< more has to come
    done,   ///< it owes nothing any more
    broken  ///< it ended, broke the protocol, or waits for what nobody will send
};

/// Takes what has been read already. `on_message` is called with the frame of each message.
template <class OnMessage>
[[nodiscard]] unseen skip_replies(server_connection& c, OnMessage on_message) {
    for (;;) {
        while (c.replies.local_at_front())
            c.replies.pop();
        if (c.replies.empty() && c.message_left == 0) return unseen::done;
        const std::string_view data = c.in.data();
        if (c.message_left > 0) {
            const std::size_t n = std::min(c.message_left, data.size());
            if (n == 0) return unseen::more;
            c.message_left -= n;
            c.in.consume(n);
            continue;
        }
        const auto f = protocol::peek_frame(data);
        if (!f) return unseen::more;
        if (!f->valid()) return unseen::broken;
        const bool whole = data.size() >= f->size();
        const bool looked_into = f->type == 'Z' || f->type == 'S';
        if (looked_into && f->size() > protocol::buffer_pool::chunk_size) return unseen::broken;
        if (!whole && looked_into) return unseen::more;
        const auto handled = c.replies.on_message(
            f->type, [](server_replies::entry&) {}, [](server_replies::entry&, bool) {});
        if (handled == server_replies::handling::violation) return unseen::broken;
        // The server waits for what nobody will send: a COPY, or the Sync behind an error.
        if (f->type == 'G' || f->type == 'W') return unseen::broken;
        if (f->type == 'E' && c.replies.empty()) return unseen::broken;
        const std::string_view body = data.substr(protocol::frame_header_size,
                                                  whole ? f->body_size() : std::string_view::npos);
        if (f->type == 'S') {
            if (const auto p = protocol::parse_parameter_status(body))
                c.state().parameters.set(p->name, p->value);
        }
        if (f->type == 'Z') {
            const auto ready = protocol::parse_ready_for_query(body);
            if (!ready) return unseen::broken;
            c.state().status = *ready;
        }
        on_message(*f);
        const std::size_t here = std::min(data.size(), f->size());
        c.message_left = f->size() - here;
        c.in.consume(here);
    }
}

/// Reads, some rounds at most before others get their turn. After `more` the caller waits for
/// readability, or comes again at once where the stream has buffered input.
template <class OnMessage>
[[nodiscard]] unseen read_unseen(server_connection& c, OnMessage on_message) {
    constexpr int rounds = 8;
    for (int round = 0; round < rounds; ++round) {
        const unseen so_far = skip_replies(c, on_message);
        if (so_far != unseen::more) return so_far;
        const std::span<char> space = c.in.prepare(protocol::buffer_pool::chunk_size);
        const protocol::io_result got = c.stream().read(space.data(), space.size());
        if (got.closed()) return unseen::broken;
        if (got.blocked()) {
            if (c.in.empty()) c.in.reset();
            return unseen::more;
        }
        c.in.commit(got.bytes);
    }
    return skip_replies(c, on_message);
}

}  // namespace howdah::proxy
