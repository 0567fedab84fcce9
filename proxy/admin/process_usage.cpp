#include "proxy/admin/process_usage.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace howdah::proxy {

process_usage current_usage() {
    process_usage out;
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    const auto time = [](const timeval& t) {
        return std::chrono::seconds(t.tv_sec) + std::chrono::microseconds(t.tv_usec);
    };
    out.cpu_user = time(used.ru_utime);
    out.cpu_system = time(used.ru_stime);
    std::int64_t pages = 0, resident = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident;
    out.resident_bytes = resident * ::sysconf(_SC_PAGESIZE);
    if (DIR* folder = ::opendir("/proc/self/fd")) {
        // ".", ".." and the descriptor that reads them.
        std::int64_t entries = -3;
        while (::readdir(folder) != nullptr)
            ++entries;
        ::closedir(folder);
        out.open_files = std::max<std::int64_t>(0, entries);
    }
    return out;
}

}  // namespace howdah::proxy
