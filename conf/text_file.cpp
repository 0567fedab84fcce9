#include "conf/text_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace howdah::conf {
namespace {

class descriptor {
public:
    explicit descriptor(const std::string& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

private:
    int fd_;
};

std::string last_error() {
    return std::generic_category().message(errno);
}

std::string check(const std::string& path, const descriptor& file, struct stat& status) {
    if (path.find('\0') != path.npos) return "the name contains a NUL byte";
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return last_error();
    if (S_ISDIR(status.st_mode)) return "is a directory";
    if (!S_ISREG(status.st_mode)) return "not a regular file";
    return {};
}

}  // namespace

text_file read_text_file(const std::string& path, std::size_t max_size) {
    text_file result;
    const descriptor file(path);
    struct stat status {};
    result.error = check(path, file, status);
    if (!result.error.empty()) return result;
    result.world_readable = (status.st_mode & S_IROTH) != 0;

    char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) result.error = last_error();
        if (n <= 0) break;
        result.text.append(buffer, static_cast<std::size_t>(n));
        if (result.text.size() > max_size) {
            result.error = fmt::format("larger than {} bytes", max_size);
            break;
        }
    }
    if (!result.error.empty()) result.text.clear();
    return result;
}

std::string why_unreadable(const std::string& path) {
    const descriptor file(path);
    struct stat status {};
    return check(path, file, status);
}

}  // namespace howdah::conf
