#include <benchmark/benchmark.h>

#include <string>

#include "proxy/sql/digest.hpp"
#include "proxy/sql/lexer.hpp"
#include "proxy/sql/statement_cache.hpp"

// What each statement costs: tokens, digest, and the look-up of what is known of it.
namespace howdah::proxy::sql {
namespace {

/// 100 bytes, as an application might send them.
const std::string statement =
    "SELECT o.id, o.total FROM orders o WHERE o.customer = 4711 AND o.state IN ('new', 'paid') "
    "LIMIT 1000";

void lexer_of_100_bytes(benchmark::State& state) {
    std::size_t tokens = 0;
    for (auto _ : state) {
        tokens = 0;
        lexer in(statement);
        while (in.next().kind != token_kind::end)
            ++tokens;
        benchmark::DoNotOptimize(tokens);
    }
    if (tokens != 29) state.SkipWithError("the tokens are not those of the statement");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * statement.size()));
}
BENCHMARK(lexer_of_100_bytes);

void digest_of_100_bytes(benchmark::State& state) {
    digest id;
    for (auto _ : state) {
        id = compute_digest(statement, 7);
        benchmark::DoNotOptimize(id);
    }
    std::string other = statement;
    other.replace(other.find("4711"), 4, "1");
    if (compute_digest(other, 7) != id) state.SkipWithError("literals change the digest");
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * statement.size()));
}
BENCHMARK(digest_of_100_bytes);

void known_statement_of_100_bytes(benchmark::State& state) {
    statement_cache cache{statement_cache::options()};
    bool read_only = true;
    for (auto _ : state)
        read_only = read_only && cache.find(statement).what->read_only;
    if (!read_only || cache.misses() != 1) state.SkipWithError("it was not found");
}
BENCHMARK(known_statement_of_100_bytes);

}  // namespace
}  // namespace howdah::proxy::sql
