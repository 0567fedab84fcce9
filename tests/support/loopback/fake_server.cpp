#include "tests/support/loopback/fake_server.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/scram.hpp"
#include "protocol/wire/startup.hpp"

namespace howdah::tests {
namespace {

std::string key_of(int number) {
    return "k" + std::to_string(1000 + number).substr(1);
}

std::string describe(const message& m) {
    const std::string_view body = m.body;
    std::string out(1, m.type);
    switch (m.type) {
        case 'Q':
            return out + " " + std::string(body.substr(0, body.size() - 1));
        case 'P':
            if (const auto v = protocol::parse_parse(body))
                return out + " " + std::string(v->name) + "|" + std::string(v->sql);
            return out + " malformed";
        case 'B':
            if (const auto v = protocol::parse_bind(body))
                return out + " " + std::string(v->portal) + "|" + std::string(v->statement);
            return out + " malformed";
        case 'D':
        case 'C':
            return out + " " + body[0] + " " + std::string(body.substr(1, body.size() - 2));
        case 'E':
            return out + " " + std::string(body.data());
        case 'd':
        case 'f':
            return out + " " + std::string(body.substr(0, 40));
        default:
            return out;
    }
}

bool is_no_sql(std::string_view text) {
    return text.find("SYNTAX") != text.npos || text.starts_with("refused by");
}

bool starts(std::string_view text, std::string_view with) {
    return text.starts_with(with);
}

}  // namespace

void event::set() {
    const std::scoped_lock lock(mutex_);
    set_ = true;
    changed_.notify_all();
}

void event::abandon() {
    const std::scoped_lock lock(mutex_);
    abandoned_ = true;
    changed_.notify_all();
}

bool event::is_set() const {
    const std::scoped_lock lock(mutex_);
    return set_;
}

void event::wait() const {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, patience, [&] { return set_ || abandoned_; }))
        throw std::runtime_error("an event did not happen in time");
}

void backend::row(std::string_view value) {
    const std::string_view columns[] = {"c"};
    const std::optional<std::string_view> values[] = {value};
    if (!extended_) protocol::append_row_description(out_, columns);
    protocol::append_data_row(out_, values);
}

void backend::complete(std::string_view tag) {
    protocol::append_command_complete(out_, tag);
}

void backend::error(std::string_view sqlstate, std::string_view text, std::string_view severity,
                    std::string_view routine) {
    const auto level = severity == "FATAL" ? protocol::severity::fatal : protocol::severity::error;
    protocol::append_error(
        out_, {.level = level, .sqlstate = sqlstate, .message = text, .routine = routine});
    failed_ = true;
}

void backend::flush() {
    const std::string bytes = std::exchange(out_, {});
    if (bytes.empty()) return;
    const std::size_t cut = server_.cut_;
    const bool sent =
        cut > 0 && cut < bytes.size() ? link_->send_cut(bytes, cut) : link_->send(bytes);
    if (!sent) closed_ = true;
}

void backend::wait_for_cancel() {
    cancelled_.wait();
}

std::optional<message> backend::receive() {
    auto m = link_->next();
    if (m) server_.record(number_, *m);
    return m;
}

void backend::copy_in(int fail_after) {
    out_ += framed('G', std::string(1, '\0') + i16(1) + i16(0));
    flush();
    int messages = 0;
    for (;;) {
        const auto m = receive();
        if (!m) return close();
        if (m->type == 'd' && ++messages == fail_after) return error("22P04", "bad data in COPY");
        if (m->type == 'c') return complete("COPY " + std::to_string(messages));
        if (m->type == 'f') return error("57014", "COPY from stdin failed");
    }
}

void backend::ready() {
    protocol::append_ready_for_query(out_, status_);
    flush();
}

void backend::built_in(const std::string& sql) {
    if (starts(sql, "BEGIN")) {
        status_ = 'T';
        return complete("BEGIN");
    }
    if (sql == "COMMIT" || sql == "ROLLBACK") {
        const bool lost = status_ == 'E';
        status_ = 'I';
        return complete(lost ? "ROLLBACK" : sql);
    }
    if (starts(sql, "SET") || starts(sql, "RESET")) return complete(sql.substr(0, sql.find(' ')));
    if (starts(sql, "DISCARD ALL") || starts(sql, "DEALLOCATE ALL")) {
        prepared_.clear();
        return complete(sql);
    }
    if (starts(sql, "FAIL")) return error("22012", "division by zero");
    if (starts(sql, "INSERT")) return complete("INSERT 0 1");
    if (starts(sql, "CREATE")) return complete("CREATE TABLE");
    if (starts(sql, "LISTEN")) return complete("LISTEN");
    if (starts(sql, "UNLISTEN")) return complete("UNLISTEN");
    row(server_.name());
    complete("SELECT 1");
}

