#include "proxy/pool/orphans.hpp"

#include <algorithm>

#include "protocol/wire/messages.hpp"
#include "proxy/pool/unseen.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {

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
        case unseen::more:
            from.want_read();
            break;
        case unseen::done:
            answered(from);
            break;
        case unseen::broken:
            worker_.servers.discard(remove(from));
            break;
    }
}

unseen orphans::read(orphan& o) {
    server_connection& c = *o.connection;
    const unseen so_far = read_unseen(c, [&](const protocol::frame& f) {
        if (f.type == 'E' && o.cleaning) o.failed = true;
        if (f.type == 'D' || f.type == 'd') o.results += f.size();
        if (o.results > most_results && !std::exchange(o.cancelled, true)) {
            ++worker_.counters.cancelled_for_vanished;
            worker_.servers.cancel(c);
        }
    });
    if (so_far == unseen::more && c.stream().has_buffered_input())
        boost::asio::post(worker_.io, [this, again = o.connection] {
            const bool ours = std::any_of(all_.begin(), all_.end(), [&](const orphan& other) {
                return other.connection == again;
            });
            if (ours) on_server_readable(*again);
        });
    return so_far;
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
        if (const auto& init = c.login()->init; init && !init->statements.empty()) {
            protocol::append_query(worker_.to_server.generated(), init->statements);
            worker_.to_server.commit();
            c.replies.expect(reply_kind::query, {}, true);
        }
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
