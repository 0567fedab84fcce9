#include "ha/hook_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "ha/diagnosis.hpp"

namespace howdah::ha {
namespace {

std::string word_of(bool value) {
    return value ? "true" : "false";
}

std::string list_of(const std::vector<endpoint>& servers) {
    std::string out;
    for (const endpoint& one : servers)
        out += (out.empty() ? "" : ",") + to_string(one);
    return out;
}

/// The name by which Orchestrator's users know it.
std::string failure_type(const hook_occasion& what) {
    if (what.problem.empty()) return "NoProblem";
    for (const problem_info& row : problem_table())
        if (row.name == what.problem && !row.orchestrator_name.empty())
            return std::string(row.orchestrator_name);
    return what.problem;
}

/// One thing that hooks are told: placeholder, its older name, variable.
struct row {
    const char* name;
    const char* older;
    const char* variable;
    bool of_successor;
    std::string (*value)(const hook_occasion&);
};
using occasion = const hook_occasion&;
constexpr row rows[] = {
    {"failureType", "", "ORC_FAILURE_TYPE", false, failure_type},
    {"instanceType", "", "ORC_INSTANCE_TYPE", false,
     [](occasion o) { return std::string(o.is_primary ? "master" : "replica"); }},
    {"isMaster", "", "ORC_IS_MASTER", false, [](occasion o) { return word_of(o.is_primary); }},
    {"isCoMaster", "", "ORC_IS_CO_MASTER", false, [](occasion) { return word_of(false); }},
    {"failureDescription", "", "ORC_FAILURE_DESCRIPTION", false,
     [](occasion o) { return o.description; }},
    {"command", "", "ORC_COMMAND", false, [](occasion o) { return o.command; }},
    {"failedHost", "", "ORC_FAILED_HOST", false, [](occasion o) { return o.failed.host; }},
    {"failedPort", "", "ORC_FAILED_PORT", false,
     [](occasion o) { return std::to_string(o.failed.port); }},
    {"failureCluster", "", "ORC_FAILURE_CLUSTER", false, [](occasion o) { return o.cluster; }},
    {"failureClusterAlias", "", "ORC_FAILURE_CLUSTER_ALIAS", false,
     [](occasion o) { return o.alias; }},
    {"failureClusterDomain", "", "ORC_FAILURE_CLUSTER_DOMAIN", false,
     [](occasion) { return std::string(); }},
    {"countReplicas", "countSlaves", "ORC_COUNT_REPLICAS", false,
     [](occasion o) { return std::to_string(o.replicas.size()); }},
    {"replicaHosts", "slaveHosts", "ORC_REPLICA_HOSTS", false,
     [](occasion o) { return list_of(o.replicas); }},
    {"isDowntimed", "", "ORC_IS_DOWNTIMED", false, [](occasion o) { return word_of(o.downtimed); }},
    {"autoMasterRecovery", "", "ORC_AUTO_MASTER_RECOVERY", false,
     [](occasion o) { return word_of(o.automatic); }},
    {"autoIntermediateMasterRecovery", "", "ORC_AUTO_INTERMEDIATE_MASTER_RECOVERY", false,
     [](occasion) { return word_of(false); }},
    {"isSuccessful", "", "ORC_IS_SUCCESSFUL", false,
     [](occasion o) { return word_of(o.successful); }},
    {"lostReplicas", "lostSlaves", "ORC_LOST_REPLICAS", false,
     [](occasion o) { return list_of(o.lost); }},
    {"countLostReplicas", "", "ORC_COUNT_LOST_REPLICAS", false,
     [](occasion o) { return std::to_string(o.lost.size()); }},
    {"recoveryUID", "", "ORC_RECOVERY_UID", false, [](occasion o) { return o.uid; }},
    {"successorHost", "", "ORC_SUCCESSOR_HOST", true, [](occasion o) { return o.successor->host; }},
    {"successorPort", "", "ORC_SUCCESSOR_PORT", true,
     [](occasion o) { return std::to_string(o.successor->port); }},
    {"successorAlias", "", "ORC_SUCCESSOR_ALIAS", true,
     [](occasion o) { return o.successor_alias.empty() ? o.successor->host : o.successor_alias; }},
};
constexpr const char* host_variable = "ORC_ORCHESTRATOR_HOST";

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// A placeholder at the start of `text` and its variable; nothing: there is none that is known.
struct found_placeholder {
    std::size_t size;
    std::string variable;
    const std::string* value;
};
std::optional<found_placeholder> placeholder_at(std::string_view text,
                                                const command_environment& environment) {
    if (text.empty() || text.front() != '{') return std::nullopt;
    const std::size_t end = text.find('}');
    if (end == text.npos) return std::nullopt;
    const std::string_view name = text.substr(1, end - 1);
    for (const hook_placeholder& known : hook_placeholders()) {
        if (known.name != name) continue;
        const auto value = environment.find(std::string(known.variable));
        if (value == environment.end()) return std::nullopt;
        return found_placeholder{end + 1, value->first, &value->second};
    }
    return std::nullopt;
}

std::string with_values(std::string_view word, const command_environment& environment) {
    std::string out;
    for (std::size_t at = 0; at < word.size();) {
        if (const auto found = placeholder_at(word.substr(at), environment)) {
            out += *found->value;
            at += found->size;
        } else {
            out += word[at++];
        }
    }
    // It would end there anyhow.
    std::erase(out, '\0');
    return out;
}

/// Where quotes are open at a place of a command.
class quoting {
public:
    enum class state { none, single, twice };

