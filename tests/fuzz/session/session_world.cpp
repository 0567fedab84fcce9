#include "tests/fuzz/session/session_world.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <span>

#include "conf/loader.hpp"
#include "protocol/wire/error_message.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/startup.hpp"
#include "tests/fuzz/session/virtual_clock.hpp"

namespace howdah::fuzz {
namespace {

using namespace std::chrono_literals;

constexpr int writers = 10;
constexpr int readers = 20;
constexpr std::uint16_t writer_port = 5432;
constexpr std::uint16_t reader_port = 5433;
/// Far beyond what any input needs.
constexpr int patience = 20000;

/// The servers' addresses: unix sockets, so that connecting is done when connect() returns.
struct server_sockets {
    std::string folder;
    int writer = -1;
    int reader = -1;

    server_sockets() {
        std::string pattern = (std::filesystem::temp_directory_path() / "howdah-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) std::abort();
        folder = pattern;
        writer = listen(writer_port);
        reader = listen(reader_port);
        std::signal(SIGPIPE, SIG_IGN);
        spdlog::set_level(spdlog::level::off);
    }
    ~server_sockets() {
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
    }

    [[nodiscard]] int listen(std::uint16_t port) const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string path = folder + "/.s.PGSQL." + std::to_string(port);
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        if (::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
            ::listen(fd, 64) != 0)
            std::abort();
        return fd;
    }
};

const server_sockets& sockets() {
    static const server_sockets all;
    return all;
}

std::shared_ptr<const conf::settings> load_settings(const variant& how) {
    const char* mode = how.session_pooling     ? "session"
                       : how.statement_pooling ? "statement"
                                               : "transaction";
    const auto server = [&](int hostgroup, std::uint16_t port) {
        return "  - {hostgroup_id: " + std::to_string(hostgroup) +
               ", hostname: " + sockets().folder + ", port: " + std::to_string(port) +
               ", max_connections: " + std::to_string(how.max_connections) + "}\n";
    };
    const std::string yaml =
        "variables:\n"
        "  interfaces: [\"127.0.0.1:0\"]\n"
        "  monitor_enabled: false\n"
        "  server_sslmode: disable\n"
        "  authentication_method: trust\n"
        "  threads: 1\n"
        "  max_stmts_per_connection: 3\n"
        "  max_stmts_cache: 128\n"
        "  connect_timeout_server_max: 2000ms\n"
        "  server_idle_timeout_ms: 60000ms\n"
        "  stmts_max_idle_time: 30000ms\n"
        // Hours pass here in a moment, and the server that answers are compared with has no limit.
        "  wait_timeout: 0\n"
        "  max_transaction_idle_time: 0\n"
        "  pool_mode: " +
        std::string(mode) + "\n  read_write_split: " + (how.split ? "true" : "false") +
        "\n  read_consistency: " + (how.consistent ? "session" : "eventual") + "\nservers:\n" +
        server(writers, writer_port) + server(readers, reader_port) +
        "replication_hostgroups:\n  - {writer_hostgroup: 10, reader_hostgroup: 20}\n"
        "users:\n  - {username: alice, password: secret, default_hostgroup: 10}\n";
    const conf::load_result loaded = conf::load_text(yaml, "fuzz.yaml");
    for (const auto& error : loaded.errors)
        std::fprintf(stderr, "%s\n", error.to_string().c_str());
    if (!loaded.value) std::abort();
    return loaded.value;
}

std::shared_ptr<const conf::settings> make_settings(const variant& how) {
    static std::map<unsigned, std::shared_ptr<const conf::settings>> known;
    const unsigned key = (how.session_pooling ? 1U : 0U) | (how.statement_pooling ? 2U : 0U) |
                         (how.split ? 4U : 0U) | (how.consistent ? 8U : 0U) |
                         how.max_connections << 4;
    std::shared_ptr<const conf::settings>& settings = known[key];
    if (!settings) settings = load_settings(how);
    return settings;
}

proxy::snapshot_ptr make_snapshot(std::shared_ptr<const conf::settings> settings,
                                  proxy::identities& names) {
    auto groups = std::make_shared<monitor::hostgroups>();
    groups->version = 1;
    groups->settled = true;
    for (const conf::server& s : settings->servers) {
        monitor::member m;
        m.hostgroup = s.hostgroup_id;
        m.at = {s.hostname, s.port};
        m.max_connections = s.max_connections;
        groups->members.push_back(m);
    }
    groups->pairs.push_back({writers, readers});
    groups->known = {writers, readers};
    auto made = std::make_shared<proxy::snapshot>();
    for (const monitor::member& m : groups->members)
        made->placement[m.hostgroup].push_back({names.server(m.at), m.weight, m.max_connections});
    made->rules = std::make_shared<const proxy::compiled_rules>(*settings);
    made->policies = std::make_shared<const proxy::hostgroup_policies>(*settings);
    for (const conf::user& user : settings->users)
        made->users.emplace(user.username, &user);
    made->settings = std::move(settings);
    made->hostgroups = std::move(groups);
    return made;
}

/// Nothing where nothing came.
std::optional<std::string> receive(int fd, bool& end) {
    char buffer[16384];
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n > 0) return std::string(buffer, static_cast<std::size_t>(n));
    end = n == 0 || (errno != EAGAIN && errno != EINTR);
    return std::nullopt;
}

bool transmit(int fd, std::string& bytes) {
    if (bytes.empty()) return false;
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        bytes.clear();
        return true;
    }
    if (n <= 0) return false;
    bytes.erase(0, static_cast<std::size_t>(n));
    return true;
}

