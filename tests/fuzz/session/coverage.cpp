#include <cstddef>
#include <cstdint>

// g++ reports every branch by a call; libFuzzer wants a table of counters. (It has a
// __sanitizer_cov_trace_pc of its own, which knows only whether a branch was ever taken: this one
// is linked first.)
namespace {

constexpr std::size_t size = std::size_t{1} << 17;
std::uint8_t counters[size];

}  // namespace

extern "C" {

void __sanitizer_cov_8bit_counters_init(std::uint8_t* start, std::uint8_t* stop);
extern const char __executable_start;

__attribute__((no_sanitize_coverage, no_sanitize("address", "undefined"))) void
__sanitizer_cov_trace_pc() {
    const auto at = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0)) -
                    reinterpret_cast<std::uintptr_t>(&__executable_start);
    std::uint8_t& counter = counters[(at * 0x9e3779b97f4a7c15ULL) >> 47];
    if (counter != 255) ++counter;
}

// A signal, so that libFuzzer writes down the input.
const char* __ubsan_default_options() {
    return "abort_on_error=1:print_stacktrace=1";
}

// libFuzzer does not guess floating-point numbers.
void __sanitizer_cov_trace_cmpf(float /*a*/, float /*b*/) {}
void __sanitizer_cov_trace_cmpd(double /*a*/, double /*b*/) {}

__attribute__((constructor, no_sanitize_coverage)) void register_counters() {
    __sanitizer_cov_8bit_counters_init(counters, counters + size);
}
}
