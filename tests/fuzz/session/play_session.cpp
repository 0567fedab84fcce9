#include <algorithm>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/messages.hpp"
#include "tests/fuzz/session/session_world.hpp"

// What an input of the fuzzer means: one byte for the variant, then operations of three bytes.
namespace howdah::fuzz {
namespace {

constexpr std::string_view texts[] = {
    "SELECT 1",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "ROLLBACK TO a",
    "RELEASE a",
    "SET application_name = 'x'",
    "SET application_name = 'y'",
    "RESET application_name",
    "SHOW application_name",
    "SET LOCAL application_name = 'l'",
    "SET search_path = 'a'",
    "SET LOCAL search_path = 'b'",
    "SHOW search_path",
    "SELECT set_config('mine.x', 'c', false)",
    "SELECT set_config('work_mem', '2MB', true)",
    "SELECT current_setting('work_mem')",
    "SHOW work_mem",
    "SELECT current_setting('search_path')",
    "CREATE TEMP TABLE mine (a int)",
    "DROP TABLE mine",
    "SELECT * FROM mine",
    "SELECT pg_advisory_lock(7)",
    "SELECT pg_advisory_unlock(7)",
    "LISTEN c",
    "UNLISTEN *",
    "PREPARE p1 AS SELECT 3",
    "EXECUTE p1",
    "DEALLOCATE p1",
    "DEALLOCATE s1",
    "DEALLOCATE ALL",
    "DISCARD ALL",
    "DISCARD TEMP",
    "DECLARE held CURSOR WITH HOLD FOR SELECT 5",
    "FETCH held",
    "CLOSE held",
    "COPY t FROM STDIN",
    "COPY t TO STDOUT",
    "INSERT INTO t SELECT 1",
    "SELECT 1/0",
    "SELEC 1",
    "",
    "SELECT two FROM t",
    "SELECT large FROM t",
    "SET bad_parameter = '1'",
    "RESET ALL",
    "SHOW howdah.lsn",
    "SET howdah.min_lsn = '1:0/10'",
    "BEGIN READ ONLY",
    "SELECT 1; SELECT 2",
    "SET application_name = 'm'; SELECT 1/0",
    "BEGIN; SET work_mem = '3MB'; COMMIT; SELECT 4",
    "BEGIN; SELECT 1/0; COMMIT",
    "SELECT 1; COPY t FROM STDIN; SELECT 2",
    "COMMIT; BEGIN",
    "ROLLBACK; SET application_name = 'r'",
    "SET work_mem = '5MB'",
    "SET role = 'bob'",
    "RESET role",
    "SHOW role",
    "/* hostgroup=20 */ SELECT 6",
    "DO $$ BEGIN NULL END $$",
    "SET client_encoding = 'SJIS'",
    "SET standard_conforming_strings = 'off'",
    "SHOW client_encoding",
};
constexpr std::string_view statement_names[] = {"", "s1", "s2", "s3", "s4", "howdah_1"};
constexpr std::string_view portal_names[] = {"", "c1"};

class bytes {
public:
    explicit bytes(std::string_view all) : left_(all) {}
    [[nodiscard]] bool more() const { return !left_.empty(); }
    [[nodiscard]] unsigned next() {
        if (left_.empty()) return 0;
        const auto value = static_cast<unsigned char>(left_.front());
        left_.remove_prefix(1);
        return value;
    }
    [[nodiscard]] std::string_view take(std::size_t n) {
        const std::string_view taken = left_.substr(0, n);
        left_.remove_prefix(taken.size());
        return taken;
    }

private:
    std::string_view left_;
};

std::string_view text(unsigned n) {
    return texts[n % std::size(texts)];
}
std::string_view statement(unsigned n) {
    return statement_names[n % std::size(statement_names)];
}
std::string_view portal(unsigned n) {
    return portal_names[n % std::size(portal_names)];
}

std::string query(unsigned n) {
    std::string out;
    protocol::append_query(out, text(n));
    return out;
}

void append_bind(std::string& out, std::string_view to, std::string_view of) {
    constexpr std::string_view nothing("\0\0\0\0\0\0", 6);
    protocol::append_bind_prefix(out, to, of, nothing.size());
    out += nothing;
}

/// A whole exchange: `parts` says what is in it.
std::string exchange(unsigned what, unsigned names, unsigned parts) {
    std::string out;
    const std::string_view s = statement(names % 4);
    const std::string_view p = portal(names / 4);
    if ((parts & 1) == 0) protocol::append_parse(out, s, text(what), {});
    if ((parts & 2) != 0) protocol::append_describe(out, 'S', s);
    if ((parts & 4) == 0) append_bind(out, p, s);
    if ((parts & 8) != 0) protocol::append_describe(out, 'P', p);
    if ((parts & 16) == 0) protocol::append_execute(out, p, static_cast<int>(parts >> 6 & 1));
    if ((parts & 32) == 0) {
        protocol::append_sync(out);
    } else if ((parts & 128) != 0) {
        protocol::append_flush(out);
    }
    return out;
}

std::string single(unsigned kind, unsigned a, unsigned b) {
    std::string out;
    switch (kind) {
        case 0:
            protocol::append_parse(out, statement(b), text(a), {});
            break;
        case 1:
            append_bind(out, portal(a), statement(b));
            break;
        case 2:
            protocol::append_describe(out, 'S', statement(b));
            break;
        case 3:
            protocol::append_describe(out, 'P', portal(b));
            break;
        case 4:
            protocol::append_execute(out, portal(a), static_cast<int>(b % 3));
            break;
        case 5:
            protocol::append_close(out, 'S', statement(b));
            break;
        case 6:
            protocol::append_close(out, 'P', portal(b));
            break;
        case 7:
            protocol::append_flush(out);
            break;
        case 8:
            protocol::append_sync(out);
            break;
        case 9:
            protocol::append_message(out, 'F', std::string_view("\0\0\0\1\0\0\0\0\0\0", 10));
            break;
        case 10:
            protocol::append_message(out, 'd',
                                     b % 8 == 0   ? std::string("BAD")
                                     : b % 8 == 1 ? std::string(30000, 'd')
                                                  : std::string("row"));
            break;
        case 11:
            protocol::append_message(out, 'c', {});
            break;
        default:
            protocol::append_message(out, 'f', std::string_view("no\0", 3));
            break;
    }
    return out;
}

void server_event(session_world& w, unsigned which, unsigned what, bytes& in) {
    std::string out;
    const auto error = [&](protocol::severity level, std::string_view state) {
        protocol::append_error(out, level, state, "terminating connection");
    };
    switch (what % 10) {
        case 0:
        case 1:
            protocol::append_notice(out, protocol::severity::notice, "00000", "by the way");
            return w.server_says(which, out);
        case 2:
            protocol::append_message(out, 'A', std::string_view("\0\0\0\1c\0p\0", 8));
            return w.server_says(which, out);
        case 3:
            return w.server_says_raw(which, in.take(1 + what / 10 % 24));
        case 4:
            error(protocol::severity::fatal, "57P01");
            return w.server_closes(which, out);
        case 5:
            return w.server_closes(which, {});
        case 6:
            return w.server_fails_next(which, {"0A000", "cached plan must not change result type",
                                               "RevalidateCachedQuery"});
        case 7:
            return w.server_fails_next(
                which, {"25006", "cannot execute this in a read-only transaction", {}});
        case 8:
            return w.server_fails_next(
                which, {"40001", "canceling statement due to conflict with recovery", {}});
        default:
            return w.server_fails_next(which, {"XX000", "out of luck", {}});
    }
}

void client_event(session_world& w, int client, unsigned what) {
    switch (what % 8) {
        case 0:
            w.close(client);
            break;
        case 1:
        case 2:
            w.connect(client);
            break;
        case 3:
            w.half_close(client);
            break;
        case 4:
            w.read_on(client, false);
            break;
        case 5:
            w.read_on(client, true);
            break;
        case 6: {
            std::string out;
            protocol::append_terminate(out);
            w.send(client, out);
            break;
        }
        default:
            w.cancel(client);
            break;
    }
}

}  // namespace

void play_session(std::string_view input) {
    bytes in(input);
    const unsigned first = in.next();
    variant how;
    how.session_pooling = (first & 15) == 3;
    how.statement_pooling = (first & 15) == 7;
    how.small_buffers = (first & 15) == 11;
    how.split = (first & 16) == 0;
    how.consistent = (first & 32) != 0;
    how.own_settings = (first & 64) != 0;
    how.max_connections = (first & 128) != 0 ? 2 : 1;
    session_world w(how);
    w.connect(0);
    w.connect(1);
    w.settle();
    for (int n = 0; in.more() && n < 200; ++n) {
        const unsigned op = in.next();
        const unsigned a = in.next();
        const unsigned b = in.next();
        const int client = (op & 64) != 0 ? 1 : 0;
        const unsigned kind = op & 31;
        if (kind < 5) {
            w.send(client, query(a));
        } else if (kind < 10) {
            w.send(client, exchange(a, kind - 5, b));
        } else if (kind < 23) {
            w.send(client, single(kind - 10, a, b));
        } else if (kind == 23) {
            w.send_raw(client, in.take(1 + a % 32));
        } else if (kind == 24) {
            w.cut_next(1 + a);
        } else if (kind == 25) {
            w.servers_answer((a & 1) == 0);
        } else if (kind == 26 || kind == 27) {
            server_event(w, a, b, in);
        } else if (kind == 28) {
            w.monitor_finds_dead((a & 1) != 0);
        } else if (kind == 29) {
            w.let_time_pass(std::chrono::milliseconds(10 * a * (1 + b)));
        } else {
            client_event(w, client, a);
        }
        if ((op & 32) == 0) w.settle();
    }
    w.finish();
}

}  // namespace howdah::fuzz
