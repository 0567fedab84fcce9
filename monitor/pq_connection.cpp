#include "monitor/pq_connection.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <cassert>

namespace howdah::monitor {
namespace {

/// As many comma-separated copies as there are addresses: libpq pairs its lists by position.
std::string repeated(const std::string& value, std::size_t times) {
    std::string out = value;
    for (std::size_t i = 1; i < times; ++i)
        out += "," + value;
    return out;
}

std::string joined(const std::vector<std::string>& values) {
    std::string out;
    for (const auto& value : values)
        out += (out.empty() ? "" : ",") + value;
    return out;
}

std::string first_line(std::string_view text) {
    return std::string(text.substr(0, text.find('\n')));
}

pq_error error_of(const PGresult* result) {
    const char* code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    pq_error out;
    out.sqlstate = code ? code : "";
    out.message = text ? text : first_line(PQresultErrorMessage(result));
    return out;
}

}  // namespace

pq_connection::pq_connection(boost::asio::io_context& io, std::shared_ptr<resolver_cache> names)
    : socket_(io), deadline_(io), names_(std::move(names)) {}

pq_connection::~pq_connection() {
    disconnect();
}

void pq_connection::connect(const endpoint& to, pq_parameters parameters, milliseconds deadline,
                            connected done) {
    close();
    state_ = state::resolving;
    connected_ = std::move(done);
    host_ = to.host;
    arm_deadline(deadline);
    boost::asio::post(socket_.get_executor(), [self = shared_from_this(), to, epoch = epoch_,
                                               parameters = std::move(parameters)]() mutable {
        if (self->epoch_ != epoch) return;
        if (to.host.starts_with('/')) return self->start_connecting(to, std::move(parameters), {});
        if (!self->fixed_address_.empty())
            return self->start_connecting(to, std::move(parameters), {self->fixed_address_});
        self->names_->resolve(
            to.host, [weak = self->weak_from_this(), to, epoch, parameters = std::move(parameters)](
                         const std::vector<std::string>& addresses, const std::string& why) {
                const auto found = weak.lock();
                if (!found || found->epoch_ != epoch) return;
                if (addresses.empty())
                    return found->fail(
                        {.message = fmt::format("cannot resolve \"{}\": {}", to.host, why)});
                found->start_connecting(to, parameters, addresses);
            });
    });
}

void pq_connection::start_connecting(const endpoint& to, pq_parameters parameters,
                                     const std::vector<std::string>& addresses) {
    const auto count = addresses.empty() ? 1 : addresses.size();
    parameters.emplace_back("host", repeated(to.host, count));
    parameters.emplace_back("port", repeated(std::to_string(to.port), count));
    if (!addresses.empty()) parameters.emplace_back("hostaddr", joined(addresses));
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);

    state_ = state::connecting;
    conn_ = PQconnectStartParams(keywords.data(), values.data(), 0);
    if (!conn_) return fail({.message = "out of memory", .local = true});
    if (PQstatus(conn_) == CONNECTION_BAD) return fail(parse_connect_error(PQerrorMessage(conn_)));
    PQsetErrorVerbosity(conn_, PQERRORS_VERBOSE);
    PQsetNoticeProcessor(
        conn_, [](void*, const char*) {}, nullptr);
    wait(direction::write);
}

void pq_connection::poll_connect() {
    switch (PQconnectPoll(conn_)) {
        case PGRES_POLLING_READING:
            return wait(direction::read);
        case PGRES_POLLING_WRITING:
            return wait(direction::write);
        case PGRES_POLLING_OK:
            break;
        default: {
            auto error = parse_connect_error(PQerrorMessage(conn_));
            error.local = error.local || PQconnectionNeedsPassword(conn_);
            return fail(std::move(error));
        }
    }
    PQsetnonblocking(conn_, 1);
    state_ = state::idle;
    deadline_.cancel();
    wait(direction::read);
    std::exchange(connected_, {})(std::nullopt);
}

void pq_connection::query(const std::string& sql, milliseconds deadline, answered done) {
    begin_query(deadline, std::move(done));
    await_answer(PQsendQuery(conn_, sql.c_str()) != 0);
}

void pq_connection::query(const std::string& sql, const std::vector<std::string>& parameters,
                          milliseconds deadline, answered done) {
    begin_query(deadline, std::move(done));
    std::vector<const char*> values;
    for (const std::string& value : parameters)
        values.push_back(value.c_str());
    await_answer(PQsendQueryParams(conn_, sql.c_str(), static_cast<int>(values.size()), nullptr,
                                   values.data(), nullptr, nullptr, 0) != 0);
}

void pq_connection::begin_query(milliseconds deadline, answered done) {
    assert(idle());
    release_socket();
    state_ = state::busy;
    answered_ = std::move(done);
    arm_deadline(deadline);
}

