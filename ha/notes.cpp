#include "ha/notes.hpp"

#include <chrono>

namespace howdah::ha {

unix_us unix_now_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace howdah::ha
