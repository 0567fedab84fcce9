#include <cstddef>
#include <cstdint>

#include "tests/fuzz/admin/play_admin.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    howdah::fuzz::play_admin({reinterpret_cast<const char*>(data), size});
    return 0;
}
