#include <future>

#include "conf/rule_values.hpp"
#include "proxy/sql/digest.hpp"
#include "proxy/worker.hpp"
#include "tests/support/loopback/running_proxy.hpp"

namespace howdah::tests {
namespace {

using strings = std::vector<std::string>;
const std::string from_reader = "T D(r1) C(SELECT 1) Z(I)";
const std::string from_writer = "T D(writer) C(SELECT 1) Z(I)";
const std::string inserted = "C(INSERT 0 1) Z(I)";
const std::string not_run = "E(42501) Z(I)";

class rules : public loopback {
protected:
    /// One row per rule, without its braces.
    void start_with(const strings& rows, const std::string& more = {},
                    const std::string& variables = {}) {
        std::string sections = "query_rules:\n";
        for (const std::string& row : rows)
            sections += "  - {" + row + "}\n";
        start({.variables = variables,
               .user = "",
               .more_users = "  - {username: bob, password: x, default_hostgroup: 10}\n",
               .sections = sections + more});
    }
    std::vector<proxy::rule_hits::row> hits() {
        std::promise<std::vector<proxy::rule_hits::row>> answer;
        app().shared().workers.front()->on_thread(
            [&](proxy::worker& w) { answer.set_value(w.hits.read(w.now->rules)); });
        return answer.get_future().get();
    }
};

TEST_F(rules, send_statements_to_their_hostgroup_in_both_protocols) {
    add_reader("r1");
    start_with({"rule_id: 1, match_digest: '^select', destination_hostgroup: 10, apply: 1",
                "rule_id: 2, match_pattern: 'log', destination_hostgroup: 20"});
    client c = connect();
    EXPECT_EQ(c.ask("SELECT 1"), from_writer);
    EXPECT_EQ(c.send(run("SELECT 2") + sync()).until_ready(), "1 2 D(writer) C(SELECT 1) Z(I)");
    EXPECT_EQ(c.ask("INSERT INTO log"), inserted);
    EXPECT_EQ(c.send(run("INSERT INTO log VALUES (2)") + sync()).until_ready(),
              "1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(parse("s", "INSERT INTO log VALUES (3)") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.ask("INSERT INTO other"), inserted);
    EXPECT_EQ(writer.count("Q INSERT INTO other"), 1);
    EXPECT_EQ(writer.count("Q INSERT INTO log"), 0);
    EXPECT_EQ(readers.front().count("Q INSERT INTO log"), 1);
    EXPECT_EQ(readers.front().count("E "), 2);
}

TEST_F(rules, decide_for_a_batch_whose_end_is_not_in_sight_too) {
    add_reader("r1");
    start_with({"rule_id: 1, match_digest: '^select', destination_hostgroup: 20"});
    client c = connect();
    c.send(run("SELECT nextval('s')") + flush());
    EXPECT_EQ(c.next(4), "1 2 D(r1) C(SELECT 1)");
    EXPECT_EQ(c.send(sync()).until_ready(), "Z(I)");
}

TEST_F(rules, do_not_take_a_transaction_apart) {
    add_reader("r1");
    start_with({"rule_id: 1, match_digest: '^select', destination_hostgroup: 20"});
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("SELECT 1"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(c.ask("SELECT 1"), from_reader);
}

TEST_F(rules, know_where_a_client_comes_from_and_what_it_has_connected_to) {
    start_with({"rule_id: 1, client_addr: 127.0.0.1, match_pattern: a, error_msg: a",
                "rule_id: 2, client_addr: 128.%, match_pattern: b, error_msg: b",
                "rule_id: 3, proxy_addr: 127.0.0.1, match_pattern: c, error_msg: c",
                "rule_id: 4, proxy_port: 1, match_pattern: d, error_msg: d"});
    client c = connect();
    EXPECT_EQ(c.ask("INSERT a"), not_run);
    EXPECT_EQ(c.ask("INSERT b"), inserted);
    EXPECT_EQ(c.ask("INSERT c"), not_run);
    EXPECT_EQ(c.ask("INSERT d"), inserted);
}

TEST_F(rules, refuse_a_statement_before_any_server_hears_of_it) {
    start_with({"rule_id: 1, match_digest: '^delete', error_msg: 'nothing is deleted here'"});
    client c = connect();
    EXPECT_EQ(c.ask("DELETE FROM t"), not_run);
    EXPECT_EQ(c.error_text(), "nothing is deleted here");
    EXPECT_EQ(c.send(run("DELETE FROM t") + sync()).until_ready(), not_run);
    EXPECT_EQ(c.send(parse("s", "DELETE FROM t") + sync()).until_ready(), not_run);
    EXPECT_EQ(c.send(parse("s", "DELETE FROM t") + describe('S', "s") + flush()).next(),
              "E(42501)");
    EXPECT_EQ(c.send(sync()).until_ready(), "Z(I)");
    EXPECT_TRUE(writer.seen_messages().empty());
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(), "E(26000) Z(I)")
        << "the statement was not prepared";
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(rules, that_refuse_a_statement_let_its_transaction_fail) {
    start_with({"rule_id: 1, match_digest: '^delete', error_msg: no"});
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("DELETE FROM t"), "E(42501) Z(E)");
    EXPECT_EQ(c.error_text(), "no");
    EXPECT_EQ(c.ask("INSERT 1"), "E(25P02) Z(E)");
    EXPECT_EQ(c.ask("DELETE FROM t"), "E(42501) Z(E)");
    EXPECT_EQ(c.ask("COMMIT"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.send(run("DELETE FROM t") + run("INSERT 2") + sync()).until_ready(),
              "E(42501) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(writer.count("Q DELETE FROM t"), 0);
    EXPECT_EQ(writer.count("P |DELETE FROM t"), 0);
    EXPECT_EQ(c.ask("INSERT 3"), inserted);
}

TEST_F(rules, that_refuse_a_statement_undo_what_precedes_it_in_its_batch) {
    start_with({"rule_id: 1, match_digest: '^delete', error_msg: no"});
    client c = connect();
    c.send(run("INSERT 1") + run("DELETE FROM t") + run("INSERT 2") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 C(INSERT 0 1) E(42501) Z(I)");
    EXPECT_EQ(writer.count("P |refused by a query rule of Howdah"), 1)
        << "the server has to roll the first statement back";
    EXPECT_EQ(writer.count("P |INSERT 2"), 0);
    EXPECT_EQ(c.ask("INSERT 3"), inserted);
}

TEST_F(rules, do_not_count_what_an_error_makes_void) {
    start_with({"rule_id: 1, match_digest: '^delete', error_msg: no",
                "rule_id: 2, match_digest: '^insert', next_query_flagIN: 7"});
    client c = connect();
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    c.send(run("DELETE FROM t") + run("INSERT 1") + sync());
    EXPECT_EQ(c.until_ready(), "E(42501) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(hits(), (std::vector<proxy::rule_hits::row>{{1, 1}, {2, 0}}));
    EXPECT_EQ(c.ask("DELETE FROM t"), not_run) << "the flag is still 0";
}

TEST_F(rules, that_refuse_one_statement_of_a_pipeline_leave_the_others_in_order) {
    start_with({"rule_id: 1, match_digest: '^delete', error_msg: no"});
    client c = connect();
    c.send(query("INSERT 1") + query("DELETE FROM t") + query("INSERT 2") + run("DELETE FROM t") +
           sync() + run("INSERT 3") + sync());
    EXPECT_EQ(c.until_ready(5), inserted + " " + not_run + " " + inserted + " " + not_run +
                                    " 1 2 C(INSERT 0 1) Z(I)");
}

TEST_F(rules, answer_in_the_place_of_a_server) {
    start_with({"rule_id: 1, match_digest: '^notify', OK_msg: 'NOTIFY'"});
    client c = connect();
    EXPECT_EQ(c.ask("NOTIFY x"), "C(NOTIFY) Z(I)");
    EXPECT_EQ(c.send(run("NOTIFY x") + sync()).until_ready(), "1 2 C(NOTIFY) Z(I)");
    EXPECT_EQ(c.send(parse("s", "NOTIFY x") + describe('S', "s") + sync()).until_ready(),
              "1 t n Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + describe('P', "") + execute("") + sync()).until_ready(),
              "2 n C(NOTIFY) Z(I)");
    EXPECT_EQ(c.send(bind("p", "s") + describe('P', "p") + flush()).next(2), "2 n");
    EXPECT_EQ(c.send(execute("p") + sync()).until_ready(), "C(NOTIFY) Z(I)");
    EXPECT_EQ(c.send(bind("p", "s") + close('P', "p") + execute("p") + sync()).until_ready(),
              "2 3 E(34000) Z(I)");
    EXPECT_EQ(c.send(parse("s", "NOTIFY y") + sync()).until_ready(), "E(42P05) Z(I)");
    EXPECT_EQ(c.send(close('S', "s") + sync()).until_ready(), "3 Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + sync()).until_ready(), "E(26000) Z(I)");
    writer.forget();
    EXPECT_EQ(c.ask("NOTIFY x"), "C(NOTIFY) Z(I)");
    EXPECT_TRUE(writer.seen_messages().empty());
}

TEST_F(rules, that_answer_need_no_server) {
    start_with({"rule_id: 1, match_digest: '^notify', OK_msg: 'NOTIFY'"});
    client c = connect();
    writer.die();
    EXPECT_EQ(c.ask("NOTIFY x"), "C(NOTIFY) Z(I)");
    EXPECT_EQ(c.send(run("NOTIFY x") + sync()).until_ready(), "1 2 C(NOTIFY) Z(I)");
}

TEST_F(rules, that_answer_do_so_among_other_statements) {
    start_with({"rule_id: 1, match_digest: '^notify', OK_msg: 'NOTIFY'"});
    client c = connect();
    c.send(run("INSERT 1") + run("NOTIFY x") + run("INSERT 2") + sync());
    EXPECT_EQ(c.until_ready(), "1 2 C(INSERT 0 1) 1 2 C(NOTIFY) 1 2 C(INSERT 0 1) Z(I)");
    c.send(query("INSERT 1") + query("NOTIFY x") + query("INSERT 2"));
    EXPECT_EQ(c.until_ready(3), inserted + " C(NOTIFY) Z(I) " + inserted);
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("NOTIFY x"), "C(NOTIFY) Z(T)");
    EXPECT_EQ(c.send(run("NOTIFY x") + sync()).until_ready(), "1 2 C(NOTIFY) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    EXPECT_EQ(writer.count("Q NOTIFY x") + writer.count("P |NOTIFY x"), 0);
}

TEST_F(rules, that_answer_describe_the_parameters_that_a_statement_uses) {
    start_with({"rule_id: 1, match_digest: '^notify', OK_msg: 'NOTIFY'"});
    client c = connect();
    c.send(parse("", "NOTIFY $2, $1") + describe('S', "") + sync());
    EXPECT_EQ(c.next(), "1");
    EXPECT_EQ(c.bytes(15), std::string("t\0\0\0\x0e\0\x02\0\0\0\x19\0\0\0\x19", 15));
    EXPECT_EQ(c.until_ready(), "n Z(I)");
}

TEST_F(rules, belong_to_the_client_that_has_prepared_a_statement) {
    start_with({"rule_id: 1, username: alice, match_digest: '^insert', OK_msg: 'INSERT 0 9'"});
    client alice = connect();
    client bob = connect({}, "bob");
    for (client* c : {&alice, &bob})
        EXPECT_EQ(c->send(parse("s", "INSERT 1") + sync()).until_ready(), "1 Z(I)");
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(alice.send(bind("", "s") + execute("") + sync()).until_ready(),
                  "2 C(INSERT 0 9) Z(I)");
        EXPECT_EQ(bob.send(bind("", "s") + execute("") + sync()).until_ready(),
                  "2 C(INSERT 0 1) Z(I)");
    }
    EXPECT_EQ(writer.count("E "), 2);
}

TEST_F(rules, limit_the_time_of_a_statement) {
    start_with({"rule_id: 1, match_pattern: slow, timeout: 20"});
    writer.on("INSERT slow", [](backend& b) {
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    client c = connect();
    EXPECT_EQ(c.ask("INSERT slow"), "E(57014) Z(I)");
    EXPECT_EQ(c.error_text(), "canceling statement due to the timeout of a query rule");
    EXPECT_EQ(c.send(run("INSERT slow") + sync()).until_ready(), "1 2 E(57014) Z(I)");
    EXPECT_EQ(c.send(parse("s", "INSERT slow") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + flush()).next(), "2");
    EXPECT_EQ(c.send(execute("") + flush()).next(), "E(57014)");
    EXPECT_EQ(c.send(sync()).until_ready(), "Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(rules, may_give_a_statement_more_time_than_others) {
    start_with({"rule_id: 1, match_pattern: slow, timeout: 1h"}, {}, "query_timeout: 20\n");
    event& go_on = make_event();
    writer.on("INSERT slow", [&](backend& b) {
        go_on.wait();
        b.complete("INSERT 0 1");
    });
    writer.on("INSERT other", [](backend& b) {
        b.wait_for_cancel();
        b.error("57014", "canceling statement due to user request");
    });
    client slow = connect();
    client other = connect();
    slow.send(query("INSERT slow"));
    writer.wait_for("Q INSERT slow");
    EXPECT_EQ(other.ask("INSERT other"), "E(57014) Z(I)");
    EXPECT_EQ(other.error_text(), "canceling statement due to query_timeout");
    go_on.set();
    EXPECT_EQ(slow.until_ready(), inserted);
}

TEST_F(rules, hold_a_statement_back_and_nobody_else) {
    start_with({"rule_id: 1, match_pattern: later, delay: 30",
                "rule_id: 2, match_pattern: never, delay: 1h"});
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("INSERT later"), inserted);
    EXPECT_EQ(c.send(run("INSERT later") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.send(query("INSERT 1") + query("INSERT later") + query("INSERT 2")).until_ready(3),
              inserted + " " + inserted + " " + inserted);
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("INSERT later"), "C(INSERT 0 1) Z(T)");
    EXPECT_EQ(c.send(run("INSERT later") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(T)");
    EXPECT_EQ(c.ask("COMMIT"), "C(COMMIT) Z(I)");
    c.send(query("INSERT never"));
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.count("Q INSERT never"), 0);
}

TEST_F(rules, that_hold_a_statement_back_let_it_be_cancelled) {
    start_with({"rule_id: 1, match_pattern: never, delay: 1h"});
    client c = connect();
    client other = connect();
    c.send(query("INSERT never"));
    EXPECT_EQ(other.ask("INSERT 1"), inserted) << "the worker has seen the statement";
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
    c.send(run("INSERT never") + sync());
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    c.send(query("INSERT never"));
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "E(57014) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    c.send(run("INSERT never") + sync());
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    send_cancel(port(), c.pid(), c.key());
    EXPECT_EQ(c.until_ready(), "1 E(57014) Z(E)");
    EXPECT_EQ(c.ask("ROLLBACK"), "C(ROLLBACK) Z(I)");
    EXPECT_EQ(writer.count("Q INSERT never"), 0);
}

TEST_F(rules, forget_a_statement_that_they_hold_back_when_its_client_leaves) {
    start_with({"rule_id: 1, match_pattern: never, delay: 1h"});
    client other = connect();
    {
        client c = connect();
        c.send(query("INSERT never"));
        EXPECT_EQ(other.ask("INSERT 1"), inserted);
    }
    EXPECT_EQ(other.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.count("Q INSERT never"), 0);
}

TEST_F(rules, rewrite_statements_in_both_protocols) {
    add_reader("r1");
    start_with(
        {"rule_id: 1, match_pattern: 'old_(\\w+)', replace_pattern: 'new_\\1',"
         " re_modifiers: 'CASELESS,GLOBAL'",
         "rule_id: 2, match_pattern: '^SELECT count', replace_pattern: 'INSERT counted'"});
    client c = connect();
    EXPECT_EQ(c.ask("SELECT old_a, old_b"), from_reader);
    EXPECT_EQ(c.send(run("SELECT old_c") + sync()).until_ready(), "1 2 D(r1) C(SELECT 1) Z(I)");
    EXPECT_EQ(c.send(parse("s", "SELECT old_d") + sync()).until_ready(), "1 Z(I)");
    EXPECT_EQ(c.send(bind("", "s") + execute("") + sync()).until_ready(),
              "2 D(r1) C(SELECT 1) Z(I)");
    EXPECT_EQ(readers.front().count("Q SELECT new_a, new_b"), 1);
    EXPECT_EQ(readers.front().count("P |SELECT new_c"), 1);
    EXPECT_EQ(c.ask("SELECT count"), inserted) << "it is routed as what it has become";
    EXPECT_EQ(c.send(run("SELECT count") + sync()).until_ready(), "1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(c.ask("BEGIN"), "C(BEGIN) Z(T)");
    EXPECT_EQ(c.ask("SELECT old_e"), "T D(writer) C(SELECT 1) Z(T)");
    EXPECT_EQ(writer.count("Q SELECT new_e"), 1);
    for (const fake_server* server : {&writer, &readers.front()})
        for (const std::string& message : server->seen_messages())
            EXPECT_EQ(message.find("old_"), std::string::npos) << message;
}

TEST_F(rules, that_rewrite_a_read_learn_that_it_writes_as_rewritten) {
    readers.emplace_back("r1").on("SELECT * FROM view", [](backend& b) {
        b.error("25006", "cannot execute INSERT in a read-only transaction");
    });
    start_with({"rule_id: 1, match_pattern: 'alias', replace_pattern: 'view'"});
    client c = connect();
    EXPECT_EQ(c.ask("SELECT * FROM alias"), from_writer);
    EXPECT_EQ(c.ask("SELECT * FROM alias"), from_writer);
    EXPECT_EQ(readers.front().count("Q SELECT * FROM view"), 1);
    EXPECT_EQ(writer.count("Q SELECT * FROM view"), 2);
}

TEST_F(rules, let_a_session_keep_its_server_until_they_say_otherwise) {
    start_with({"rule_id: 1, match_pattern: 'SELECT init', multiplex: 0",
                "rule_id: 2, match_pattern: 'SELECT done', multiplex: 1"});
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("SELECT init"), from_writer);
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    EXPECT_EQ(c.ask("INSERT 2"), inserted);
    EXPECT_EQ(writer.seen(), (strings{"1:Q SELECT init", "2:Q INSERT 1", "1:Q INSERT 2"}));
    EXPECT_EQ(c.send(run("SELECT done") + sync()).until_ready(), "1 2 D(writer) C(SELECT 1) Z(I)");
    writer.forget();
    EXPECT_EQ(other.ask("INSERT 3"), inserted);
    EXPECT_EQ(writer.seen(), strings{"1:Q INSERT 3"}) << "the one that was used last";
}

TEST_F(rules, that_let_a_session_keep_its_server_discard_all_at_its_end) {
    start_with({"rule_id: 1, match_pattern: 'SELECT init', multiplex: 0"});
    {
        client c = connect();
        EXPECT_EQ(c.send(run("SELECT init") + sync()).until_ready(),
                  "1 2 D(writer) C(SELECT 1) Z(I)");
    }
    writer.wait_for("Q DISCARD ALL");
}

TEST_F(rules, may_say_that_a_statement_is_no_reason_to_keep_a_server) {
    start_with({"rule_id: 1, match_digest: '^listen', multiplex: 2"});
    client c = connect();
    client other = connect();
    EXPECT_EQ(c.ask("LISTEN news"), "C(LISTEN) Z(I)");
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    EXPECT_EQ(writer.logins(), 1);
}

TEST_F(rules, may_set_the_flag_with_which_later_statements_begin) {
    add_reader("r1");
    start_with({"rule_id: 1, match_pattern: 'SELECT report', next_query_flagIN: 5",
                "rule_id: 2, flagIN: 5, match_digest: '^insert', destination_hostgroup: 20",
                "rule_id: 3, flagIN: 5, match_pattern: 'SELECT normal', next_query_flagIN: 0"});
    client c = connect();
    client other = connect();
    const auto at_reader = [&] { return readers.front().count("Q INSERT 1"); };
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(at_reader(), 0);
    EXPECT_EQ(c.ask("SELECT report"), from_reader);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(other.ask("INSERT 1"), inserted);
    EXPECT_EQ(at_reader(), 2) << "the flag is the session's";
    EXPECT_EQ(c.send(run("SELECT normal") + sync()).until_ready(), "1 2 D(r1) C(SELECT 1) Z(I)");
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
    EXPECT_EQ(at_reader(), 2);
    c.send(run("SELECT report") + sync() + run("INSERT 2") + sync());
    EXPECT_EQ(c.until_ready(2), "1 2 D(r1) C(SELECT 1) Z(I) 1 2 C(INSERT 0 1) Z(I)");
    EXPECT_EQ(readers.front().count("P |INSERT 2"), 1);
}

TEST_F(rules, say_how_often_a_read_is_run_again_when_its_server_is_lost) {
    for (const char* name : {"r1", "r2"})
        readers.emplace_back(name);
    for (fake_server& r : readers) {
        r.on("SELECT once", [](backend& b) { b.close(); });
        r.on("SELECT twice", [](backend& b) { b.close(); });
    }
    start_with({"rule_id: 1, match_pattern: 'once', retries: 0"}, {},
               "query_retries_on_failure: 1\n");
    client c = connect();
    const auto tries = [&](const char* message) {
        return readers.front().count(message) + readers.back().count(message);
    };
    EXPECT_EQ(c.ask("SELECT once"), "E(08006) Z(I)");
    EXPECT_EQ(tries("Q SELECT once"), 1);
    EXPECT_EQ(c.ask("SELECT twice"), "E(08006) Z(I)");
    EXPECT_EQ(tries("Q SELECT twice"), 2);
    EXPECT_EQ(c.ask("INSERT 1"), inserted);
}

TEST_F(rules, count_the_statements_that_they_match) {
    start_with({"rule_id: 5, match_digest: '^insert'", "rule_id: 7, match_pattern: '42'",
                "rule_id: 9, match_digest: '^delete', error_msg: no, apply: 1"});
    client c = connect();
    (void)c.ask("INSERT 42");
    (void)c.ask("INSERT 43");
    (void)c.send(parse("s", "INSERT 44") + sync()).until_ready();
    for (int i = 0; i < 3; ++i)
        (void)c.send(bind("", "s") + execute("") + sync()).until_ready();
    (void)c.ask("DELETE FROM t");
    (void)c.send(run("DELETE FROM t") + sync()).until_ready();
    EXPECT_EQ(hits(), (std::vector<proxy::rule_hits::row>{{5, 5}, {7, 1}, {9, 2}}));
}

TEST_F(rules, of_the_firewall_let_only_listed_statements_pass) {
    const auto digest = [](std::string_view sql) {
        return conf::format_digest(proxy::sql::compute_digest(sql).hash);
    };
    start_with({},
               "firewall_whitelist_users:\n"
               "  - {username: alice, client_address: '', mode: PROTECTING}\n"
               "  - {username: bob, client_address: 127.0.0.1, mode: DETECTING}\n"
               "firewall_whitelist_rules:\n"
               "  - {username: alice, client_address: '', database: db, digest: " +
                   digest("INSERT 1") + "}\n",
               "firewall_whitelist_enabled: true\n");
    client alice = connect();
    EXPECT_EQ(alice.ask("INSERT 1"), inserted);
    EXPECT_EQ(alice.ask("INSERT 2"), inserted) << "another literal";
    EXPECT_EQ(alice.ask("INSERT a"), not_run);
    EXPECT_EQ(alice.error_text(), "Firewall blocked this query");
    EXPECT_EQ(alice.send(run("INSERT b") + sync()).until_ready(), not_run);
    EXPECT_EQ(connect({}, "bob").ask("INSERT c"), inserted);
    EXPECT_EQ(writer.count("Q INSERT a"), 0);
}

TEST_F(rules, draw_a_flag_for_each_statement_prepared_or_not) {
    add_reader("r1");
    start_with(
        {R"(rule_id: 1, attributes: '{"flagOUTs":[{"id":1,"weight":1},{"id":2,"weight":1}]}')",
         "rule_id: 2, flagIN: 1, destination_hostgroup: 10",
         "rule_id: 3, flagIN: 2, destination_hostgroup: 20"});
    client c = connect();
    EXPECT_EQ(c.send(parse("s", "SELECT 1") + sync()).until_ready(), "1 Z(I)");
    for (int i = 0; i < 100; ++i) {
        (void)c.ask("SELECT 1");
        (void)c.send(bind("", "s") + execute("") + sync()).until_ready();
    }
    for (const char* message : {"Q SELECT 1", "E "}) {
        const int to_writer = writer.count(message);
        EXPECT_EQ(to_writer + readers.front().count(message), 100) << message;
        EXPECT_GT(to_writer, 20) << message;
        EXPECT_LT(to_writer, 80) << message;
    }
}

}  // namespace
}  // namespace howdah::tests
