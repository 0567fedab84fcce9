#include "tests/support/loopback/client.hpp"

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/startup.hpp"

namespace howdah::tests {

std::string query(std::string_view sql) {
    return framed('Q', cstr(sql));
}
std::string parse(std::string_view name, std::string_view sql) {
    return framed('P', cstr(name) + cstr(sql) + i16(0));
}
std::string bind(std::string_view portal, std::string_view statement) {
    return framed('B', cstr(portal) + cstr(statement) + i16(0) + i16(0) + i16(0));
}
std::string describe(char kind, std::string_view name) {
    return framed('D', kind + cstr(name));
}
std::string execute(std::string_view portal) {
    return framed('E', cstr(portal) + i32(0));
}
std::string close(char kind, std::string_view name) {
    return framed('C', kind + cstr(name));
}
std::string sync() {
    return framed('S', "");
}
std::string flush() {
    return framed('H', "");
}
std::string terminate() {
    return framed('X', "");
}
std::string run(std::string_view sql) {
    return parse("", sql) + bind("", "") + execute("");
}

std::string in_short(const message& m) {
    const auto with = [&](std::string_view text) {
        return std::string(1, m.type) + "(" + std::string(text) + ")";
    };
    protocol::reader in(m.body);
    switch (m.type) {
        case 'E':
        case 'N': {
            const auto view = protocol::parse_error(m.body);
            return with(view ? view->sqlstate : "malformed");
        }
        case 'D': {
            (void)in.u16();
            const auto size = in.i32();
            const auto value = in.bytes(size < 0 ? 0 : static_cast<std::size_t>(size));
            return with(value.substr(0, 40));
        }
        case 'C':
            return with(in.cstring());
        case 'Z':
            return with(m.body);
        case 'S': {
            const std::string name(in.cstring());
            return with(name + "=" + std::string(in.cstring()));
        }
        case 'A':
            (void)in.i32();
            return with(in.cstring());
        default:
            return std::string(1, m.type);
    }
}

client::client(std::uint16_t port) : link_(connection::to(port)) {}

client& client::send(std::string_view bytes) {
    link_->send(bytes);
    return *this;
}

std::string client::log_in(const std::string& user, const parameters& extra, std::uint16_t minor) {
    std::vector<std::pair<std::string_view, std::string_view>> all{{"user", user},
                                                                   {"database", "db"}};
    for (const auto& [name, value] : extra)
        all.emplace_back(name, value);
    std::string packet;
    protocol::append_startup(packet, minor, all);
    send(packet);
    std::string out;
    parameters_.clear();
    while (const auto m = link_->next()) {
        if (m->type == 'S') {
            parameters_ += (parameters_.empty() ? "" : " ") + in_short(*m);
            continue;
        }
        out += (out.empty() ? "" : " ") + in_short(*m);
        if (m->type == 'E') {
            const auto view = protocol::parse_error(m->body);
            error_ = view ? view->message : "";
        }
        if (m->type == 'K') {
            const auto view = protocol::parse_backend_key(m->body);
            pid_ = view->pid;
            key_ = view->key;
        }
        if (m->type == 'Z') return out;
    }
    return out + " closed";
}

std::string client::next() {
    const auto m = link_->next();
    if (!m) return "closed";
    if (m->type == 'E') {
        const auto view = protocol::parse_error(m->body);
        error_ = view ? view->message : "";
    }
    return in_short(*m);
}

std::string client::next(int n) {
    std::string out = next();
    while (--n > 0)
        out += " " + next();
    return out;
}

std::string client::until_ready(int n) {
    std::string out;
    for (;;) {
        const std::string one = next();
        out += (out.empty() ? "" : " ") + one;
        if (one == "closed" || (one[0] == 'Z' && --n == 0)) return out;
    }
}

std::string client::until_closed() {
    std::string out;
    for (;;) {
        const std::string one = next();
        out += (out.empty() ? "" : " ") + one;
        if (one == "closed") return out;
    }
}

std::string client::bytes(std::size_t n) {
    return link_->read(n).value_or("closed");
}

void send_cancel(std::uint16_t port, std::int32_t pid, std::string_view key) {
    std::string packet;
    protocol::append_cancel_request(packet, pid, key);
    const auto link = connection::to(port);
    link->send(packet);
    (void)link->rest();
}

}  // namespace howdah::tests