/// May come at any time.
bool is_aside(char type) {
    return type == 'N' || type == 'A' || type == 'S';
}

/// How many messages, without those that may come at any time.
std::size_t replies_in(std::string_view said) {
    std::size_t n = 0;
    while (const auto f = protocol::peek_frame(said)) {
        if (!is_aside(f->type)) ++n;
        said.remove_prefix(f->size());
    }
    return n;
}

bool same(char type, std::string_view a, std::string_view b) {
    if (type == 'E') {
        const auto x = protocol::parse_error(a);
        const auto y = protocol::parse_error(b);
        if (!x || !y) return false;
        // In a failed transaction a statement of the same text may just have failed to be prepared.
        if (x->sqlstate == "26000" && y->sqlstate == "25P02") return true;
        return x->sqlstate == y->sqlstate && x->message == y->message;
    }
    const auto wild = [](std::string_view body) {
        return body.size() == 7 && body.substr(6) == anything;
    };
    const auto own = [](std::string_view body) { return body.find("howdah.") != body.npos; };
    return a == b || (type == 'D' && wild(b)) || (type == 'T' && own(a));
}

/// For whoever looks into a finding.
bool verbose() {
    static const bool wanted = std::getenv("HOWDAH_FUZZ_VERBOSE") != nullptr;
    return wanted;
}

std::string show(char type, std::string_view body) {
    std::string out(1, type);
    out += '(';
    for (const char c : body.substr(0, 120))
        out += c >= ' ' && c <= '~' ? c : '.';
    return out += ')';
}

void trace(const std::string& who, std::string_view bytes) {
    if (!verbose() || bytes.empty()) return;
    std::fprintf(stderr, "%s", who.c_str());
    while (const auto f = protocol::peek_frame(bytes)) {
        if (!f->valid()) break;
        const std::size_t size = std::min(bytes.size(), f->size());
        std::fprintf(stderr, " %s",
                     show(f->type, bytes.substr(protocol::frame_header_size,
                                                size - protocol::frame_header_size))
                         .c_str());
        bytes.remove_prefix(size);
    }
    std::fprintf(stderr, "\n");
}

}  // namespace

