#pragma once
#include <array>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "conf/overrides.hpp"
#include "conf/settings.hpp"
#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/gather.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/frame.hpp"
#include "protocol/wire/message_views.hpp"
#include "proxy/cache/query_cache.hpp"
#include "proxy/client_limits.hpp"
#include "proxy/pool/pool.hpp"
#include "proxy/read_floor.hpp"
#include "proxy/router.hpp"
#include "proxy/session/cancel_key.hpp"
#include "proxy/session/effects.hpp"
#include "proxy/session/prepared.hpp"
#include "proxy/session/settings.hpp"
#include "proxy/session/statement_plan.hpp"
#include "proxy/worker.hpp"
#include "proxy/worker_client.hpp"

namespace howdah::protocol {
struct error_view;
}

namespace howdah::proxy {

/// Who a client is, as its login found out.
struct client_identity {
    const pool_login* login = nullptr;
    std::shared_ptr<const conf::settings> config;  ///< keeps `user` and `database` alive
    const conf::user* user = nullptr;
    const conf::database* database = nullptr;  ///< null: it is not configured
    client_limits::place place;                ///< given back when the client has left
    std::string peer;
    settings_ptr settings;    ///< from the startup packet
    std::uint16_t minor = 0;  ///< negotiated protocol minor version

    /// A setting that the user or the database may have otherwise than everybody.
    template <class T>
    [[nodiscard]] T value_of(conf::overridable<T> what, const conf::variables& general) const {
        return conf::in_force(what, *user, database, general);
    }
};

/// One client after its login. Relays messages between it and the server connection that it holds
/// at the moment, and decides at every statement boundary whether it needs one, from where, and
/// whether it may be given back.
///
/// Event-driven: pump_client and pump_server do whatever can be done now, then arm the next
/// readiness event. An idle session holds no buffer, no coroutine frame and no server.
/// Lives on one worker; keeps itself alive until finish().
class session final : public worker_client,
                      public server_owner,
                      public server_waiter,
                      private protocol::deadline {
public:
    session(worker& w, protocol::stream client, client_identity who);
    ~session() override;

    /// Sends the answer to the login, with a server's help where nothing is known yet, and begins
    /// to relay. `pending` is what the client has sent already.
    void start(std::string_view pending);
    void cancel(std::string_view key) override;
    void cancel_running() override;
    void on_server_dead(const server_entry* server) override;
    /// A read that waits for a reader may have to go elsewhere.
    void on_snapshot() override;
    [[nodiscard]] bool is_covered_by(const traffic_scope& scope) const override;
    [[nodiscard]] bool holds_server(const traffic_scope& scope) const override;
    void on_sample() override;
    [[nodiscard]] client_report report() const override;
    /// Ends as soon as no transaction is open.
    void drain() override;
    void terminate(std::string_view sqlstate, std::string_view message) override;

private:
    /// Reads of one peer per wake-up before other sessions get their turn.
    static constexpr int read_rounds = 8;

    enum class phase : std::uint8_t { welcome, ready, resetting, closed };
    enum class scan_outcome : std::uint8_t { ready, more, failed };
    enum class routing : std::uint8_t {
        routed,   ///< the next message may go where it has to
        stalled,  ///< more input or a server must come first
        answered  ///< the batch was refused: the input has moved on
    };

    /// One routing unit: a Query, or extended messages up to Sync or Flush.
    struct batch {
        std::size_t end = 0;       ///< offset behind it
        bool complete = false;     ///< it ends with Sync (or is a Query)
        bool flush = false;        ///< it ends with Flush
        bool prepare_only = true;  ///< nothing in it executes
        bool needs_server = false;
        bool begins = false;  ///< it opens a transaction
        bool has_route = false;
        bool binds_named = false;  ///< a statement with a name: it may turn out to be stale
        route where;
        int flag = 0;  ///< of the rules, with which the next statement begins
        std::chrono::milliseconds delay{0};
        std::optional<std::uint32_t> retries;
        bool cached = false;  ///< a rule wants its result kept
    };
    /// What a client has bound, by whatever name.
    struct portal {
        statement_plan plan;
        own_statement own;         ///< null: the unnamed statement, or none that is known
        bool local = false;        ///< it is executed here
        bool shown = false;        ///< local: its row has been shown
        std::string parameters{};  ///< for the query log: a JSON array; empty: not wanted
    };
    /// A result that comes in now and is kept afterwards.
    struct recording {
        cache_key key;
        result_recording result;
        result_shape shape;
        std::chrono::milliseconds ttl;
        bool keep_empty;
    };
    /// What a batch of one statement asks for.
    struct cacheable_request {
        const statement_plan* plan;
        std::string_view text;  ///< that would be run
        std::string key;
        result_shape shape;
        std::optional<protocol::parse_view> parse;  ///< of the unnamed statement, in the batch
    };

