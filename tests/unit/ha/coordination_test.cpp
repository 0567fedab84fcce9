#include <gtest/gtest.h>

#include "ha/coordination/etcd_messages.hpp"
#include "ha/coordination/lease.hpp"
#include "ha/coordination/shared_state.hpp"

namespace howdah::ha {
namespace {

constexpr time_us second = 1'000'000;

TEST(Lease, its_time_counts_from_when_the_request_was_sent) {
    lease one;
    one.id = 7;
    one.renewed(100 * second, 10, 10);
    EXPECT_TRUE(one.holds(100 * second));
    EXPECT_TRUE(one.holds(109 * second - 1));
    EXPECT_FALSE(one.holds(109 * second));
    EXPECT_FALSE(one.holds(3700 * second));
}

TEST(Lease, no_more_is_used_than_was_asked_for_and_nothing_without_an_id) {
    lease one;
    one.renewed(0, 3600, 10);
    EXPECT_FALSE(one.holds(0));
    one.id = 7;
    EXPECT_TRUE(one.holds(9 * second - 1));
    EXPECT_FALSE(one.holds(9 * second));
    one.renewed(0, 2, 10);
    EXPECT_FALSE(one.holds(2 * second));
    one.renewed(0, -5, 10);
    EXPECT_FALSE(one.holds(0));
}

TEST(Lease, it_is_renewed_when_a_third_of_its_time_is_over) {
    lease one;
    EXPECT_TRUE(one.is_due(0));
    one.id = 7;
    one.renewed(0, 10, 10);
    EXPECT_FALSE(one.is_due(3 * second - 1));
    EXPECT_TRUE(one.is_due(3 * second));
}

TEST(EtcdMessages, requests_are_those_of_the_gateway) {
    const auto keys = keys_of("/howdah", 42);
    EXPECT_EQ(keys.leader, "/howdah/42/leader");
    EXPECT_EQ(keys.state, "/howdah/42/record");
    EXPECT_EQ(grant_lease(10).path, "/v3/lease/grant");
    EXPECT_EQ(grant_lease(10).body, R"({"TTL":"10"})");
    EXPECT_EQ(keep_alive(7587884406208215556).body, R"({"ID":"7587884406208215556"})");
    const auto write = write_state({"/ha/c1/leader", "s"}, 8, 31, "x");
    EXPECT_EQ(write.path, "/v3/kv/txn");
    EXPECT_EQ(write.body,
              R"({"compare":[{"create_revision":"8","key":"L2hhL2MxL2xlYWRlcg==","result":"EQUAL",)"
              R"("target":"CREATE"},{"key":"cw==","mod_revision":"31","result":"EQUAL",)"
              R"("target":"MOD"}],"success":[{"request_put":{"key":"cw==","value":"eA=="}}]})");
}

TEST(EtcdMessages, numbers_come_as_text_and_zeros_not_at_all) {
    const auto kept = read_answer(
        200, R"({"result":{"header":{"revision":"7"},"ID":"7587884406208215556","TTL":"10"}})");
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(kept.lease, 7587884406208215556);
    EXPECT_EQ(kept.ttl, 10);
    const auto gone = read_answer(200, R"({"result":{"header":{"revision":"7"},"ID":"5"}})");
    ASSERT_TRUE(gone.ok());
    EXPECT_EQ(gone.ttl, 0);
    const auto lost = read_answer(200, R"({"header":{"revision":"8"}})");
    ASSERT_TRUE(lost.ok());
    EXPECT_FALSE(lost.succeeded);
}

TEST(EtcdMessages, both_keys_are_read_from_what_a_transaction_answers) {
    const auto answer =
        read_answer(200,
                    R"({"header":{"revision":"8"},"succeeded":true,"responses":[{"response_put":{}},
        {"response_range":{"kvs":[{"key":"L2hhL2MxL2xlYWRlcg==","create_revision":"8",
        "mod_revision":"8","value":"bm9kZS1h","lease":"9"}]}},{"response_range":{}}]})");
    ASSERT_TRUE(answer.ok());
    EXPECT_TRUE(answer.succeeded);
    const auto seen = answer.of({"/ha/c1/leader", "/ha/c1/record"});
    ASSERT_TRUE(seen.leader);
    EXPECT_EQ(seen.leader->value, "node-a");
    EXPECT_EQ(seen.leader->create_revision, 8);
    EXPECT_EQ(seen.leader->lease, 9);
    EXPECT_FALSE(seen.state);
}