session_world::session_world(const variant& how) : how_(how), settings_(make_settings(how)) {
    for (const int listener : {sockets().writer, sockets().reader})
        for (int fd = 0; (fd = ::accept(listener, nullptr, nullptr)) >= 0;)
            ::close(fd);
    process_.mock_secret.assign(32, 'x');
    process_.report_failure = [](const monitor::endpoint&) {};
    process_.request_catalog = [](const std::string&) {};
    process_.hurry_samples = [](monitor::wal_sampler::urgency) {};
    const proxy::snapshot_ptr first = make_snapshot(settings_, process_.names);
    worker_ = std::make_unique<proxy::worker>(0, process_, first);
    process_.workers.push_back(worker_.get());
    (void)process_.book.place(first->placement);
    // Everybody has replayed everything.
    auto samples = std::make_shared<proxy::wal_view>();
    for (const auto& [hostgroup, candidates] : first->placement)
        for (const auto& c : candidates)
            samples->add(
                c.server,
                {hostgroup == readers, {1, 0x100}, std::chrono::steady_clock::now() + 100h});
    worker_->positions = std::move(samples);
    worker_->servers.start();
}

session_world::~session_world() {
    worker_->stop();
    (void)worker_->io.poll();
    for (visitor& c : clients_)
        if (c.fd >= 0) ::close(c.fd);
    for (const auto& b : backends_)
        ::close(b->fd);
}

void session_world::print(const visitor& c) {
    std::fprintf(stderr, "  the client got:");
    for (const message& m : c.messages)
        std::fprintf(stderr, " %s", show(m.type, m.body).c_str());
    std::fprintf(stderr, "\n  PostgreSQL says:");
    std::string_view said = c.reference->said();
    while (const auto f = protocol::peek_frame(said)) {
        if (!is_aside(f->type))
            std::fprintf(
                stderr, " %s",
                show(f->type, said.substr(protocol::frame_header_size, f->body_size())).c_str());
        said.remove_prefix(f->size());
    }
    std::fprintf(stderr, "\n");
}

void session_world::fail(const std::string& what, const visitor* c) {
    std::fprintf(stderr, "FAILED: %s\n", what.c_str());
    if (c != nullptr) print(*c);
    std::abort();
}

void session_world::connect(int index) {
    visitor& c = clients_[index];
    if (c.fd >= 0) return;
    c = visitor{};
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        std::abort();
    const int small = 4096;
    if (how_.small_buffers)
        for (const int fd : pair)
            ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    c.fd = pair[0];
    protocol::stream_socket socket(worker_->io.get_executor(),
                                   boost::asio::generic::stream_protocol(AF_UNIX, 0), pair[1]);
    proxy::client_identity who;
    who.login = process_.names.login("shop", "alice");
    who.config = settings_;
    who.user = &settings_->users.front();
    who.peer = "unix";
    scripted_postgres::settings own;
    proxy::session_settings::list list;
    if (how_.own_settings && index == 1) own = {{"application_name", "mine"}, {"work_mem", "9MB"}};
    for (const auto& [name, value] : own)
        list.emplace_back(name, proxy::raw_setting_statement(name, value));
    who.settings = process_.settings.intern(list);
    c.reference = std::make_unique<scripted_postgres>(false, own);
    const boost::intrusive_ptr<proxy::session> fresh(
        new proxy::session(*worker_, protocol::stream(std::move(socket)), std::move(who)));
    fresh->start({});
}

void session_world::send(int index, std::string_view bytes) {
    visitor& c = clients_[index];
    if (bytes.empty() || c.fd < 0 || c.ended || c.reference->closed()) return;
    trace("client " + std::to_string(index) + " sends", bytes);
    c.reference->feed(bytes);
    // A known difference: in a pipeline RESET goes to the server's default first.
    const bool resets =
        bytes.find("RESET") != bytes.npos || bytes.find("DISCARD ALL") != bytes.npos;
    if (c.reference->misused() || (resets && how_.own_settings && index == 1)) c.judged = false;
    if (c.reference->closed()) c.ended = true;
    const std::size_t first = std::exchange(cut_, 0) % bytes.size();
    if (first > 0) {
        c.unsent += bytes.substr(0, first);
        settle();
    }
    c.unsent += bytes.substr(first);
}