    // session.cpp: life
    void on_server(server_ptr connection) override;
    void on_no_server(const server_login_error& why) override;
    bool on_attempt_failed(const server_entry* server) override;
    void on_server_readable(server_connection& from) override;
    void on_server_writable(server_connection& from) override;
    void on_deadline() override;
    void ask_for_server(int hostgroup);
    void request_server(int hostgroup, const server_entry* only);
    /// A read of read_consistency session: its reader, the writer, or a wait for a WAL sample.
    void ask_for_reader();
    void stop_waiting_for_sample();
    void note_seen();
    void note_runs(const sql::traits* what);
    [[nodiscard]] conf::read_consistency consistency() const;
    [[nodiscard]] const server_entry* writer_server() const;
    void attach(server_ptr connection);
    void release_server();
    /// `never_read`: it was waiting for a command, and has seen nothing of what it was sent since.
    void server_lost(std::string_view sqlstate, const std::string& why, bool never_read = false);
    void report_lost_server(std::string_view sqlstate, const std::string& why);
    void repeat_batch();
    void begin_welcome();
    void finish_welcome(std::string_view parameter_messages);
    void send_welcome();
    void refuse_login(std::string_view body);
    void client_gone();
    void finish();
    void want_client_read();
    void yield_client();
    void want_client_write();
    void flush_client();
    [[nodiscard]] bool sticky() const;
    /// Its hostgroup has multiplex 0: it keeps the server until it needs another hostgroup.
    [[nodiscard]] bool kept() const;
    /// The reasons for which it keeps its server.
    [[nodiscard]] std::uint16_t pins() const;
    /// What is set on a server of this hostgroup on which `there` is set: the client's settings but
    /// for ignore_session_variables.
    [[nodiscard]] settings_ptr settings_for(int hostgroup, const settings_ptr& there) const;
    [[nodiscard]] conf::pool_mode mode() const;
    [[nodiscard]] char status() const;
    void settings_changed();
    /// The peer without its port, as rules name it.
    [[nodiscard]] std::string_view client_address() const;

    // session_limits.cpp: how long things may take
    [[nodiscard]] std::chrono::milliseconds limit(
        conf::overridable<std::chrono::milliseconds> what) const;
    /// What is under way in the awaited hostgroup, so that nobody gets a server there; nullptr:
    /// nothing.
    [[nodiscard]] const std::string* held_because() const;
    [[nodiscard]] std::chrono::milliseconds longest_wait() const;
    /// The option that longest_wait comes from.
    [[nodiscard]] std::string_view wait_limit_name() const;
    /// For a wait that counts from `from`.
    void arm_wait_deadline(std::chrono::steady_clock::time_point from);
    /// A hold of the awaited hostgroup may have begun or ended.
    void follow_hold();
    void on_wait_deadline();
    void fail_wait(std::string_view sqlstate, const std::string& text, std::string_view hint = {});
    [[nodiscard]] std::string why_none_is_online() const;
    void send_wait_notice();
    void arm_idle_deadline();
    void arm_next_deadline(std::chrono::steady_clock::time_point now);
    /// Of what the server runs now: query_timeout, or what a rule says instead.
    [[nodiscard]] std::chrono::milliseconds statement_limit() const;
    /// A reply of a statement that a rule may limit is expected now.
    void note_limit(const rule_verdict* verdict);
    void begin_running();
    void end_running(char new_status);
    /// The client is gone in the middle of something: what becomes of that.
    void leave_running();
    /// query_timeout is over.
    void stop_statement();
    /// Shows the error of a statement that was stopped under its real cause; false: it is another.
    [[nodiscard]] bool show_stop_reason(std::string_view body);

