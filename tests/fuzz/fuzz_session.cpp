#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/session/session_world.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    howdah::fuzz::play_session({reinterpret_cast<const char*>(data), size});
    return 0;
}