void session_world::send_raw(int index, std::string_view bytes) {
    visitor& c = clients_[index];
    if (c.fd < 0 || c.ended) return;
    c.judged = false;
    c.unsent += bytes;
}

void session_world::half_close(int index) {
    visitor& c = clients_[index];
    if (c.fd < 0 || c.ended) return;
    settle();
    c.ended = true;
    if (c.unsent.empty()) ::shutdown(c.fd, SHUT_WR);
}

void session_world::close(int index) {
    visitor& c = clients_[index];
    if (c.fd < 0) return;
    c.ended = true;
    require(c);
    ::close(c.fd);
    c.fd = -1;
}

void session_world::cancel(int index) {
    if (!clients_[index].welcome) return;
    orderly_ = false;
    worker_->cancel_client(clients_[index].pid, clients_[index].key);
}

session_world::backend* session_world::pick(unsigned which) {
    if (backends_.empty()) return nullptr;
    backend* b = backends_[which % backends_.size()].get();
    return b->logged_in ? b : nullptr;
}

void session_world::server_says(unsigned which, std::string_view bytes) {
    if (backend* b = pick(which)) b->out += bytes;
}

void session_world::server_says_raw(unsigned which, std::string_view bytes) {
    backend* b = pick(which);
    if (b == nullptr) return;
    orderly_ = false;
    b->spoilt = true;
    b->out += bytes;
}

void session_world::server_closes(unsigned which, std::string_view last_words) {
    backend* b = pick(which);
    if (b == nullptr) return;
    orderly_ = false;
    b->out += last_words;
    (void)transmit(b->fd, b->out);
    ::shutdown(b->fd, SHUT_RDWR);
}

void session_world::server_fails_next(unsigned which, scripted_postgres::fault what) {
    backend* b = pick(which);
    if (b == nullptr) return;
    orderly_ = false;
    b->server->fail_next(std::move(what));
}

void session_world::monitor_finds_dead(bool reader) {
    orderly_ = false;
    worker_->server_dead(
        process_.names.server({sockets().folder, reader ? reader_port : writer_port}));
}

