#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ha/history.hpp"
#include "ha/topology.hpp"

// What hooks are told, and how their commands become words. Pure; hooks.hpp runs them.
namespace howdah::ha {

/// What a hook is called for.
struct hook_occasion {
    std::string problem;      ///< its name in problem_table(); "" = planned, or none
    std::string description;  ///< a sentence
    std::string command;      ///< what was ordered, in Orchestrator's words; "" = nothing
    std::string cluster;
    std::string alias;
    endpoint failed;
    bool is_primary = true;  ///< `failed` is, or was, the primary
    bool downtimed = false;
    bool automatic = false;
    bool successful = false;
    std::optional<endpoint> successor;
    std::string successor_alias;  ///< "" = its host
    std::vector<endpoint> replicas;
    std::vector<endpoint> lost;
    std::string uid;
};
/// As far as the history knows it.
[[nodiscard]] hook_occasion occasion_of(const recovery& what);
[[nodiscard]] hook_occasion occasion_of(const detection& what);

/// Adds what the cluster shows now: the downtime of `failed`, the successor's name, and, where the
/// history does not say whose standbys are concerned, those of `failed`.
void add_cluster(hook_occasion& what, const cluster& subject);

/// Environment variables of a hook or agent.
using command_environment = std::map<std::string, std::string>;

/// Orchestrator's variables (ORC_FAILED_HOST, ...). Those of a successor only where there is one.
/// `host` is the machine's own name.
[[nodiscard]] command_environment hook_environment(const hook_occasion& what,
                                                   const std::string& host);

/// Orchestrator's placeholders, without braces, and the variable whose value each stands for.
struct hook_placeholder {
    std::string_view name;
    std::string_view variable;
};
[[nodiscard]] const std::vector<hook_placeholder>& hook_placeholders();

/// What is to be run, or why it cannot be.
struct command_words {
    std::vector<std::string> words;  ///< the program first
    std::string error;
};

/// The words of a command. Placeholders stand for values of `environment`; a placeholder whose
/// variable is not there stays as it is.
///
/// Without `shell`: words are separated by blanks, tabs and line ends. '...' is taken as it is,
/// also within a word; in "..." and outside of quotes a backslash takes the next character as it
/// is. Nothing else is special. A value is put in after that: it is never more than one word.
///
/// With `shell`: the words are /bin/sh, -c and the command, with `"${VARIABLE}"` in the place of
/// every placeholder (the quotes as they are needed there): the shell never reads a value as code.
[[nodiscard]] command_words words_of(std::string_view command, bool shell,
                                     const command_environment& environment);

}  // namespace howdah::ha