    // session_client.cpp: from the client to the server
    void on_client_readable();
    void pump_client();
    [[nodiscard]] bool can_process() const;
    [[nodiscard]] bool read_client();
    [[nodiscard]] bool step();
    [[nodiscard]] bool need(std::size_t bytes);
    void flush_server();
    void consume_forwarded();
    void skip_message(const protocol::frame& f);
    [[nodiscard]] bool step_skipping(const protocol::frame& f);
    [[nodiscard]] bool step_copy(const protocol::frame& f, std::string_view data);
    [[nodiscard]] routing route_batch();
    [[nodiscard]] scan_outcome scan(batch& b);
    [[nodiscard]] scan_outcome scan_extended(batch& b);
    void add_route(batch& b, const statement_plan& plan, std::string_view query);
    void add_run(batch& b, const statement_plan& plan);
    [[nodiscard]] bool compatible(const batch& b) const;
    void learn_writes();
    void retain_batch(const batch& b);
    void fail_batch(std::string_view sqlstate, std::string_view message, std::string_view raw = {},
                    std::string_view hint = {});
    void answer(std::string text);
    void answer_ready();

    // session_rules.cpp: query rules
    /// Null: they say nothing of this statement. There are rules.
    [[nodiscard]] verdict_ptr judge(std::string_view query, const sql::digest& id, int flag);
    [[nodiscard]] statement_plan plan_statement(std::string_view query, int flag);
    /// Of the next statement of the batch at hand, which has this text.
    [[nodiscard]] const statement_plan& plan_of(std::string_view query);
    /// The same, when it is certain that the statement is dealt with.
    [[nodiscard]] statement_plan take_plan();
    void forget_plans();
    /// The batch that is kept begins again.
    void rewind_plans();
    /// Under the rules of today.
    [[nodiscard]] const statement_plan& plan_of(client_statement& own);
    /// The statement of that name, or the unnamed one; null if there is none.
    [[nodiscard]] const statement_plan* plan_of_statement(std::string_view name);
    [[nodiscard]] own_statement make_own(statement_ptr s, std::string_view sent,
                                         statement_plan plan);
    /// The statement is run, answered or refused now: counts hits, changes the flag.
    void obey(const rule_verdict* verdict);
    /// A rule's delay begins, for a statement of a session that has its server.
    [[nodiscard]] bool must_wait(const rule_verdict* verdict);
    void begin_delay(std::chrono::milliseconds delay);
    void end_delay();
    void cancel_delay();
    /// The error for a statement that is not run.
    [[nodiscard]] std::string refusal(const statement_plan& plan);
    /// No transaction would have to fail with the statement at hand.
    [[nodiscard]] bool fails_here() const;
    [[nodiscard]] bool refuse_query(const protocol::frame& f);
    [[nodiscard]] bool refuse_parse(const protocol::frame& f, std::string_view name);

    // session_cache.cpp: results that are kept (query cache)
    /// The batch at hand needs no server: it has been answered. Otherwise its result may be kept.
    [[nodiscard]] bool answer_from_cache(const batch& b);
    [[nodiscard]] std::optional<cacheable_request> find_cacheable(const batch& b);
    [[nodiscard]] bool is_cacheable(const statement_plan& plan) const;
    void give(const cacheable_request& request, const cached_result& result, const batch& b);
    /// The server is ready again.
    void keep_recorded(char new_status);
    /// Bytes of the server, as they are.
    void pass_to_client(std::string_view bytes) {
        w_.to_client.add(bytes);
        if (recording_) recording_->result.add(bytes);
    }

    // session_mirror.cpp: rules with mirror_hostgroup or mirror_flagOUT
    /// The statement is run now. `oids` and `bind_tail` (behind the names) are those of the
    /// extended protocol; null: the simple one.
    void mirror(const statement_plan& plan, std::string_view text,
                const std::string_view* oids = nullptr, std::string_view bind_tail = {});

    // session_statistics.cpp: what statements cost, and the query log
    /// It is sent now: the text that is run, and what it is run with (of a prepared one).
    void time_statement(reply_note& note, const statement_plan& plan, std::string_view text,
                        const portal* bound = nullptr);
    void log_statement(const logged_statement& what, const sql::digest* id,
                       const statement_outcome& outcome, int hostgroup) const;
    [[nodiscard]] bool logs_parameters() const;
    /// It was answered by the cache.
    void count_cached(const statement_plan& plan, const cacheable_request& request,
                      std::uint64_t rows);
    /// It has ended, with what was counted last.
    void count_transaction();
    /// The server has answered it.
    void count_statement(const reply_note& note, bool failed);
    /// A server raised it, for the client.
    void count_error(const protocol::error_view& error);