bool session_world::accept_backends() {
    bool any = false;
    for (const int listener : {sockets().writer, sockets().reader}) {
        for (int fd = 0;
             (fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
            auto b = std::make_unique<backend>();
            b->fd = fd;
            b->reader = listener == sockets().reader;
            b->pid = next_pid_++;
            b->server = std::make_unique<scripted_postgres>(b->reader);
            backends_.push_back(std::move(b));
            any = true;
        }
    }
    return any;
}

bool session_world::log_in(backend& b) {
    const auto size = protocol::startup_length(b.in);
    if (!size || b.in.size() < *size) return true;
    const protocol::startup_packet packet =
        protocol::parse_startup(std::string_view(b.in).substr(0, *size));
    if (const auto* request = std::get_if<protocol::cancel_request>(&packet)) {
        for (const auto& other : backends_) {
            // A statement that has not been answered yet.
            if (other->pid != request->pid || other->in.empty()) continue;
            other->server->fail_next({"57014", "canceling statement due to user request", {}});
        }
        return false;
    }
    b.in.erase(0, *size);
    protocol::append_authentication_ok(b.out);
    for (const auto& [name, value] : b.server->reported())
        protocol::append_parameter_status(b.out, name, value);
    protocol::append_backend_key_data(b.out, b.pid, "abcd");
    protocol::append_ready_for_query(b.out, 'I');
    b.logged_in = true;
    return true;
}

bool session_world::serve(backend& b) {
    bool end = false;
    const auto got = receive(b.fd, end);
    if (got) b.in += *got;
    bool alive = !end;
    if (!b.logged_in && !b.in.empty()) alive = log_in(b) && alive;
    if (b.logged_in && answering_ && !b.in.empty()) {
        trace("server " + std::to_string(b.pid) + " gets", b.in);
        b.server->feed(std::exchange(b.in, {}));
        trace("server " + std::to_string(b.pid) + " says",
              std::string_view(b.server->said()).substr(b.taken, b.server->sent() - b.taken));
        b.out += b.server->said().substr(b.taken, b.server->sent() - b.taken);
        b.taken = b.server->sent();
    }
    bool busy = got.has_value();
    busy = transmit(b.fd, b.out) || busy;
    if (b.server->closed() && b.out.empty()) alive = false;
    if (alive) return busy;
    ::close(b.fd);
    b.fd = -1;
    return true;
}

void session_world::take_messages(visitor& c) {
    for (;;) {
        const std::string_view rest = std::string_view(c.got).substr(c.parsed);
        const auto f = protocol::peek_frame(rest);
        if (f && !f->valid() && orderly_) fail("bytes that are no message", &c);
        if (!f || !f->valid() || rest.size() < f->size()) return;
        const std::string_view body = rest.substr(protocol::frame_header_size, f->body_size());
        c.parsed += f->size();
        if (f->type == 'S') {
            const auto p = protocol::parse_parameter_status(body);
            if (p) c.told[std::string(p->name)] = p->value;
        } else if (f->type == 'K' && !c.welcome) {
            const auto key = protocol::parse_backend_key(body);
            if (key) {
                c.pid = key->pid;
                c.key = key->key;
            }
        } else if (f->type == 'Z' && !c.welcome) {
            c.welcome = true;
        } else if (c.welcome && !is_aside(f->type)) {
            c.messages.push_back({f->type, std::string(body)});
        }
    }
}

bool session_world::move(visitor& c) {
    if (c.fd < 0) return false;
    const bool sent = transmit(c.fd, c.unsent);
    if (!c.reads) return sent;
    bool end = false;
    const auto got = receive(c.fd, end);
    if (got) {
        c.got += *got;
        take_messages(c);
    }
    return sent || got.has_value();
}

bool session_world::turn() {
    bool busy = false;
    for (int n = 0; worker_->io.poll_one() > 0; ++n) {
        busy = true;
        if (n > patience) fail("the event loop turns without end");
    }
    busy = accept_backends() || busy;
    for (const auto& b : backends_)
        busy = serve(*b) || busy;
    std::erase_if(backends_, [](const auto& b) { return b->fd < 0; });
    for (visitor& c : clients_)
        busy = move(c) || busy;
    return busy;
}

void session_world::settle() {
    for (int n = 0; turn(); ++n)
        if (n > patience) fail("it never comes to rest");
}

void session_world::let_time_pass(std::chrono::milliseconds by) {
    settle();
    // Who waits may wait too long.
    for (visitor& c : clients_)
        if (c.fd >= 0 && (!c.welcome || c.messages.size() < replies_in(c.reference->said())))
            orderly_ = false;
    advance_clock(by);
    // Due at once: makes the event loop look at its timers.
    boost::asio::steady_timer kick(worker_->io, std::chrono::steady_clock::time_point{});
    kick.async_wait([](const boost::system::error_code&) {});
    settle();
}

const char* session_world::judge(visitor& c) {
    if (!c.judged || how_.statement_pooling) return nullptr;
    if (!c.welcome) return c.ended ? nullptr : "behind";
    std::string_view said = c.reference->said();
    const std::size_t size = said.size();
    std::size_t i = 0;
    const char* verdict = nullptr;
    while (const auto f = protocol::peek_frame(said)) {
        const std::string_view body = said.substr(protocol::frame_header_size, f->body_size());
        said.remove_prefix(f->size());
        if (is_aside(f->type)) continue;
        if (i == c.messages.size()) {
            const bool promised = size - said.size() <= c.reference->promised();
            return promised && !c.ended ? "behind" : nullptr;
        }
        if (c.messages[i].type != f->type || !same(f->type, c.messages[i].body, body))
            return "a reply differs";
        ++i;
    }
    if (i < c.messages.size()) verdict = "more replies than there should be";
    if (verdict == nullptr && !c.ended && c.told != c.reference->reported())
        verdict = "the client believes in other parameters";
    return verdict;
}

void session_world::require(visitor& c) {
    if (!orderly_) return;
    if (verbose()) print(c);
    if (const char* wrong = judge(c)) fail(wrong, &c);
}

void session_world::finish() {
    answering_ = true;
    for (visitor& c : clients_)
        c.reads = true;
    for (const auto& b : backends_)
        b->server->forget_fault();
    settle();
    const auto behind = [this](visitor& c) {
        const char* verdict = c.fd < 0 ? nullptr : judge(c);
        return verdict != nullptr && std::string_view(verdict) == "behind";
    };
    if (orderly_) {
        for (int i = 0; i < clients; ++i)
            if (!clients_[i].judged) close(i);
        settle();
        // Who is behind waits for the other one to leave the server.
        for (int i = 0; i < clients; ++i) {
            if (!behind(clients_[i])) continue;
            close(1 - i);
            settle();
        }
        for (visitor& c : clients_)
            if (c.fd >= 0) require(c);
    }
    for (int i = 0; i < clients; ++i)
        close(i);
    settle();
    for (int i = 0; i < 100 && !orderly_ && worker_->client_count() > 0; ++i)
        let_time_pass(500ms);
    if (worker_->client_count() > 0) fail("a session stays when its client has gone");
    for (const auto& b : backends_) {
        b->server->forget_fault();
        if (b->spoilt) ::shutdown(b->fd, SHUT_RDWR);
    }
    settle();
    witness();
}

void session_world::witness() {
    orderly_ = true;
    connect(0);
    visitor& c = clients_[0];
    std::string all;
    const auto extended = [&](std::string_view name, std::string_view sql) {
        if (!sql.empty()) protocol::append_parse(all, name, sql, {});
        constexpr std::string_view nothing("\0\0\0\0\0\0", 6);
        protocol::append_bind_prefix(all, {}, name, nothing.size());
        all += nothing;
        protocol::append_describe(all, 'P', {});
        protocol::append_execute(all, {}, 0);
        protocol::append_sync(all);
    };
    protocol::append_query(all, "SELECT 'witness'");
    for (const char* name : {"application_name", "search_path", "mine.x", "work_mem", "role"})
        protocol::append_query(all, "SELECT current_setting('" + std::string(name) + "')");
    if (!how_.statement_pooling)
        for (const char* sql : {"BEGIN", "SHOW application_name", "ROLLBACK"})
            protocol::append_query(all, sql);
    extended("", "SELECT 'witness, too'");
    extended("s1", "SELECT 'named witness'");
    extended("s2", {});
    protocol::append_query(all, "SELECT * FROM mine");
    protocol::append_query(all, "INSERT INTO t SELECT 1");
    protocol::append_query(all, "EXECUTE p1");
    protocol::append_query(all, "FETCH held");
    if (!how_.statement_pooling)
        for (const char* sql : {"BEGIN", "SELECT * FROM mine", "SELECT 1", "ROLLBACK"})
            protocol::append_query(all, sql);
    send(0, all);
    settle();
    const bool statement_pooling = std::exchange(how_.statement_pooling, false);
    require(c);
    how_.statement_pooling = statement_pooling;
    close(0);
    settle();
    if (worker_->client_count() > 0) fail("the witness's session stays");
}

}  // namespace howdah::fuzz