void pq_connection::await_answer(bool sent) {
    if (sent) return wait(direction::write);
    boost::asio::post(socket_.get_executor(), [self = shared_from_this(), epoch = epoch_] {
        if (self->epoch_ == epoch) self->fail({.message = first_line(PQerrorMessage(self->conn_))});
    });
}

void pq_connection::resume_query() {
    const int unsent = PQflush(conn_);
    if (unsent < 0) return fail(parse_connect_error(PQerrorMessage(conn_)));
    if (unsent > 0) return wait(direction::write);
    const bool readable = PQconsumeInput(conn_);
    while (!PQisBusy(conn_)) {
        pq_result next(PQgetResult(conn_));
        if (!next) {
            // A fatal error ends the session, too: its text is in the result, if one came.
            if (PQstatus(conn_) == CONNECTION_BAD) break;
            return finish_query();
        }
        result_ = std::move(next);
    }
    if (readable && PQstatus(conn_) != CONNECTION_BAD) return wait(direction::read);
    if (result_ && PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE))
        return fail(error_of(result_.get()));
    fail(parse_connect_error(PQerrorMessage(conn_)));
}

void pq_connection::finish_query() {
    deadline_.cancel();
    state_ = state::idle;
    wait(direction::read);
    auto result = std::move(result_);
    auto done = std::exchange(answered_, {});
    switch (PQresultStatus(result.get())) {
        case PGRES_TUPLES_OK:
        case PGRES_COMMAND_OK:
        case PGRES_EMPTY_QUERY:
            return done(std::nullopt, std::move(result));
        default:
            return done(error_of(result.get()), nullptr);
    }
}

void pq_connection::resume_idle() {
    const bool readable = PQconsumeInput(conn_);
    if (readable && PQstatus(conn_) != CONNECTION_BAD) {
        PQisBusy(conn_);  // handles what arrived: parameter changes, a farewell error
        if (PQstatus(conn_) != CONNECTION_BAD) return wait(direction::read);
    }
    const auto reason = first_line(PQerrorMessage(conn_));
    const auto told = lost_;
    close();
    if (told) told(reason.empty() ? "the server closed the connection" : reason);
}

void pq_connection::wait(direction what) {
    // libpq may close or replace the socket in every call, so asio holds it only while waiting.
    socket_.assign(PQsocket(conn_));
    const auto type = what == direction::read ? boost::asio::posix::stream_descriptor::wait_read
                                              : boost::asio::posix::stream_descriptor::wait_write;
    socket_.async_wait(
        type, [self = shared_from_this(), epoch = epoch_](const boost::system::error_code& error) {
            if (!error && self->epoch_ == epoch) self->ready();
        });
}

void pq_connection::ready() {
    release_socket();
    switch (state_) {
        case state::connecting:
            return poll_connect();
        case state::busy:
            return resume_query();
        case state::idle:
            return resume_idle();
        case state::closed:
        case state::resolving:
            return;
    }
}

void pq_connection::arm_deadline(milliseconds bound) {
    bound_ = bound;
    deadline_.expires_after(bound);
    deadline_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
        const auto self = weak.lock();
        if (!error && self && self->deadline_.expiry() <= std::chrono::steady_clock::now())
            self->timed_out();
    });
}

void pq_connection::timed_out() {
    const bool connecting = state_ == state::connecting || state_ == state::resolving;
    if (!connecting && state_ != state::busy) return;
    if (state_ == state::connecting) names_->rotate(host_);
    fail({.message = fmt::format("{} timed out after {} ms", connecting ? "connect" : "query",
                                 bound_.count()),
          .timed_out = true});
}

void pq_connection::fail(pq_error error) {
    if (error.message.empty()) error.message = "the server closed the connection";
    auto connecting = std::exchange(connected_, {});
    auto asking = std::exchange(answered_, {});
    const auto self = shared_from_this();  // the handler may drop the last owner
    if (connecting) names_->doubt(host_);
    close();
    if (connecting) connecting(std::move(error));
    if (asking) asking(std::move(error), nullptr);
}

std::string pq_connection::address() const {
    const char* text = conn_ ? PQhostaddr(conn_) : nullptr;
    return text && *text != '/' ? text : "";
}

void pq_connection::close() {
    deadline_.cancel();
    connected_ = {};
    answered_ = {};
    disconnect();
}

void pq_connection::release_socket() {
    ++epoch_;
    if (socket_.is_open()) socket_.release();
}

void pq_connection::disconnect() {
    release_socket();
    state_ = state::closed;
    result_.reset();
    if (conn_) PQfinish(std::exchange(conn_, nullptr));
}

}  // namespace howdah::monitor