void backend::execute(const std::string& sql) {
    statement_ = sql;
    failed_ = false;
    if (is_no_sql(sql)) {
        error("42601", "syntax error");
        if (status_ == 'T') status_ = 'E';
        return;
    }
    if (status_ == 'E' && sql != "ROLLBACK" && sql != "COMMIT") {
        error("25P02", "current transaction is aborted");
        return;
    }
    if (const auto answer = server_.find(sql)) {
        answer(*this);
    } else {
        built_in(sql);
    }
    if (failed_ && status_ == 'T') status_ = 'E';
}

namespace {

bool well_formed(const message& m) {
    switch (m.type) {
        case 'Q':
            return protocol::parse_query(m.body).has_value();
        case 'P':
            return protocol::parse_parse(m.body).has_value();
        case 'B':
            return protocol::parse_bind(m.body).has_value();
        case 'D':
            return protocol::parse_describe(m.body).has_value();
        case 'E':
            return protocol::parse_execute(m.body).has_value();
        case 'C':
            return protocol::parse_close(m.body).has_value();
        default:
            return true;
    }
}

}  // namespace

void backend::extended_message(const message& m) {
    extended_ = true;
    failed_ = false;
    const bool good = well_formed(m);
    if (!good) error("08P01", "invalid message format");
    switch (good ? m.type : '\0') {
        case 'P': {
            const auto v = protocol::parse_parse(m.body);
            const std::string name(v->name);
            if (server_.deaths_ > 0 && server_.deaths_-- > 0) {
                closed_ = true;
            } else if (!name.empty() && prepared_.contains(name)) {
                error("42P05", "prepared statement \"" + name + "\" already exists");
            } else if (is_no_sql(v->sql)) {
                if (name.empty()) prepared_.erase(name);
                error("42601", "syntax error");
            } else if (status_ == 'E' && v->sql != "ROLLBACK" && v->sql != "COMMIT") {
                error("25P02", "current transaction is aborted");
            } else {
                prepared_[name] = v->sql;
                protocol::append_parse_complete(out_);
            }
            break;
        }
        case 'B': {
            const auto v = protocol::parse_bind(m.body);
            const auto it = prepared_.find(std::string(v->statement));
            if (it == prepared_.end()) {
                error("26000",
                      "prepared statement \"" + std::string(v->statement) + "\" does not exist");
            } else {
                portals_[std::string(v->portal)] = it->second;
                protocol::append_bind_complete(out_);
            }
            break;
        }
        case 'D': {
            const auto v = protocol::parse_describe(m.body);
            const auto& known = v->kind == 'S' ? prepared_ : portals_;
            if (!known.contains(std::string(v->name))) {
                error(v->kind == 'S' ? "26000" : "34000", std::string(v->name) + " does not exist");
                break;
            }
            if (v->kind == 'S') out_ += framed('t', i16(0));
            const std::string_view columns[] = {"c"};
            protocol::append_row_description(out_, columns);
            break;
        }
        case 'E': {
            const auto it = portals_.find(m.body.data());
            if (it == portals_.end()) {
                error("34000", "portal does not exist");
            } else {
                execute(it->second);
            }
            break;
        }
        case 'C':
            if (m.body[0] == 'S') prepared_.erase(std::string(m.body.data() + 1));
            protocol::append_close_complete(out_);
            break;
        default:
            break;
    }
    if (failed_) {
        skipping_ = true;
        if (status_ == 'T') status_ = 'E';
        flush();
    }
}

void backend::serve(const message& m) {
    if (m.type == 'X') {
        closed_ = true;
    } else if (server_.orphans_ > 0 && server_.orphans_-- > 0) {
        error("57P01", "terminating connection due to unexpected postmaster exit", "FATAL",
              "secure_read");
        flush();
        closed_ = true;
    } else if (m.type == 'S') {
        skipping_ = false;
        ready();
    } else if (skipping_) {
        return;
    } else if (m.type == 'Q') {
        extended_ = false;
        prepared_.erase("");
        if (well_formed(m)) {
            execute(m.body.substr(0, m.body.size() - 1));
        } else {
            error("08P01", "invalid message format");
        }
        if (!closed_) ready();
    } else if (m.type == 'H') {
        flush();
    } else if (m.type == 'F') {
        out_ += framed('V', i32(-1));
        ready();
    } else {
        extended_message(m);
    }
}

