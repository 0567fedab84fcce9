#include "ha/hooks.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

extern char** environ;

namespace howdah::ha {
namespace {

using clock = std::chrono::steady_clock;

/// After SIGKILL only a process that the kernel holds back is left; it is not waited for for ever.
constexpr std::chrono::seconds patience_with_the_killed{5};
/// How often a command that may be stopped is.
constexpr std::chrono::milliseconds look_for_stop{100};

class descriptor {
public:
    explicit descriptor(int fd = -1) : fd_(fd) {}
    ~descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    descriptor(const descriptor&) = delete;
    descriptor& operator=(const descriptor&) = delete;
    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

/// Of the service manager's protocol: a hook that used them would speak in our name.
bool is_ours_alone(std::string_view name) {
    constexpr std::array<std::string_view, 7> ours = {
        "NOTIFY_SOCKET", "WATCHDOG_USEC",  "WATCHDOG_PID",   "LISTEN_FDS",
        "LISTEN_PID",    "LISTEN_FDNAMES", "HOWDAH_HANDOVER"};
    return std::ranges::find(ours, name) != ours.end();
}

std::vector<std::string> with_ours(const command_environment& added) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string name(text.substr(0, text.find('=')));
        if (!is_ours_alone(name) && !added.contains(name)) out.emplace_back(text);
    }
    for (const auto& [name, value] : added) {
        std::string entry = name + "=" + value;
        std::erase(entry, '\0');
        out.push_back(std::move(entry));
    }
    return out;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> out;
    out.reserve(strings.size() + 1);
    for (const std::string& s : strings)
        out.push_back(const_cast<char*>(s.c_str()));
    out.push_back(nullptr);
    return out;
}

/// Starts it; 0 or an errno.
int spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment,
          int output, pid_t& pid) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t every, none;
    sigfillset(&every);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &every);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    const std::vector<char*> argv = pointers(words);
    const std::vector<char*> envp = pointers(environment);
    const int error =
        ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), envp.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

enum class reading { some, nothing, over };

/// Takes what is there now, up to one buffer of it.
reading read_some(int from, command_result& out) {
    std::array<char, 16384> buffer;
    const ssize_t n = ::read(from, buffer.data(), buffer.size());
    if (n < 0) return errno == EAGAIN || errno == EINTR ? reading::nothing : reading::over;
    if (n == 0) return reading::over;
    out.output.append(buffer.data(), static_cast<std::size_t>(n));
    if (out.output.size() > output_limit) {
        out.output.erase(0, out.output.size() - output_limit);
        out.output_cut = true;
    }
    return reading::some;
}

/// What it had written before it ended; what others still write to the pipe has no end.
void read_rest(int from, command_result& out) {
    for (int i = 0; i < 100 && read_some(from, out) == reading::some; ++i) {
    }
}

int to_poll(clock::duration left) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, INT_MAX));
}

void await_end(pid_t pid, int process, int output, std::chrono::milliseconds timeout,
               const std::stop_token& stop, command_result& out) {
    auto until = clock::now() + timeout;
    bool open = true;
    for (;;) {
        std::array<pollfd, 2> what{{{process, POLLIN, 0}, {open ? output : -1, POLLIN, 0}}};
        clock::duration left = until - clock::now();
        if (stop.stop_possible()) left = std::min<clock::duration>(left, look_for_stop);
        const int ready = ::poll(what.data(), what.size(), to_poll(left));
        if (ready < 0 && errno != EINTR) return;
        if (ready > 0 && what[1].revents != 0) open = read_some(output, out) != reading::over;
        if (ready > 0 && what[0].revents != 0) return;
        const bool stopped = stop.stop_requested() && out.error.empty();
        if (clock::now() < until && !stopped) continue;
        // Not reaped yet: its number is nobody else's.
        if (out.timed_out) return;
        out.timed_out = true;
        if (stopped) out.error = "Howdah is shutting down";
        ::kill(-pid, SIGKILL);
        until = clock::now() + patience_with_the_killed;
    }
}

}  // namespace

std::string command_result::sentence() const {
    if (!error.empty()) return error;
    if (timed_out) return "it took too long and was ended";
    if (signal != 0) return fmt::format("it was ended by signal {}", signal);
    return fmt::format("it ended with exit code {}", exit_code);
}

std::string own_host_name() {
    std::array<char, HOST_NAME_MAX + 1> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

command_result run_command(const std::string& command, bool shell,
                           const command_environment& environment,
                           std::chrono::milliseconds timeout, const std::stop_token& stop) {
    command_result out;
    const auto failed = [&out](const std::string& what, int error) {
        out.error = fmt::format("{}: {}", what, std::generic_category().message(error));
        return out;
    };
    const command_words wanted = words_of(command, shell, environment);
    if (!wanted.error.empty()) {
        out.error = wanted.error;
        return out;
    }
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        return failed("no pipe for its output", errno);
    const descriptor output(ends[0]);
    descriptor input(ends[1]);
    // The command's end blocks, as programs expect.
    (void)::fcntl(input.get(), F_SETFL, 0);
    pid_t pid = 0;
    if (const int error = spawn(wanted.words, with_ours(environment), input.get(), pid))
        return failed(fmt::format("{} cannot be run", wanted.words.front()), error);
    input.reset();
    const descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process.get() < 0) {
        const int error = errno;
        ::kill(-pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return failed("its end cannot be waited for", error);
    }
    await_end(pid, process.get(), output.get(), timeout, stop, out);
    int status = 0;
    const bool over = ::waitpid(pid, &status, WNOHANG) == pid;
    read_rest(output.get(), out);
    if (!over) out.error = "it does not end, not even when it is killed";
    if (over && WIFEXITED(status)) out.exit_code = WEXITSTATUS(status);
    if (over && WIFSIGNALED(status)) out.signal = WTERMSIG(status);
    return out;
}

}  // namespace howdah::ha
