#include "proxy/pool/orphans.hpp"

#include <algorithm>

#include "protocol/wire/frame.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

/// Reads per wake-up before others get their turn.
constexpr int read_rounds = 8;

}  // namespace

std::size_t orphans::count(const traffic_scope& scope) const {
    return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [&](const orphan& o) {
        return scope.covers(*o.connection->login(), *o.connection->server());
    }));
}

void orphans::adopt(server_ptr connection) {
    connection->set_owner(*this);
    server_connection& c = *connection;
    all_.emplace_back(std::move(connection));
    if (!c.out.empty()) c.want_write();
    // Something may have been read already, and behind TLS no event would announce it.
    on_server_readable(c);
}

orphans::orphan& orphans::find(server_connection& c) {
    return *std::find_if(all_.begin(), all_.end(),
                         [&](const orphan& o) { return o.connection.get() == &c; });
}

server_ptr orphans::remove(server_connection& c) {
    const auto it = std::find_if(all_.begin(), all_.end(),
                                 [&](const orphan& o) { return o.connection.get() == &c; });
    server_ptr connection = std::move(it->connection);
    all_.erase(it);
    return connection;
}

void orphans::close(const server_entry* server) {
    std::vector<server_ptr> closing;
    std::erase_if(all_, [&](orphan& o) {
        if (server != nullptr && o.connection->server() != server) return false;
        closing.push_back(std::move(o.connection));
        return true;
    });
    for (server_ptr& c : closing)
        worker_.servers.discard(std::move(c));
}

void orphans::on_server_writable(server_connection& from) {
    const protocol::io_result sent = protocol::flush_backlog(from.stream(), from.out);
    if (sent.closed()) from.out.clear();  // reading will tell
    if (!from.out.empty()) from.want_write();
}

void orphans::on_server_readable(server_connection& from) {
    const server_ptr guard(&from);
    switch (read(find(from))) {
        case outcome::more:
            from.want_read();
            break;
        case outcome::done:
            answered(from);
            break;
        case outcome::broken:
            worker_.servers.discard(remove(from));
            break;
    }
}

orphans::outcome orphans::read(orphan& o) {
    server_connection& c = *o.connection;
    for (int round = 0; round < read_rounds; ++round) {
        const outcome so_far = process(o);
        if (so_far != outcome::more) return so_far;
        const std::span<char> space = c.in.prepare(protocol::buffer_pool::chunk_size);
        const protocol::io_result got = c.stream().read(space.data(), space.size());
        if (got.closed()) return outcome::broken;
        if (got.blocked()) {
            if (c.in.empty()) c.in.reset();
            return outcome::more;
        }
        c.in.commit(got.bytes);
    }
    const outcome last = process(o);
    if (last == outcome::more && c.stream().has_buffered_input())
        boost::asio::post(worker_.io, [this, again = o.connection] {
            const bool ours = std::any_of(all_.begin(), all_.end(), [&](const orphan& other) {
                return other.connection == again;
            });
            if (ours) on_server_readable(*again);
        });
    return last;
}

orphans::outcome orphans::process(orphan& o) {
    server_connection& c = *o.connection;
    for (;;) {
        while (c.replies.local_at_front())
            c.replies.pop();
        if (c.replies.empty() && c.message_left == 0) return outcome::done;
        const std::string_view data = c.in.data();
        if (c.message_left > 0) {
            const std::size_t n = std::min(c.message_left, data.size());
            if (n == 0) return outcome::more;
            c.message_left -= n;
            c.in.consume(n);
            continue;
        }
        const auto f = protocol::peek_frame(data);
        if (!f) return outcome::more;
        if (!f->valid()) return outcome::broken;
        const bool whole = data.size() >= f->size();
        const bool looked_into = f->type == 'Z' || f->type == 'S';
        if (looked_into && f->size() > protocol::buffer_pool::chunk_size) return outcome::broken;
        if (!whole && looked_into) return outcome::more;
        const auto handled = c.replies.on_message(
            f->type, [](server_replies::entry&) {}, [](server_replies::entry&, bool) {});
        if (handled == server_replies::handling::violation) return outcome::broken;
        // The server waits for what nobody will send: a COPY, or the Sync behind an error.
        if (f->type == 'G' || f->type == 'W') return outcome::broken;
        if (f->type == 'E' && c.replies.empty()) return outcome::broken;
        if (f->type == 'E' && o.cleaning) o.failed = true;
        const std::string_view body = data.substr(protocol::frame_header_size,
                                                  whole ? f->body_size() : std::string_view::npos);
        if (f->type == 'S') {
            if (const auto p = protocol::parse_parameter_status(body))
                c.state().parameters.set(p->name, p->value);
        }
        if (f->type == 'Z') {
            const auto ready = protocol::parse_ready_for_query(body);
            if (!ready) return outcome::broken;
            c.state().status = *ready;
        }
        if (f->type == 'D' || f->type == 'd') o.results += f->size();
        if (o.results > most_results && !std::exchange(o.cancelled, true)) {
            ++worker_.counters.cancelled_for_vanished;
            worker_.servers.cancel(c);
        }
        const std::size_t here = std::min(data.size(), f->size());
        c.message_left = f->size() - here;
        c.in.consume(here);
    }
}

void orphans::answered(server_connection& c) {
    orphan& o = find(c);
    server_connection::parts& state = c.state();
    if (state.status != 'I' || o.failed || !c.out.empty()) {
        worker_.servers.discard(remove(c));
        return;
    }
    if (!o.cleaning) {
        o.cleaning = true;
        protocol::append_query(worker_.to_server.generated(), "DISCARD ALL");
        worker_.to_server.commit();
        c.replies.expect(reply_kind::query, {}, true);
        const protocol::io_result sent = worker_.to_server.flush(c.stream(), c.out);
        if (sent.closed()) {
            worker_.servers.discard(remove(c));
            return;
        }
        if (!c.out.empty()) c.want_write();
        c.want_read();
        return;
    }
    state.settings = worker_.shared.settings.none();
    state.prepared.clear();
    state.unnamed_owner = 0;
    worker_.servers.release(remove(c));
}

}  // namespace howdah::proxy