bool backend::authenticate(const std::string& user) {
    const std::string& password = server_.password_;
    std::string out;
    const auto answer = [&]() -> std::optional<std::string> {
        link_->send(out);
        out.clear();
        const auto m = link_->next();
        return m && m->type == 'p' ? std::optional(m->body) : std::nullopt;
    };
    const auto is = [](const std::optional<std::string>& given, const std::string& wanted) {
        return given && protocol::parse_password(*given) == std::string_view(wanted);
    };
    switch (server_.method_) {
        case fake_server::auth::trust:
            return true;
        case fake_server::auth::cleartext:
            protocol::append_authentication_cleartext_password(out);
            return is(answer(), password);
        case fake_server::auth::md5:
            protocol::append_authentication_md5(out, "salt");
            return is(answer(), protocol::md5_response(password, user, "salt"));
        case fake_server::auth::scram: {
            const std::string_view mechanisms[] = {protocol::scram_sha_256};
            protocol::append_authentication_sasl(out, mechanisms);
            protocol::scram_server exchange(
                protocol::make_verifier(password, "0123456789abcdef", 64), {},
                protocol::random_nonce());
            const auto first = answer();
            const auto initial = first ? protocol::parse_sasl_initial(*first) : std::nullopt;
            if (!initial) return false;
            const auto challenge = exchange.on_initial(initial->mechanism, initial->data);
            protocol::append_authentication_sasl_continue(out, challenge.data);
            const auto second = answer();
            if (!second) return false;
            const auto end = exchange.on_response(*second);
            if (end.what != protocol::scram_server::action::kind::done) return false;
            protocol::append_authentication_sasl_final(out, end.data);
            return link_->send(out);
        }
    }
    return false;
}

bool backend::log_in() {
    for (;;) {
        const auto head = link_->read(4);
        if (!head) return false;
        const auto size = protocol::startup_length(*head);
        if (!size) return false;
        const auto tail = link_->read(*size - 4);
        if (!tail) return false;
        const std::string whole = *head + *tail;
        const auto packet = protocol::parse_startup(whole);
        if (std::holds_alternative<protocol::ssl_request>(packet)) {
            link_->send("N");
            continue;
        }
        if (const auto* c = std::get_if<protocol::cancel_request>(&packet)) {
            server_.cancel(c->pid, c->key);
            return false;
        }
        const auto* startup = std::get_if<protocol::startup_message>(&packet);
        if (startup == nullptr) return false;
        const std::string user(startup->find("user"));
        if (user == "monitor") return false;
        std::string out;
        std::map<std::string, std::string> parameters;
        std::function<bool(backend&)> script;
        {
            const std::scoped_lock lock(server_.mutex_);
            script = server_.login_script_;
            if (!server_.refusal_state_.empty()) {
                protocol::append_error(out, protocol::severity::fatal, server_.refusal_state_,
                                       server_.refusal_text_);
                ++server_.logins_;
                server_.changed_.notify_all();
            }
            server_.startup_.clear();
            for (const auto& [k, v] : startup->parameters)
                server_.startup_.emplace(std::string(k), std::string(v));
            parameters = server_.parameters_;
        }
        if (!out.empty()) {
            link_->send(out);
            return false;
        }
        if (script) {
            if (!script(*this)) return false;
        } else if (!authenticate(user)) {
            protocol::append_error(out, protocol::severity::fatal, "28P01",
                                   "password authentication failed");
            link_->send(out);
            return false;
        }
        {
            const std::scoped_lock lock(server_.mutex_);
            number_ = ++server_.numbers_;
            ++server_.logins_;
            server_.open_.insert(number_);
            server_.peak_ = std::max(server_.peak_, static_cast<int>(server_.open_.size()));
            server_.changed_.notify_all();
        }
        protocol::append_authentication_ok(out);
        for (const auto& [name, value] : parameters)
            protocol::append_parameter_status(out, name, value);
        protocol::append_backend_key_data(out, number_, key_of(number_));
        protocol::append_ready_for_query(out, 'I');
        return link_->send(out);
    }
}

void backend::run() {
    try {
        const bool in = log_in();
        while (in && !closed_) {
            // An idle server waits for ever.
            pollfd p{link_->fd(), POLLIN, 0};
            if (!link_->buffered()) ::poll(&p, 1, -1);
            const auto m = receive();
            if (!m) break;
            serve(*m);
        }
    } catch (const std::exception&) {
        // The test sees a connection that ended.
    }
    const std::scoped_lock lock(server_.mutex_);
    link_->shut();
    server_.open_.erase(number_);
    if (number_ > 0) ++server_.closed_;
    server_.changed_.notify_all();
}

