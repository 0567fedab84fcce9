#include "ha/hooks.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace howdah::ha {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::chrono::minutes long_time{5};

/// Real processes, with a folder of their own.
class Hooks : public ::testing::Test {
protected:
    Hooks() {
        std::string pattern = (std::filesystem::temp_directory_path() / "howdah-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr)
            throw std::runtime_error("cannot make a temporary folder");
        folder_ = pattern;
    }
    ~Hooks() override {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
    /// A script in the folder; returns its path.
    std::string script(const std::string& text) const {
        const std::string at = path("script");
        std::ofstream(at) << "#!/bin/sh\n" << text;
        std::filesystem::permissions(at, std::filesystem::perms::owner_all);
        return at;
    }
    static command_result run(const std::string& command, const command_environment& told = {}) {
        return run_command(command, false, told, long_time);
    }
    static command_result run_in_shell(const std::string& command,
                                       const command_environment& told = {}) {
        return run_command(command, true, told, long_time);
    }
    /// The number that a script has written there.
    [[nodiscard]] pid_t pid_in(const std::string& name) const {
        pid_t pid = 0;
        std::ifstream(path(name)) >> pid;
        return pid;
    }

private:
    std::string folder_;
};

/// Gone, or dead and waiting to be reaped by somebody else.
bool is_dead(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    if (!std::getline(stat, text)) return true;
    const std::size_t behind_name = text.rfind(')');
    return behind_name != text.npos && text.substr(behind_name, 3) == ") Z";
}

TEST_F(Hooks, the_exit_code_is_the_commands) {
    EXPECT_EQ(run("/bin/true").exit_code, 0);
    EXPECT_TRUE(run("/bin/true").ok());
    const command_result failed = run(script("exit 3"));
    EXPECT_EQ(failed.exit_code, 3);
    EXPECT_FALSE(failed.ok());
    EXPECT_EQ(failed.sentence(), "it ended with exit code 3");
}

TEST_F(Hooks, a_program_is_found_by_path_and_gets_its_words) {
    EXPECT_EQ(run("printf '%s|' a 'b c' \"\"").output, "a|b c||");
}

TEST_F(Hooks, a_command_that_a_signal_ends_says_by_which) {
    const command_result out = run(script("kill -15 $$"));
    EXPECT_EQ(out.signal, SIGTERM);
    EXPECT_EQ(out.exit_code, -1);
    EXPECT_FALSE(out.ok());
    EXPECT_EQ(out.sentence(), "it was ended by signal 15");
}

TEST_F(Hooks, what_cannot_be_run_is_named_with_the_reason) {
    EXPECT_EQ(run("/no/such/program x").sentence(),
              "/no/such/program cannot be run: No such file or directory");
    EXPECT_FALSE(run("/no/such/program").ok());
    EXPECT_THAT(run("'").error, HasSubstr("a quote that is not closed"));
    std::ofstream(path("text")) << "no program";
    EXPECT_THAT(run(path("text")).error, HasSubstr("Permission denied"));
}

TEST_F(Hooks, stdout_and_stderr_come_back_together) {
    EXPECT_EQ(run_in_shell("echo one; echo two >&2; echo three").output, "one\ntwo\nthree\n");
}

TEST_F(Hooks, of_much_output_the_end_is_kept) {
    const command_result out = run_in_shell("seq 100000; echo the end");
    EXPECT_EQ(out.exit_code, 0);
    EXPECT_TRUE(out.output_cut);
    EXPECT_EQ(out.output.size(), output_limit);
    EXPECT_THAT(out.output, EndsWith("\n99999\n100000\nthe end\n"));
    EXPECT_FALSE(run("/bin/echo x").output_cut);
}

TEST_F(Hooks, a_command_that_takes_too_long_is_ended_with_all_that_it_started) {
    const std::string command =
        script("sh -c 'echo $$ > " + path("grandchild") +
               "; trap \"\" TERM; exec sleep 100000' &\necho begun\nsleep 100000\n");
    const command_result out = run_command(command, false, {}, std::chrono::seconds(3));
    EXPECT_TRUE(out.timed_out);
    EXPECT_FALSE(out.ok());
    EXPECT_EQ(out.signal, SIGKILL);
    EXPECT_EQ(out.output, "begun\n") << "what it said before is kept";
    EXPECT_EQ(out.sentence(), "it took too long and was ended");
    const pid_t grandchild = pid_in("grandchild");
    ASSERT_GT(grandchild, 0);
    const auto end = std::chrono::steady_clock::now() + long_time;
    while (!is_dead(grandchild) && std::chrono::steady_clock::now() < end)
        std::this_thread::yield();
    EXPECT_TRUE(is_dead(grandchild));
}

TEST_F(Hooks, a_command_ends_when_howdah_does) {
    const std::string command = script("echo $$ > " + path("begun") + "\nsleep 100000\n");
    std::stop_source source;
    const std::jthread stopper([&] {
        while (pid_in("begun") <= 0)
            std::this_thread::yield();
        source.request_stop();
    });
    const command_result out = run_command(command, false, {}, long_time, source.get_token());
    EXPECT_FALSE(out.ok());
    EXPECT_EQ(out.sentence(), "Howdah is shutting down");
    EXPECT_TRUE(is_dead(pid_in("begun")));
}

TEST_F(Hooks, who_writes_without_an_end_is_ended_in_time_too) {
    const command_result out = run_command("yes", false, {}, std::chrono::milliseconds(200));
    EXPECT_TRUE(out.timed_out);
    EXPECT_EQ(out.output.size(), output_limit);
}

TEST_F(Hooks, what_a_command_leaves_in_the_background_is_not_waited_for) {
    const command_result out =
        run_in_shell("sleep 100000 & echo $! > " + path("left") + "; echo done");
    EXPECT_TRUE(out.ok());
    EXPECT_EQ(out.output, "done\n");
    const pid_t left = pid_in("left");
    ASSERT_GT(left, 0);
    EXPECT_FALSE(is_dead(left));
    ::kill(left, SIGKILL);
}

TEST_F(Hooks, no_descriptor_of_ours_gets_into_a_command_and_its_input_is_empty) {
    const int ours = ::open("/dev/null", O_RDONLY);
    const int inheritable = ::fcntl(ours, F_DUPFD, 100);
    ASSERT_GE(inheritable, 100);
    const command_result out =
        run_in_shell("for f in /proc/$$/fd/*; do echo ${f##*/}; done; readlink /proc/$$/fd/0; cat");
    EXPECT_THAT(out.output, StartsWith("0\n1\n2\n"));
    EXPECT_THAT(out.output, Not(HasSubstr(std::to_string(inheritable))));
    EXPECT_THAT(out.output, HasSubstr("/dev/null\n"));
    EXPECT_TRUE(out.ok());
    ::close(inheritable);
    ::close(ours);
}

TEST_F(Hooks, signals_that_we_ignore_or_block_are_as_usual_in_a_command) {
    const auto before = std::signal(SIGPIPE, SIG_IGN);
    sigset_t blocked, old;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &old);
    const command_result ignored = run(script("kill -PIPE $$; echo alive"));
    const command_result held_back = run(script("kill -TERM $$; echo alive"));
    ::pthread_sigmask(SIG_SETMASK, &old, nullptr);
    (void)std::signal(SIGPIPE, before);
    EXPECT_EQ(ignored.signal, SIGPIPE);
    EXPECT_EQ(held_back.signal, SIGTERM);
}

TEST_F(Hooks, the_environment_is_ours_and_what_is_added_and_nothing_of_the_service_manager) {
    ::setenv("HOWDAH_TEST_OURS", "ours", 1);
    ::setenv("HOWDAH_TEST_CHANGED", "old", 1);
    ::setenv("NOTIFY_SOCKET", "/run/x", 1);
    const command_result out = run(
        "env", {{"HOWDAH_TEST_CHANGED", "new"}, {"ORC_FAILURE_DESCRIPTION", "two words = $(id)"}});
    ::unsetenv("HOWDAH_TEST_OURS");
    ::unsetenv("HOWDAH_TEST_CHANGED");
    ::unsetenv("NOTIFY_SOCKET");
    EXPECT_THAT(out.output, HasSubstr("HOWDAH_TEST_OURS=ours\n"));
    EXPECT_THAT(out.output, HasSubstr("HOWDAH_TEST_CHANGED=new\n"));
    EXPECT_THAT(out.output, HasSubstr("ORC_FAILURE_DESCRIPTION=two words = $(id)\n"));
    EXPECT_THAT(out.output, Not(HasSubstr("HOWDAH_TEST_CHANGED=old")));
    EXPECT_THAT(out.output, Not(HasSubstr("NOTIFY_SOCKET")));
}

TEST_F(Hooks, a_host_name_is_never_run) {
    const std::string trap = path("trap");
    for (const std::string& evil :
         {"$(touch " + trap + ")", "`touch " + trap + "`", "; touch " + trap + " #",
          "'; touch " + trap + "; '", "\"; touch " + trap + "; \"", "x\ntouch " + trap}) {
        const command_environment told{{"ORC_FAILED_HOST", evil}};
        EXPECT_EQ(run("printf %s {failedHost}", told).output, evil);
        EXPECT_EQ(run("printf %s '{failedHost}'", told).output, evil);
        for (const char* command : {"printf %s {failedHost}", "printf %s \"{failedHost}\"",
                                    "printf %s '{failedHost}'", "printf %s \"$ORC_FAILED_HOST\""})
            EXPECT_EQ(run_in_shell(command, told).output, evil) << command;
        EXPECT_FALSE(std::filesystem::exists(trap)) << evil;
    }
}

TEST_F(Hooks, several_commands_run_at_a_time) {
    // Each waits for the other's file.
    const std::string wait = "until [ -e " + path("b") + " ]; do :; done";
    command_result other;
    std::thread second([&] { other = run_in_shell("touch " + path("b")); });
    const command_result first = run_in_shell(wait);
    second.join();
    EXPECT_TRUE(first.ok());
    EXPECT_TRUE(other.ok());
}

}  // namespace
}  // namespace howdah::ha
