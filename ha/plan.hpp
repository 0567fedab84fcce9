#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/candidate.hpp"
#include "ha/epoch.hpp"
#include "ha/sql_text.hpp"
#include "ha/topology.hpp"

namespace howdah::ha {

struct failover_intent;

enum class step_kind : std::uint8_t {
    // Howdah itself does these; they carry no SQL
    hold_writers,
    close_connections,  ///< every server connection to `at`
    publish,            ///< store the record of the new epoch, publish its ruling, release writers
    agent,              ///< a hook or a person runs `command` on the machine of `at`
    // and these are SQL at `at`
    check,      ///< only `done_when` is awaited
    capture,    ///< the value of the statement is kept under `captured_as`
    configure,  ///< settings, slots
    freeze,     ///< stop the WAL receiver
    promote,
    rewire,  ///< follow another upstream
    fence,   ///< make it useless for clients
};

/// What the executor does when a step fails or its time is over.
enum class on_failure : std::uint8_t {
    undo,    ///< undo what was done, in reverse order, and end
    go_on,   ///< note it; the server is listed as lost
    unknown  ///< neither done nor not done: keep asking, never do anything else instead
};

/// One idempotent step: where `done_when` holds, nothing is done.
struct step {
    step_kind kind = step_kind::check;
    int stage = 0;       ///< steps of one stage may run at the same time; stages follow each other
    std::string server;  ///< its name; "" = Howdah
    std::optional<endpoint> at;  ///< where the SQL goes, or what the step is about
    std::string what;            ///< a sentence
    /// SQL with one boolean that must be true right before; else the step fails.
    std::string guard;
    std::vector<statement> sql;  ///< sent one by one, outside a transaction
    /// SQL with one boolean; asked before (true: already done) and after, until it is true.
    std::string done_when;
    std::vector<statement> undo;
    std::string captured_as;  ///< `{name}` in the SQL of later steps stands for the value
    std::string command;      ///< agent: a shell command as it could look, for people
    /// agent: what a hook gets, with passwords. HOWDAH_ACTION is "stop", "rewind", "copy",
    /// "configure" or "start"; then HOWDAH_DATA_DIRECTORY, HOWDAH_SOURCE (connection string of the
    /// new primary) and HOWDAH_SLOT. To undo a "stop" is to "start".
    std::map<std::string, std::string> environment;
    time_us timeout_us = 2'000'000;
    on_failure failing = on_failure::undo;
    /// From here on nothing is undone any more.
    bool no_return = false;

    bool operator==(const step&) const = default;
};

/// An ordered list of steps, or the reason why there is none.
struct plan {
    std::string title;  ///< "failover of main: pg1 -> pg2"
    std::vector<step> steps;
    std::vector<std::string> notes;  ///< what it does not do, and why
    std::string impossible;          ///< not empty: there is no plan, because of this

    [[nodiscard]] bool possible() const { return impossible.empty(); }
};

/// The plan for people (--dry-run): numbered steps, each with its server and its SQL, no passwords.
[[nodiscard]] std::string to_text(const plan& one);

struct plan_options {
    durability promise = durability::async;
    /// Standbys that had no slot get one, too. Else each keeps its way.
    bool slots_for_all = false;
    /// A hook can stop, rewind, copy and start servers (`agent` steps).
    bool has_agent = false;
    time_us promote_timeout_us = 60'000'000;
    time_us rewire_timeout_us = 10'000'000;
    time_us drain_timeout_us = 10'000'000;  ///< switchover: for transactions under way
};

/// Makes receivers that may or may not stream from a dead primary find out: for a moment
/// wal_receiver_timeout is so short there that they ask the primary at once or within a second. A
/// live primary answers and nothing changes. Carry it out, read and decide until no standby is
/// quiet any more, and then undo it, whatever was decided.
[[nodiscard]] plan plan_confirmation(const cluster& subject, const std::vector<std::size_t>& quiet);

/// First part of a failover: hold writers, drop connections to the old primary, stop the receivers
/// of all standbys that answer. From then on their positions can be compared, and the old primary
/// gets no synchronous commit confirmed by them.
[[nodiscard]] plan plan_freeze(const cluster& subject, std::size_t old_primary);

/// Those that it stopped (all but `failed`), and whose facts do not say so: one session of a server
/// hears of a reload later than another.
[[nodiscard]] std::vector<endpoint> not_seen_frozen(const cluster& subject, const plan& freeze,
                                                    const std::vector<endpoint>& failed);

/// Second part, from facts read after the freeze: `choice` by `choose_candidate` over them.
[[nodiscard]] plan plan_promotion(const cluster& subject, std::size_t old_primary,
                                  const candidate_choice& choice, const cluster_record& record,
                                  const plan_options& options = {});

/// A failover or switchover was given up: a primary that the agent stopped for it is started again,
/// unless somebody else accepts writes by now; one that was fenced may write again; and the frozen
/// standbys follow again whom they followed.
[[nodiscard]] plan plan_unfreeze(const cluster& subject, const failover_intent& given_up);

/// Planned: the primary answers. Without an agent it cannot be stopped; it is fenced instead, and
/// will have to be rewound.
[[nodiscard]] plan plan_switchover(const cluster& subject, std::size_t primary,
                                   const candidate_choice& choice, const cluster_record& record,
                                   const plan_options& options = {});

/// Fences a server that accepts writes and was replaced, by SQL. Its guard looks again before.
[[nodiscard]] plan plan_fence(const cluster& subject, std::size_t server,
                              const cluster_record& record);

/// Makes a server a streaming standby of the writer again: by rewiring where its WAL lies on the
/// writer's history, else with rewinding or copying by the agent.
[[nodiscard]] plan plan_rejoin(const cluster& subject, std::size_t server, const judgement& judged,
                               const plan_options& options = {});

/// Lets a standby follow another server of its cluster.
[[nodiscard]] plan plan_rewire(const cluster& subject, std::size_t standby, std::size_t upstream,
                               const plan_options& options = {});

}  // namespace howdah::ha