    /// Takes the next character. True: it is part of the text, false: it only quotes.
    bool take(char c) {
        if (escaped_) {
            escaped_ = false;
            return true;
        }
        if (c == '\\' && in_ != state::single) {
            escaped_ = true;
            return false;
        }
        if (c == '\'' && in_ != state::twice) {
            in_ = in_ == state::single ? state::none : state::single;
            return false;
        }
        if (c == '"' && in_ != state::single) {
            in_ = in_ == state::twice ? state::none : state::twice;
            return false;
        }
        return true;
    }
    [[nodiscard]] state in() const { return in_; }
    [[nodiscard]] bool escaped() const { return escaped_; }

private:
    state in_ = state::none;
    bool escaped_ = false;
};

command_words split(std::string_view command) {
    command_words out;
    quoting quotes;
    std::string word;
    bool begun = false;
    for (const char c : command) {
        const bool quoted = quotes.in() != quoting::state::none || quotes.escaped();
        const bool shown = quotes.take(c);
        if (shown && !quoted && is_blank(c)) {
            if (std::exchange(begun, false)) out.words.push_back(std::exchange(word, {}));
            continue;
        }
        begun = true;
        if (shown) word += c;
    }
    if (begun) out.words.push_back(std::move(word));
    if (quotes.in() != quoting::state::none)
        out.error = fmt::format("the command has a quote that is not closed: {}", command);
    else if (quotes.escaped())
        out.error = fmt::format("the command ends with a backslash: {}", command);
    else if (out.words.empty() || out.words.front().empty())
        out.error = "the command is empty";
    return out;
}

std::string with_references(std::string_view command, const command_environment& environment) {
    std::string out;
    quoting quotes;
    for (std::size_t at = 0; at < command.size();) {
        const auto found = placeholder_at(command.substr(at), environment);
        if (!found || quotes.escaped()) {
            (void)quotes.take(command[at]);
            out += command[at++];
            continue;
        }
        const std::string reference = "${" + found->variable + "}";
        switch (quotes.in()) {
            case quoting::state::none:
                out += '"' + reference + '"';
                break;
            case quoting::state::twice:
                out += reference;
                break;
            case quoting::state::single:
                out += "'\"" + reference + "\"'";
                break;
        }
        at += found->size;
    }
    return out;
}

}  // namespace

hook_occasion occasion_of(const recovery& what) {
    hook_occasion out;
    out.problem = what.problem;
    out.description = what.sentence;
    if (!what.automatic)
        out.command = what.kind == "switchover" ? "graceful-master-takeover"
                      : what.kind == "failover" ? "force-master-failover"
                                                : what.kind;
    out.cluster = what.cluster;
    out.alias = what.alias;
    out.failed = what.failed;
    out.is_primary = what.kind == "switchover" || what.kind == "failover";
    out.automatic = what.automatic;
    out.successful = what.successful;
    out.successor = what.successor;
    for (const endpoint& one : what.participants)
        if (one != what.failed) out.replicas.push_back(one);
    out.lost = what.lost;
    out.uid = what.uid;
    return out;
}

hook_occasion occasion_of(const detection& what) {
    hook_occasion out;
    out.problem = what.problem;
    out.description = what.sentence;
    out.cluster = what.cluster;
    out.alias = what.alias;
    out.failed = what.server;
    const auto row = std::ranges::find(problem_table(), what.problem, &problem_info::name);
    out.is_primary = row == problem_table().end() || row->what < problem::returned_old_primary;
    return out;
}

void add_cluster(hook_occasion& what, const cluster& subject) {
    if (const auto to = what.successor ? subject.find(*what.successor) : std::nullopt)
        what.successor_alias = subject.servers[*to].config.name;
    const auto failed = subject.find(what.failed);
    if (!failed) return;
    const auto& one = subject.servers[*failed];
    what.downtimed = one.downtimed;
    if (!what.replicas.empty()) return;
    for (const auto i : one.downstream)
        what.replicas.push_back(subject.servers[i].at());
}

const std::vector<hook_placeholder>& hook_placeholders() {
    static const std::vector<hook_placeholder> all = [] {
        std::vector<hook_placeholder> out;
        for (const row& r : rows) {
            out.push_back({r.name, r.variable});
            if (*r.older != '\0') out.push_back({r.older, r.variable});
        }
        out.push_back({"orchestratorHost", host_variable});
        return out;
    }();
    return all;
}

command_environment hook_environment(const hook_occasion& what, const std::string& host) {
    command_environment out{{host_variable, host}};
    for (const row& r : rows)
        if (!r.of_successor || what.successor) out[r.variable] = r.value(what);
    return out;
}

command_words words_of(std::string_view command, bool shell,
                       const command_environment& environment) {
    if (command.find('\0') != command.npos) return {{}, "the command has a zero byte in it"};
    if (shell) {
        if (std::ranges::all_of(command, is_blank)) return {{}, "the command is empty"};
        return {{"/bin/sh", "-c", with_references(command, environment)}, {}};
    }
    command_words out = split(command);
    for (std::string& word : out.words)
        word = with_values(word, environment);
    return out;
}

}  // namespace howdah::ha
