#include "proxy/mirror/mirror.hpp"

#include <algorithm>
#include <utility>

#include "protocol/wire/messages.hpp"
#include "proxy/pool/unseen.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {

/// One statement under way: waits for a server, gives it the session's settings, runs.
class mirror::run final : public server_owner, public server_waiter, private protocol::deadline {
public:
    run(mirror& owner, mirrored_statement what) : owner_(owner), what_(std::move(what)) {}
    ~run() override = default;

    void start() {
        worker& w = owner_.worker_;
        if (w.now->usable(what_.hostgroup).empty() || w.now->orders.paused(*what_.login))
            return end(false);
        server_wish wish;
        wish.hostgroup = what_.hostgroup;
        if (server_ptr ready = w.servers.try_take(wish, what_.login, what_.settings))
            return use(std::move(ready));
        w.wheel.arm(*this, w.now->vars().connect_timeout_server_max);
        w.servers.wait(*this, wish, what_.login);
    }
    [[nodiscard]] const server_connection* server() const { return server_.get(); }
    /// Without a word to the owner.
    void abandon() {
        disarm();
        owner_.worker_.servers.forget(*this);
        if (server_) owner_.worker_.servers.discard(std::exchange(server_, nullptr));
        over_ = true;
    }
    void give_up() {
        if (over_) return;
        abandon();
        owner_.ended(*this, false);
    }

private:
    void on_server(server_ptr connection) override {
        if (over_) {
            if (connection) owner_.worker_.servers.release(std::move(connection));
        } else if (connection) {
            use(std::move(connection));
        } else {
            start();
        }
    }
    void on_no_server(const server_login_error&) override { give_up(); }
    bool on_attempt_failed(const server_entry*) override { return false; }
    void on_deadline() override {
        if (server_) owner_.worker_.servers.cancel(*server_);
        give_up();
    }

    void use(server_ptr connection) {
        server_ = std::move(connection);
        server_->set_owner(*this);
        owner_.worker_.wheel.arm(*this, what_.limit);
        const auto& none = owner_.worker_.shared.settings.none();
        if (const auto* policy = owner_.worker_.now->policy(what_.hostgroup);
            policy != nullptr && !policy->ignored.empty())
            what_.settings = owner_.worker_.shared.settings.intern(
                without_ignored(*what_.settings, *none, policy->ignored));
        const std::string changes = replay_statements(*server_->state().settings, *what_.settings);
        if (changes.empty()) return send_statement();
        applying_ = true;
        server_->replies.expect(reply_kind::query, {}, true);
        protocol::append_query(owner_.to_server_.generated(), changes);
        send();
    }
    void send_statement() {
        server_->state().settings = what_.settings;
        applying_ = false;
        ++owner_.counters_->sent;
        if (what_.extended) {
            for (const reply_kind kind : {reply_kind::parse, reply_kind::bind, reply_kind::execute,
                                          reply_kind::close, reply_kind::sync})
                server_->replies.expect(kind, {}, true);
        } else {
            server_->replies.expect(reply_kind::query, {}, true);
        }
        owner_.to_server_.generated() += what_.messages;
        send();
    }
    void send() {
        // It drops the unnamed statement that was there.
        server_->state().unnamed_owner = 0;
        owner_.to_server_.commit();
        const protocol::io_result sent = owner_.to_server_.flush(server_->stream(), server_->out);
        if (sent.closed()) return give_up();
        if (!server_->out.empty()) server_->want_write();
        server_->want_read();
    }

    void on_server_writable(server_connection& from) override {
        const protocol::io_result sent = protocol::flush_backlog(from.stream(), from.out);
        if (sent.closed()) from.out.clear();  // reading will tell
        if (!from.out.empty()) from.want_write();
    }
    void on_server_readable(server_connection& from) override {
        if (over_ || server_.get() != &from) return;
        const server_ptr guard(&from);
        const unseen so_far = read_unseen(from, [this](const protocol::frame& f) {
            if (f.type == 'E') failed_ = true;
        });
        if (so_far == unseen::broken) return give_up();
        if (so_far == unseen::more) {
            if (!from.stream().has_buffered_input()) return from.want_read();
            // Decrypted already: the socket will not announce it again.
            boost::asio::post(owner_.worker_.io, [&m = owner_, again = guard] {
                for (const auto& r : m.running_)
                    if (r->server() == again.get()) return r->on_server_readable(*again);
            });
            return;
        }
        if (from.state().status != 'I' || (applying_ && failed_)) return give_up();
        if (applying_) return send_statement();
        disarm();
        owner_.worker_.servers.release(std::exchange(server_, nullptr));
        end(!failed_);
    }
    void end(bool ok) {
        over_ = true;
        owner_.ended(*this, ok);
    }

    mirror& owner_;
    mirrored_statement what_;
    server_ptr server_;
    bool applying_ = false;
    bool failed_ = false;
    bool over_ = false;
};

mirror::mirror(worker& w) : worker_(w), counters_(std::make_unique<mirror_counters>()) {}
mirror::~mirror() = default;

void mirror::add(mirrored_statement s) {
    const std::size_t workers = std::max<std::size_t>(1, worker_.shared.workers.size());
    if (waiting_.size() >= worker_.now->vars().mirror_max_queue_length / workers) return drop();
    waiting_.push_back(std::move(s));
    post_begin();
}

void mirror::drop() {
    ++counters_->dropped;
}

void mirror::post_begin() {
    if (std::exchange(posted_, true)) return;
    boost::asio::post(worker_.io, [this] { begin_some(); });
}

void mirror::begin_some() {
    posted_ = false;
    const std::size_t workers = std::max<std::size_t>(1, worker_.shared.workers.size());
    const std::size_t most =
        std::max<std::size_t>(1, worker_.now->vars().mirror_max_concurrency / workers);
    while (!waiting_.empty() && running_.size() < most) {
        running_.push_back(std::make_unique<run>(*this, std::move(waiting_.front())));
        waiting_.pop_front();
        running_.back()->start();
    }
}

void mirror::ended(run& r, bool ok) {
    if (!ok) ++counters_->failed;
    const auto at = std::find_if(running_.begin(), running_.end(),
                                 [&](const auto& each) { return each.get() == &r; });
    boost::asio::post(worker_.io, [dead = std::move(*at)] {});
    running_.erase(at);
    if (!waiting_.empty()) post_begin();
}

void mirror::close(const server_entry* server) {
    std::vector<run*> lost;
    for (const auto& r : running_)
        if (r->server() != nullptr && r->server()->server() == server) lost.push_back(r.get());
    for (run* r : lost)
        r->give_up();
}

void mirror::stop() {
    waiting_.clear();
    for (const auto& r : running_)
        r->abandon();
}

std::size_t mirror::count(const traffic_scope& scope) const {
    return static_cast<std::size_t>(
        std::count_if(running_.begin(), running_.end(), [&](const auto& r) {
            return r->server() != nullptr &&
                   scope.covers(*r->server()->login(), *r->server()->server());
        }));
}

mirror_counters mirror::counters() const {
    mirror_counters now = *counters_;
    now.running = running_.size();
    now.queued = waiting_.size();
    return now;
}

}  // namespace howdah::proxy
