#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "proxy/rules/compiled_rules.hpp"
#include "proxy/rules/verdict_cache.hpp"
#include "proxy/sql/digest.hpp"

// What the rules cost a statement. The last rule is the one that matches.
namespace howdah::proxy {
namespace {

const std::string statement =
    "SELECT o.id, o.total FROM orders o WHERE o.customer = 4711 AND o.state IN ('new', 'paid') "
    "LIMIT 1000";

enum class looks_at : int { pattern, digest_text };

std::shared_ptr<const compiled_rules> rules(int count, looks_at what) {
    conf::settings settings;
    for (int id = 1; id <= count; ++id) {
        conf::query_rule r;
        r.rule_id = id;
        const std::string table = id == count ? "orders" : "table_" + std::to_string(id);
        (what == looks_at::pattern ? r.match_pattern : r.match_digest) = "from " + table + "\\b";
        r.destination_hostgroup = id;
        r.apply = true;
        settings.query_rules.push_back(r);
    }
    return std::make_shared<const compiled_rules>(settings);
}

rule_subject subject() {
    rule_subject s;
    s.username = "alice";
    s.database = "shop";
    s.query = statement;
    s.digest = sql::compute_digest(statement).hash;
    return s;
}

bool right(const rule_verdict& v, std::int64_t count) {
    return count == 0 ? !v.destination_hostgroup : v.destination_hostgroup == count;
}

/// Rules on the statement as sent: asked each time.
void patterns(benchmark::State& state) {
    const auto compiled = rules(static_cast<int>(state.range(0)), looks_at::pattern);
    const rule_subject s = subject();
    rule_verdict v;
    for (auto _ : state) {
        v = compiled->judge(s);
        benchmark::DoNotOptimize(v);
    }
    if (!right(v, state.range(0))) state.SkipWithError("another rule has matched");
}
BENCHMARK(patterns)->Arg(0)->Arg(10)->Arg(1000);

/// The way of a statement whose digest is known: the verdict is remembered.
void digests_remembered(benchmark::State& state) {
    const auto compiled = rules(static_cast<int>(state.range(0)), looks_at::digest_text);
    const pool_login login{1, "shop", "alice"};
    const rule_subject s = subject();
    const sql::digest id = sql::compute_digest(statement, 7);
    verdict_cache cache;
    verdict_ptr v;
    for (auto _ : state) {
        v = cache.judge(compiled, id, &login, s);
        benchmark::DoNotOptimize(v);
    }
    if (!right(v ? *v : rule_verdict(), state.range(0)))
        state.SkipWithError("another rule has matched");
}
BENCHMARK(digests_remembered)->Arg(0)->Arg(10)->Arg(1000);

}  // namespace
}  // namespace howdah::proxy
