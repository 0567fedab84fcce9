#include "ha/fact_reader.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include "ha/fact_query.hpp"

namespace howdah::ha {
namespace {

using monitor::pq_error;
using monitor::pq_result;

constexpr const char* version_query =
    "SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4";

/// The only value of the answer; "" if there is none.
std::string_view value_of(const pq_result& answer) {
    if (!answer || PQntuples(answer.get()) != 1 || PQnfields(answer.get()) != 1) return {};
    return PQgetvalue(answer.get(), 0, 0);
}

reachability reach_of(const pq_error& error) {
    switch (monitor::classify(error)) {
        case monitor::probe_result::not_ready:
            return reachability::starting;
        case monitor::probe_result::alive:
            return reachability::refusing;
        case monitor::probe_result::failed:
        case monitor::probe_result::ok:
            break;
    }
    return reachability::dead;
}

/// Keeps itself alive by the handlers that it gives to its connection.
class reading : public std::enable_shared_from_this<reading> {
public:
    reading(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
            std::chrono::milliseconds deadline, facts_handler done)
        : connection_(std::make_shared<monitor::pq_connection>(io, std::move(names))),
          deadline_(deadline),
          done_(std::move(done)) {}

    void start(const endpoint& at, monitor::pq_parameters login) {
        facts_.reach_since_us = now_us();
        connection_->connect(at, std::move(login), deadline_,
                             [self = shared_from_this()](const std::optional<pq_error>& error) {
                                 if (error) return self->failed(*error);
                                 self->ask_version();
                             });
    }

private:
    void ask_version() {
        connection_->query(
            version_query, deadline_,
            [self = shared_from_this()](const std::optional<pq_error>& error,
                                        const pq_result& answer) {
                if (error) return self->failed(*error);
                const auto text = value_of(answer);
                int version = 0;
                if (std::from_chars(text.data(), text.data() + text.size(), version).ec !=
                    std::errc{})
                    return self->refused("it does not say its version");
                self->ask_facts(version);
            });
    }

    void ask_facts(int version) {
        connection_->query(fact_query(version), deadline_,
                           [self = shared_from_this(), sent = now_us()](
                               const std::optional<pq_error>& error, const pq_result& answer) {
                               if (error) return self->failed(*error);
                               if (auto wrong = read_facts(value_of(answer), sent, self->facts_);
                                   !wrong.empty())
                                   return self->refused(std::move(wrong));
                               self->facts_.reach = reachability::up;
                               self->finish();
                           });
    }

    void failed(const pq_error& error) {
        facts_.reach = reach_of(error);
        facts_.refused = facts_.reach == reachability::dead &&
                         error.message.find("Connection refused") != std::string::npos;
        facts_.reach_detail = error.describe();
        finish();
    }

    void refused(std::string why) {
        facts_.reach = reachability::refusing;
        facts_.reach_detail = std::move(why);
        finish();
    }

    void finish() {
        connection_->close();
        std::exchange(done_, {})(std::move(facts_));
    }

    std::shared_ptr<monitor::pq_connection> connection_;
    std::chrono::milliseconds deadline_;
    facts_handler done_;
    server_facts facts_;
};

}  // namespace

time_us now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

void read_server(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                 const endpoint& at, monitor::pq_parameters login,
                 std::chrono::milliseconds deadline, facts_handler done) {
    std::make_shared<reading>(io, std::move(names), deadline, std::move(done))
        ->start(at, std::move(login));
}

}  // namespace howdah::ha
