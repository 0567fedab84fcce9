#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace howdah::fuzz {

/// One backend of PostgreSQL behind its login, as far as a proxy can tell: bytes in, bytes out, no
/// clock and no socket. It knows the two protocols, transactions and savepoints, COPY, and the
/// statements of `texts`; whatever else it is asked is a SELECT of one row.
class scripted_postgres {
public:
    using settings = std::map<std::string, std::string>;

    /// `login`: parameters of the start-up packet, which RESET goes back to.
    explicit scripted_postgres(bool standby = false, settings login = {})
        : standby_(standby), login_(std::move(login)) {
        (void)changed_parameters();
    }

    void feed(std::string_view bytes);

    /// Everything that it has said.
    [[nodiscard]] const std::string& said() const { return said_; }
    /// How much of it PostgreSQL would have sent by now.
    [[nodiscard]] std::size_t sent() const { return sent_; }
    /// How much of it a client may count on: behind a Flush, a Sync or a Query.
    [[nodiscard]] std::size_t promised() const { return promised_; }
    [[nodiscard]] bool closed() const { return closed_; }
    /// It was sent something that no client sends: an Execute of what Howdah answers itself twice,
    /// a Parse of what deallocates itself, a Describe in a transaction that has failed.
    [[nodiscard]] bool misused() const { return misused_; }
    [[nodiscard]] char status() const { return status_; }
    /// What a client has been told last of the parameters that are reported.
    [[nodiscard]] const settings& reported() const { return reported_; }

    /// The next statement that is executed (or, with a routine, bound) fails with this.
    struct fault {
        std::string sqlstate;
        std::string message;
        std::string routine;
    };
    void fail_next(fault f) { fault_ = std::move(f); }
    void forget_fault() { fault_.reset(); }

private:
    struct outcome {
        std::string tag{};
        std::vector<std::string> rows{};
        bool has_rows = false;
        char copy = 0;
        std::string sqlstate{};
        std::string message{};
    };
    struct portal {
        std::string sql;
        bool done = false;
        std::deque<std::string> rows;
    };
    /// What a rollback undoes.
    struct state {
        settings values;
        settings local;
        std::set<std::string> tables;
        std::set<std::string> channels;
        std::set<std::string> cursors;
    };

    void serve(char type, std::string_view body);
    void extended(char type, std::string_view body);
    void copy_message(char type, std::string_view body);
    void run_queue();
    void ready();
    void reply(char type, std::string_view body = {});
    void fail(std::string_view sqlstate, std::string_view message, std::string_view routine = {});
    void fatal(std::string_view message);
    [[nodiscard]] bool show(const outcome& o);
    [[nodiscard]] outcome perform(const std::string& sql);
    [[nodiscard]] outcome transaction(const std::string& sql);
    [[nodiscard]] outcome set(const std::string& sql);
    [[nodiscard]] std::string pin_check(std::string_view sql) const;
    void begin_implicit();
    void commit();
    void roll_back();
    void put(const std::string& name, const std::string& value, bool local);
    [[nodiscard]] std::string value_of(const std::string& name) const;
    [[nodiscard]] settings changed_parameters();

    bool standby_;
    settings login_;
    std::string in_;
    std::string said_;
    std::size_t sent_ = 0;
    std::size_t promised_ = 0;
    bool closed_ = false;
    bool misused_ = false;
    char status_ = 'I';
    bool implicit_ = false;
    bool read_only_ = false;
    bool extended_ = false;
    bool skipping_ = false;
    bool copying_ = false;
    std::size_t copied_ = 0;
    std::deque<std::string> queue_;  // the rest of a Query's string
    bool several_ = false;
    bool own_portal_ = false;
    state now_;
    state before_;
    std::vector<std::pair<std::string, state>> savepoints_;
    std::map<std::string, std::string> prepared_;
    std::map<std::string, portal> portals_;
    std::map<std::string, int> locks_;
    std::set<std::string> by_sql_;
    settings reported_;
    std::optional<fault> fault_;
};

/// A value that nobody compares.
inline constexpr std::string_view anything = "*";

}  // namespace howdah::fuzz
