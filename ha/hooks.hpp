#pragma once
#include <chrono>
#include <stop_token>
#include <string>

#include "ha/hook_text.hpp"

namespace howdah::ha {

/// How a command ended.
struct command_result {
    int exit_code = -1;      ///< -1: it did not exit by itself
    int signal = 0;          ///< that ended it; 0: none
    bool timed_out = false;  ///< it took too long and was ended
    std::string output;      ///< of stdout and stderr together, the end of it: output_limit bytes
    bool output_cut = false;
    std::string error;  ///< why it could not be run; empty: it ran

    [[nodiscard]] bool ok() const { return exit_code == 0 && !timed_out; }
    /// "it ended with exit code 3", and the like.
    [[nodiscard]] std::string sentence() const;
};

/// Bytes of output that are kept.
inline constexpr std::size_t output_limit = 65536;

/// Runs a command (words_of) with our environment and `environment` on top, and waits for its end.
/// Blocks: for a helper thread; several may run at a time.
///
/// It gets /dev/null as stdin, no other descriptor of ours, no blocked or ignored signal, and a
/// process group of its own, which is killed as a whole (SIGKILL) where the command has not ended
/// after `timeout`, or when `stop` is requested. What it leaves behind in the background when it
/// ends is neither waited for nor killed; its output is not read any more.
[[nodiscard]] command_result run_command(const std::string& command, bool shell,
                                         const command_environment& environment,
                                         std::chrono::milliseconds timeout,
                                         const std::stop_token& stop = {});

/// The machine's own name, for hook_environment.
[[nodiscard]] std::string own_host_name();

}  // namespace howdah::ha
