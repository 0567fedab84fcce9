#include "ha/server_link.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace howdah::ha {

using monitor::pq_error;
using monitor::pq_result;

server_link::server_link(boost::asio::io_context& io,
                         std::shared_ptr<monitor::resolver_cache> names, endpoint at,
                         monitor::pq_parameters login)
    : io_(io), names_(std::move(names)), at_(std::move(at)), login_(std::move(login)) {}

server_link::~server_link() {
    if (connection_) connection_->close();
}

boost::asio::awaitable<sql_answer> server_link::ask(std::string sql,
                                                    std::chrono::milliseconds deadline) {
    auto start = [this, &sql, deadline](auto handler) {
        auto kept = std::make_shared<decltype(handler)>(std::move(handler));
        begin(sql, deadline, [kept](sql_answer answer) { std::move (*kept)(std::move(answer)); });
    };
    auto answer =
        co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>,
                                             void(sql_answer)>(start, boost::asio::use_awaitable);
    co_return answer;
}

void server_link::begin(const std::string& sql, std::chrono::milliseconds deadline, answered done) {
    done_ = std::move(done);
    if (open()) return send(sql, deadline);
    connection_ = std::make_shared<monitor::pq_connection>(io_, names_);
    ++session_;
    // `sql` lives as long as the coroutine that waits.
    connection_->connect(at_, login_, deadline,
                         [this, &sql, deadline](const std::optional<pq_error>& error) {
                             if (error) return finish({error, {}});
                             send(sql, deadline);
                         });
}

void server_link::send(const std::string& sql, std::chrono::milliseconds deadline) {
    connection_->query(
        sql, deadline, [this](const std::optional<pq_error>& error, const pq_result& rows) {
            sql_answer answer{error, {}};
            if (!error && rows && PQntuples(rows.get()) > 0 && PQnfields(rows.get()) > 0)
                answer.value.assign(PQgetvalue(rows.get(), 0, 0),
                                    static_cast<std::size_t>(PQgetlength(rows.get(), 0, 0)));
            finish(std::move(answer));
        });
}

void server_link::finish(sql_answer answer) {
    if (done_) std::exchange(done_, {})(std::move(answer));
}

void server_link::close() {
    if (connection_) connection_->close();
    if (!done_) return;
    boost::asio::post(io_, [done = std::exchange(done_, {})] {
        done({pq_error{.message = "the session was given up"}, {}});
    });
}

boost::asio::awaitable<sql_answer> link_pool::ask(endpoint at, std::string sql,
                                                  std::chrono::milliseconds deadline) {
    std::unique_ptr<server_link> link;
    auto& idle = free_[at];
    if (idle.empty()) {
        link = std::make_unique<server_link>(io_, names_, at, login_(at));
    } else {
        link = std::move(idle.back());
        idle.pop_back();
    }
    const auto generation = generation_;
    busy_.push_back(link.get());
    auto answer = co_await link->ask(std::move(sql), deadline);
    std::erase(busy_, link.get());
    if (generation == generation_ && link->open()) free_[at].push_back(std::move(link));
    co_return answer;
}

void link_pool::clear() {
    ++generation_;
    free_.clear();
}

void link_pool::abort() {
    clear();
    for (auto* link : busy_)
        link->close();
}

}  // namespace howdah::ha