    // session_broken.cpp: a transaction whose server is lost
    [[nodiscard]] bool malformed(const protocol::frame& f);
    [[nodiscard]] bool step_broken(const protocol::frame& f, std::string_view data);
    void refuse_in_broken();

    // session_forward.cpp: one message to the server, or answered here
    [[nodiscard]] bool forward(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_query(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_parse(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_bind(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_describe(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_close(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_execute(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_flush(const protocol::frame& f, std::string_view data);
    [[nodiscard]] bool forward_sync(const protocol::frame& f, std::string_view data);
    /// As it is, for the server's own words about it.
    [[nodiscard]] bool forward_malformed(const protocol::frame& f, std::string_view data);
    void forward_raw(const protocol::frame& f, std::string_view data);
    void ensure_unnamed();
    /// Closes idle connections that are in the way of DROP DATABASE and the like.
    void make_room(const sql::traits* what) const;
    /// An earlier batch whose outcome is open changes what the name stands for.
    [[nodiscard]] bool is_undecided(std::string_view name) const;
    [[nodiscard]] bool earlier_batches_open() const;
    [[nodiscard]] bool wait_for_reply();
    [[nodiscard]] std::shared_ptr<const unnamed_statement> make_unnamed(
        const protocol::parse_view& parse, statement_plan plan);
    [[nodiscard]] portal& portal_at(std::string_view name);
    /// Null: nothing is known of it.
    [[nodiscard]] const portal* find_portal(std::string_view name) const;
    void forget_portal(std::string_view name);
    void forget_portals();

    // session_resets.cpp: RESET to a value that the client brought with its login
    [[nodiscard]] bool resets_own(const sql::traits& t) const;
    void note_resets(const sql::traits& t);
    void take_parameter(std::string_view body);
    void tell_parameters();
    /// The client's ReadyForQuery has to wait for undo_reset.
    [[nodiscard]] bool hold_ready();
    void undo_reset();
    void finish_undo();

    // session_statements.cpp: named statements of the client on its server connection
    enum class readiness : std::uint8_t { ready, wait, changed };
    /// Null if the client has no such name.
    [[nodiscard]] own_statement find_own(std::string_view name) const;
    [[nodiscard]] statement_ptr find_statement(std::string_view name) const;
    void forget_name(std::string_view name);
    [[nodiscard]] statement_ptr make_statement(std::string_view oids, const statement_plan& plan,
                                               std::string_view sent);
    prepared_on_server::entry& ensure_prepared(const statement_ptr& s);
    void close_on_server(const statement_ptr& s);
    void parse_on_server(const statement_ptr& s, const own_statement& own, std::string client_name);
    /// Prepares what a Bind needs, in the shape that the client has been shown.
    [[nodiscard]] readiness ready_to_bind(client_statement& own, bool described_again);
    /// Makes the server fail the Bind, so that its transaction does, too; the client gets `error`.
    void refuse_bind(const protocol::frame& f, std::string error);
    void refuse_changed(const protocol::frame& f);
    /// Whether the batch at hand describes the portal before it executes it.
    [[nodiscard]] bool describes_portal(std::string_view name, std::string_view behind) const;
    /// For a Describe of it: what will be shown, or that it has to be learnt.
    [[nodiscard]] reply_note describe_note(const own_statement& own, bool statement);
    void learn_shape(const server_replies::entry& e, char type, std::string_view body);
    [[nodiscard]] bool mend_statement(const protocol::error_view& error);
    void run_mended();

    // session_local.cpp: statements that Howdah answers itself
    [[nodiscard]] bool answered_here(const statement_plan& plan) const;
    [[nodiscard]] static bool returns_rows(const statement_plan& plan);
    static void append_local_description(std::string& out, const statement_plan& plan);
    void append_local_parameters(std::string& out, std::string_view name,
                                 const statement_plan& plan) const;
    /// False: the answer is not known yet; the message is looked at again later.
    [[nodiscard]] bool can_answer(const statement_plan& plan);
    /// Puts rows and CommandComplete into the note, or an error (false).
    [[nodiscard]] bool run_local(const statement_plan& plan, reply_note& note,
                                 std::int32_t max_rows = 0);
    /// In its turn, with or without a server.
    void expect_local(reply_note note);

    // session_server.cpp: from the server to the client
    void pump_server();
    [[nodiscard]] bool process_server();
    [[nodiscard]] bool take_server_message(const protocol::frame& f, std::string_view message,
                                           bool& stop);
    [[nodiscard]] bool must_see_whole(char type) const;
    void drain_local();
    /// Shows an error about a statement under the client's name for it; false: it is about none.
    [[nodiscard]] bool show_own_name(std::string_view body);
    /// Shows our words for what the server was made to refuse; false: it refuses something else.
    [[nodiscard]] bool refuse_in_place(std::string_view body, const std::string& refusal);
    void on_command_complete(std::string_view body);
    [[nodiscard]] bool on_server_error(std::string_view body);
    /// Passes a FATAL of the server on and ends the client.
    void fail_for_good(std::string_view body);
    void drop_statements();
    [[nodiscard]] static bool is_settled_later(server_replies& replies,
                                               const server_replies::entry& e);
    void on_skipped(server_replies& replies, server_replies::entry& e, bool failed);
    void on_done(server_replies::entry& e);
    void on_ready(char new_status);
    void at_sync();
    void count_pins();
    /// The pins that may be found needless.
    [[nodiscard]] std::uint16_t held_pins() const;
    [[nodiscard]] bool begin_pin_check();
    void begin_settings();
    void apply_settings(std::string_view sql);
    void end_settings();

    worker& w_;
    boost::intrusive_ptr<session> self_;
    login_counters* counted_ = nullptr;     ///< of its login, in the worker
    server_counters* exchanged_ = nullptr;  ///< ... of the server that it had last
    protocol::stream client_;
    client_identity who_;
    protocol::input_buffer in_;
    protocol::backlog to_client_;
    server_ptr server_;
    settings_ptr settings_;          ///< what the client believes to have set
    settings_ptr awaited_settings_;  ///< what its server connection has to have set
    std::int32_t pid_ = 0;
    const cancel_key cancel_key_;
    phase phase_ = phase::welcome;

    // Where the client's input stands.
    std::size_t cursor_ = 0;       ///< next message, offset in in_
    std::size_t cleared_ = 0;      ///< messages before this offset have a route
    std::size_t needed_ = 0;       ///< bytes behind cursor_ without which nothing can be decided
    std::size_t client_left_ = 0;  ///< rest of a message that streams through
    bool discard_left_ = false;
    bool client_readable_ = false;
    bool client_reading_ = false;
    bool client_yields_ = false;  ///< its turn comes again behind the others'
    bool client_writing_ = false;

    // What is going on.
    bool skip_to_sync_ = false;     ///< an error was shown: ignore the client until its Sync
    bool mid_batch_ = false;        ///< messages went to the server that no Sync has followed yet
    bool waits_for_reply_ = false;  ///< the next message depends on what is outstanding
    bool open_ended_ = false;       ///< the batch was routed before its end was seen
    bool flush_is_sync_ = false;    ///< its Flush becomes a Sync of ours
    bool applying_settings_ = false;
    bool pins_may_end_ = false;   ///< something ran after which a pin may be needless
    bool checking_pins_ = false;  ///< the server is asked which pins still hold
    bool retain_ = false;         ///< the input is kept so that the batch can be run again
    bool repeatable_ = false;     ///< ... also if its server is lost in the middle of it
    bool unread_ = false;         ///< ... if its server is lost and has not read any of it
    bool mending_ = false;       ///< run it again when the server is in sync: a statement was stale
    bool query_failed_ = false;  ///< an error answered the current Query
    bool broken_ = false;        ///< the transaction died with its server: 25P02 until ROLLBACK
    bool broken_reported_ = false;
    bool broken_ending_ = false;  ///< the client bound the end of the broken transaction
    bool force_writer_ = false;
    bool server_dirty_ = false;  ///< close it instead of giving it back
    bool draining_ = false;
    bool delaying_ = false;        ///< a rule holds the next statement back until delay_until_
    bool delay_over_ = false;      ///< ... has held it back
    bool refuse_next_ = false;     ///< it was cancelled meanwhile
    bool ruled_timeouts_ = false;  ///< a rule limits something that the server owes
    bool blames_rule_ = false;     ///< blames_timeout_, but it was that of a rule
    bool ended_by_us_ = false;     ///< terminate: its statement must not run on
    bool wait_notice_due_ = false;
    bool running_ = false;         ///< the server owes the client something, since running_since_
    bool blames_timeout_ = false;  ///< a cancel that the server reports was query_timeout's
    bool stopping_ = false;        ///< query_timeout has cancelled what runs
    bool said_goodbye_ = false;  ///< the client sent Terminate: what it sent before runs to its end
    bool batch_begins_ = false;
    bool consistent_read_ = false;  ///< the batch must not read an old state
    bool awaits_sample_ = false;
    bool paused_ = false;           ///< it waits for the end of a pause, not for a server
    bool held_ = false;             ///< it waits for the end of a failover or switchover
    bool awaits_position_ = false;  ///< SHOW howdah.lsn waits, not a read
    bool touched_ = false;          ///< something ran that reads or writes data
    bool splits_ = false;           ///< reads and writes of this client may go to different servers
    bool read_only_mode_ = false;
    bool safe_lexing_ = true;
    unsigned counted_pins_ = 0;  ///< that the counters know of
    std::uint16_t repeats_ = 0;
    std::uint16_t mends_ = 0;
    int flag_ = 0;            ///< flagIN with which the rules look at the next statement
    int batch_flag_ = 0;      ///< ... with which they looked at the batch that is kept
    std::uint64_t draw_ = 0;  ///< what decides where rules draw, for the batch at hand
    std::optional<std::uint32_t> retries_;  ///< a rule's, for the batch at hand
    int hostgroup_ = 0;                     ///< of the attached or awaited server
    const server_entry* avoid_ = nullptr;
    const server_entry* only_ = nullptr;  ///< the reader that the read waits for
    read_floor floor_;
    /// Since when reads of this session go to the writer that could go to a reader.
    std::chrono::steady_clock::time_point held_since_{};
    std::chrono::steady_clock::time_point position_asked_{};
    /// Replies of server_ that must be in before all names of statements are certain.
    std::size_t names_changed_at_ = 0;
    std::uint64_t groups_seen_ = 0;  ///< version of the hostgroups among which it last chose
    std::optional<conf::read_consistency> own_consistency_;
    /// Where the client has connected to; filled in when a rule asks.
    std::unique_ptr<const protocol::socket_address> reached_;
    std::string settings_error_;
    struct {
        /// Parameters of the login that have gone to the server's value, and what sets the
        /// client's.
        std::vector<std::pair<std::string, std::string>> pending;
        bool held = false;    ///< the client waits meanwhile
        bool undone = false;  ///< in this transaction: the client's own values are set again
        bool left = false;    ///< in this transaction: somewhere they could not be
    } resets_;
    /// What the client has been told of parameters, while it is told nothing.
    std::optional<reported_parameters> told_;
    std::chrono::steady_clock::time_point last_active_;
    std::chrono::steady_clock::time_point wait_until_{};
    std::chrono::steady_clock::time_point delay_until_{};
    std::chrono::steady_clock::time_point answered_{};  ///< the statement that was counted last
    std::chrono::steady_clock::time_point running_since_{};
    std::chrono::steady_clock::time_point transaction_since_{};  ///< of the clock: none
    std::chrono::steady_clock::time_point
        transaction_asked_{};                             ///< its first statement, for statistics
    std::chrono::steady_clock::time_point wait_since_{};  ///< of the clock: it does not wait

    std::vector<statement_plan> batch_plans_;
    std::size_t next_plan_ = 0;
    std::unique_ptr<client_statements> statements_;
    std::shared_ptr<const unnamed_statement> unnamed_;
    portal unnamed_portal_;
    std::unique_ptr<std::map<std::string, portal, std::less<>>> portals_;  ///< with a name
    std::vector<std::string> fresh_names_;  ///< statements first named in a retained batch
    std::unique_ptr<recording> recording_;
    std::array<char, 5> failed_with_{};  ///< SQLSTATE of the latest error of a server
    transaction_effects effects_;
};

}  // namespace howdah::proxy