fake_server::fake_server(std::string name)
    : name_(std::move(name)),
      parameters_{{"server_version", "15.0"},
                  {"client_encoding", "UTF8"},
                  {"standard_conforming_strings", "on"}} {
    listener_ = listen_on_loopback(port_);
    acceptor_ = std::thread([this] { accept(); });
}

fake_server::~fake_server() {
    die();
    acceptor_.join();
    for (std::thread& t : threads_)
        t.join();
    ::close(listener_);
}

void fake_server::on_login(std::function<bool(backend&)> answer) {
    const std::scoped_lock lock(mutex_);
    login_script_ = std::move(answer);
}

void fake_server::accept() {
    for (;;) {
        const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        const std::scoped_lock lock(mutex_);
        if (stopping_ || fd < 0) {
            if (fd >= 0) ::close(fd);
            return;
        }
        backend& b = backends_.emplace_back(*this, std::make_unique<connection>(fd));
        threads_.emplace_back([&b] { b.run(); });
    }
}

void fake_server::die() {
    if (!stopping_.exchange(true)) ::shutdown(listener_, SHUT_RDWR);
    drop_all();
}

void fake_server::drop_all() {
    const std::scoped_lock lock(mutex_);
    for (backend& b : backends_) {
        b.link_->shut();
        b.cancelled_.abandon();
    }
}

void fake_server::on(const std::string& sql, script answer) {
    const std::scoped_lock lock(mutex_);
    scripts_[sql] = std::move(answer);
}

void fake_server::require(auth method, std::string password) {
    method_ = method;
    password_ = std::move(password);
}

void fake_server::refuse_logins(std::string sqlstate, std::string text) {
    const std::scoped_lock lock(mutex_);
    refusal_state_ = std::move(sqlstate);
    refusal_text_ = std::move(text);
}

void fake_server::parameter(const std::string& name, const std::string& value) {
    const std::scoped_lock lock(mutex_);
    parameters_[name] = value;
}

fake_server::script fake_server::find(const std::string& sql) const {
    const std::scoped_lock lock(mutex_);
    const auto it = scripts_.find(sql);
    return it == scripts_.end() ? nullptr : it->second;
}

void fake_server::record(int number, const message& m) {
    if (m.type == 'd' || m.type == 'B') bytes_ += m.body.size();
    const std::scoped_lock lock(mutex_);
    seen_.push_back(std::to_string(number) + ":" + describe(m));
    changed_.notify_all();
}

void fake_server::cancel(std::int32_t pid, std::string_view key) {
    const std::scoped_lock lock(mutex_);
    ++cancels_;
    for (backend& b : backends_)
        if (b.number_ == pid && key_of(pid) == key) b.cancelled_.set();
    changed_.notify_all();
}

std::vector<std::string> fake_server::seen() const {
    const std::scoped_lock lock(mutex_);
    return seen_;
}

std::vector<std::string> fake_server::seen_messages() const {
    std::vector<std::string> out = seen();
    for (std::string& line : out)
        line.erase(0, line.find(':') + 1);
    return out;
}

int fake_server::count(std::string_view text) const {
    const std::scoped_lock lock(mutex_);
    int n = 0;
    for (const std::string& line : seen_)
        n += std::string_view(line).substr(line.find(':') + 1) == text;
    return n;
}

template <class Done>
void fake_server::wait_until(const char* what, Done done) const {
    const auto end = std::chrono::steady_clock::now() + patience;
    std::unique_lock lock(mutex_);
    while (!done()) {
        if (changed_.wait_until(lock, end) == std::cv_status::timeout && !done())
            throw std::runtime_error("server " + name_ + ": did not happen in time: " + what);
    }
}

void fake_server::wait_for(std::string_view text, int times) const {
    wait_until(std::string(text).c_str(), [&] {
        int n = 0;
        for (const std::string& line : seen_)
            n += std::string_view(line).substr(line.find(':') + 1) == text;
        return n >= times;
    });
}

void fake_server::wait_for_closed(int connections) const {
    wait_until("connections end", [&] { return closed_ >= connections; });
}

int fake_server::cancels() const {
    const std::scoped_lock lock(mutex_);
    return cancels_;
}

void fake_server::wait_for_cancels(int n) const {
    wait_until("cancel requests", [&] { return cancels_ >= n; });
}

int fake_server::logins() const {
    const std::scoped_lock lock(mutex_);
    return logins_;
}

int fake_server::peak() const {
    const std::scoped_lock lock(mutex_);
    return peak_;
}

void fake_server::forget() {
    const std::scoped_lock lock(mutex_);
    seen_.clear();
}

std::map<std::string, std::string> fake_server::startup() const {
    const std::scoped_lock lock(mutex_);
    return startup_;
}

}  // namespace howdah::tests
