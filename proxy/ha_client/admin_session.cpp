#include "proxy/ha_client/admin_session.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>

#include "monitor/pq_connection.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::proxy::ha_client {
namespace {

std::string field(const PGresult* result, int code) {
    const char* text = PQresultErrorField(result, code);
    return text ? text : "";
}

}  // namespace

admin_session::admin_session(const login& as) : as_(as) {
    const auto port = std::to_string(as.port);
    std::vector<const char*> names{"host", "port", "user", "dbname", "application_name",
                                   // A host that vanishes does not answer for ever.
                                   "keepalives_idle", "keepalives_interval", "keepalives_count"};
    std::vector<const char*> values{
        as.host.c_str(), port.c_str(), as.user.c_str(), "admin", "howdah ha", "10", "5", "3"};
    if (as.password) {
        names.push_back("password");
        values.push_back(as.password->c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
    connection_.reset(PQconnectStartParams(names.data(), values.data(), 0));
    if (!connection_) throw std::bad_alloc();
    // Only so does libpq's text have the SQLSTATE of a failed login.
    PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
    PQsetNoticeReceiver(
        connection_.get(),
        [](void* notices, const PGresult* notice) {
            static_cast<std::vector<std::string>*>(notices)->push_back(
                field(notice, PG_DIAG_MESSAGE_PRIMARY));
        },
        &notices_);
    await_login();
    try {
        (void)ask("SELECT count(*) FROM stats.howdah_commands");
    } catch (const refused&) {
        throw no_answer(as_.place() + " is not the admin interface of a Howdah");
    }
}

void admin_session::await_login() {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + as_.patience;
    auto next = PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED
                                                              : PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) explain_failed_login();
        pollfd socket{PQsocket(connection_.get()),
                      static_cast<short>(next == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
        const int ready = left > 0 ? ::poll(&socket, 1, static_cast<int>(left)) : 0;
        if (ready == 0)
            throw no_answer(fmt::format("no Howdah answers at {} within {} s", as_.place(),
                                        as_.patience.count()));
        if (ready < 0 && errno == EINTR) continue;
        next = PQconnectPoll(connection_.get());
    }
}

void admin_session::explain_failed_login() {
    const auto error = monitor::parse_connect_error(PQerrorMessage(connection_.get()));
    // Howdah has a database of that name, whoever else may listen there.
    if (error.sqlstate == "3D000")
        throw no_answer(as_.place() + " is not the admin interface of a Howdah");
    if (monitor::classify(error) != monitor::probe_result::alive)
        throw no_answer(fmt::format("no Howdah answers at {}: {}", as_.place(), error.message));
    refused out(error.message);
    out.sqlstate = error.sqlstate;
    if (PQconnectionNeedsPassword(connection_.get()))
        out.hint = "Set PGPASSWORD, or name the configuration file that has it (--config).";
    else if (error.sqlstate.starts_with("28"))
        out.hint = fmt::format(
            "The users are those of admin_admin_credentials{}. Without --config, PGPASSWORD and "
            "--user say who you are.",
            as_.password
                ? ", here as in the configuration file; the running Howdah may have others "
                  "(LOAD ADMIN VARIABLES, datadir)"
                : "");
    throw out;
}

answer admin_session::ask(const std::string& sql) {
    // One statement, whatever is in it: the extended protocol takes no more.
    const monitor::pq_result result(
        PQexecParams(connection_.get(), sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
        refused out(field(result.get(), PG_DIAG_MESSAGE_PRIMARY));
        out.sqlstate = field(result.get(), PG_DIAG_SQLSTATE);
        out.detail = field(result.get(), PG_DIAG_MESSAGE_DETAIL);
        out.hint = field(result.get(), PG_DIAG_MESSAGE_HINT);
        if (out.sqlstate.empty())
            throw no_answer(
                fmt::format("Howdah at {} went away in the middle: what was begun goes on, there "
                            "or after its next start (howdah ha history)",
                            as_.place()));
        if (out.sqlstate == protocol::sqlstate::admin_shutdown)
            throw no_answer(fmt::format("{}. {}", out.what(), out.hint));
        throw out;
    }
    answer out;
    const int columns = PQnfields(result.get());
    for (int i = 0; i < columns; ++i)
        out.columns.emplace_back(PQfname(result.get(), i));
    for (int row = 0; row < PQntuples(result.get()); ++row) {
        auto& cells = out.rows.emplace_back();
        for (int i = 0; i < columns; ++i)
            cells.push_back(PQgetisnull(result.get(), row, i)
                                ? std::nullopt
                                : std::optional<std::string>(PQgetvalue(result.get(), row, i)));
    }
    return out;
}

std::vector<std::string> admin_session::take_notices() {
    return std::exchange(notices_, {});
}

}  // namespace howdah::proxy::ha_client