TEST(EtcdMessages, what_is_not_of_etcd_is_an_error_and_never_a_right) {
    for (const char* body : {"", "null", "[]", "\"x\"", "{}", "<html>", R"({"header":1})",
                             R"({"header":{},"TTL":true})", R"({"header":{},"TTL":"10s"})",
                             R"({"header":{},"TTL":"99999999999999999999"})",
                             R"({"header":{},"TTL":18446744073709551615})",
                             R"({"header":{},"succeeded":"true"})", R"({"header":{},"kvs":{}})",
                             R"({"header":{},"kvs":[1]})", R"({"header":{},"kvs":[{"key":"%%"}]})",
                             R"({"header":{},"responses":[null]})", R"({"result":[]})"})
        EXPECT_FALSE(read_answer(200, body).ok()) << body;
}

TEST(EtcdMessages, errors_are_told_in_the_words_of_etcd) {
    const auto none = read_answer(404, R"({"error":"x","code":5,"message":"lease not found"})");
    EXPECT_EQ(none.error, "lease not found");
    EXPECT_EQ(none.code, 5);
    const auto streamed = read_answer(200, R"({"error":{"grpc_code":14,"message":"no leader"}})");
    EXPECT_EQ(streamed.error, "no leader");
    EXPECT_EQ(streamed.code, 14);
    EXPECT_EQ(read_answer(502, "<html>").error, "HTTP status 502");
    EXPECT_TRUE(read_answer(401, R"({"code":16,"message":"invalid auth token"})").wants_login());
    EXPECT_FALSE(none.wants_login());
}

TEST(EtcdMessages, endpoints_are_a_list_with_a_usual_port) {
    const auto some = parse_endpoints("http://a:1; https://b/;http://[::1]:5 ;");
    ASSERT_EQ(some.error, "");
    ASSERT_EQ(some.all.size(), 3U);
    EXPECT_EQ(some.all[0].text(), "http://a:1");
    EXPECT_EQ(some.all[1].text(), "https://b:2379");
    EXPECT_EQ(some.all[2].text(), "http://[::1]:5");
    for (const char* bad : {"a:1", "ftp://a", "http://", "http://a:0", "http://a:99999",
                            "http://a:1/x", "http://u@a", "http://[::1", "http://a b"})
        EXPECT_NE(parse_endpoints(bad).error, "") << bad;
}

shared_state some_state() {
    shared_state out;
    out.record.cluster = "main";
    out.record.system_identifier = 18446744073709551615U;
    out.record.epoch = 3;
    out.record.primary = {"pg2", 5432};
    out.record.timeline = 2;
    out.record.known_timeline = 2;
    out.record.flush_lsn = 77;
    out.record.sync_sets = {"ANY 1 (a, \xff)", ""};
    out.record.fenced = {{{"pg1", 5433}, 2, 1, "replaced"}};
    out.record.left_timeline = 1;
    out.record.fork_lsn = 18446744073709551614U;
    failover_intent under_way;
    under_way.cluster = "main";
    under_way.epoch = 4;
    under_way.from = {"pg2", 5432};
    under_way.candidate = endpoint{"pg3", 5432};
    under_way.phase = intent_phase::promoting;
    under_way.base_timeline = 2;
    under_way.conninfo_before_freeze[{"pg3", 5432}] = "host=pg2 password='\xfe'";
    under_way.fork_lsn = 78;
    under_way.stopped = true;
    out.intent = under_way;
    return out;
}

TEST(SharedState, what_was_written_is_what_is_read) {
    const auto whole = some_state();
    const auto back = state_from_json(to_json(whole), "main");
    ASSERT_TRUE(back.state) << back.error;
    EXPECT_EQ(*back.state, whole);
    auto calm = whole;
    calm.intent.reset();
    EXPECT_EQ(state_from_json(to_json(calm), "main").state, calm);
}

TEST(SharedState, every_howdah_has_its_own_name_for_the_cluster) {
    const auto back = state_from_json(to_json(some_state()), "other");
    ASSERT_TRUE(back.state);
    EXPECT_EQ(back.state->record.cluster, "other");
    EXPECT_EQ(back.state->intent->cluster, "other");
}

TEST(SharedState, half_of_it_or_something_else_is_refused) {
    const auto text = to_json(some_state());
    for (std::size_t size = 0; size < text.size(); ++size)
        ASSERT_FALSE(state_from_json(text.substr(0, size), "main").state) << size;
    const auto with = [&](const std::string& from, const std::string& to) {
        auto out = text;
        const auto at = out.find(from);
        EXPECT_NE(at, out.npos) << from;
        return out.replace(at, from.size(), to);
    };
    for (const auto& bad :
         {with("\"epoch\":3", "\"epoch\":0"), with("\"epoch\":3", "\"epoch\":-3"),
          with("\"timeline\":2", "\"timeline\":4294967296"),
          with("\"port\":5432", "\"port\":65536"), with("\"format\":1", "\"format\":2"),
          with("\"promoting\":true", "\"promoting\":1"), with("\"host\":\"pg3\"", "\"host\":\"\"")})
        EXPECT_FALSE(state_from_json(bad, "main").state) << bad;
}

}  // namespace
}  // namespace howdah::ha
