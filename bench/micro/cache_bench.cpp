#include <benchmark/benchmark.h>

#include <string>

#include "proxy/cache/query_cache.hpp"

// A hit of the query cache, among ten thousand results.
namespace howdah::proxy {
namespace {

void cached_result_among_10000(benchmark::State& state) {
    query_cache cache;
    const pool_login login{1, "shop", "alice"};
    settings_registry registry;
    const auto now = query_cache::clock::now();
    const auto key = [&](int i) {
        return cache_key{&login, registry.none(),
                         "SELECT * FROM orders WHERE id = " + std::to_string(i)};
    };
    for (int i = 0; i < 10000; ++i)
        cache.store(key(i), {std::string(200, 'x'), 1}, std::chrono::hours(1), now, 1 << 28);
    const cache_key wanted = key(4711);
    std::uint64_t rows = 0;
    for (auto _ : state) {
        const cached_result* found = cache.find(wanted, now, 0);
        rows += found != nullptr ? found->rows : 0;
    }
    if (rows != static_cast<std::uint64_t>(state.iterations()))
        state.SkipWithError("it was not there");
}
BENCHMARK(cached_result_among_10000);

}  // namespace
}  // namespace howdah::proxy
