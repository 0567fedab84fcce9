#pragma once
#include "ha/plan.hpp"

namespace howdah::ha::steps {

/// What synchronous_standby_names is on a server that Howdah has fenced: nobody bears the name.
inline constexpr std::string_view fence_name = "__fenced__";

/// A step at a server, with its name and place filled in.
[[nodiscard]] step at(const server& one, step_kind kind, std::string what);
/// A step of Howdah itself.
[[nodiscard]] step here(step_kind kind, std::string what);

/// A step of the agent; see `step::environment`.
[[nodiscard]] step agent(const server& one, std::string action, std::string what,
                         std::string command);
/// The data directory as a shell word.
[[nodiscard]] std::string shell_directory(const server& one);

/// A boolean expression: `settings` are in force, and no session of `sessions` (a condition on
/// pg_stat_activity a) is left that began before them. Asking it ends those that Howdah may end:
/// one may begin while the server still reads its configuration. Howdah's monitor comes back all
/// the time, and begins with the new settings.
[[nodiscard]] std::string ended_when(std::string_view settings, std::string_view sessions);

/// Stops the receiver; undoing starts it again as it was.
[[nodiscard]] step freeze(const server& one);
[[nodiscard]] step unfreeze(const server& one);
/// A physical slot on `upstream`.
[[nodiscard]] step slot(const server& upstream, const std::string& name, const server& of);
/// ALTER SYSTEM and reload; `done_when` compares the setting, undoing restores `before`.
[[nodiscard]] step setting(const server& one, std::string_view name, const std::string& before,
                           const std::string& value, std::string what);
/// Follows `upstream` (nullptr: whom it followed before) on `timeline` or a later one.
[[nodiscard]] step follow(const server& standby, const server* upstream, bool upstream_is_primary,
                          const std::string& slot, std::uint32_t timeline, time_us timeout_us);
/// Undoes what is left of a fence; nothing if there is none. The synchronous set of a fence only
/// matters to a primary, which gets one of its own anyway.
[[nodiscard]] std::optional<step> unfence(const server& one);
[[nodiscard]] step fence(const server& one, const std::string& guard);

/// SQL: whether the server is in recovery and of this cluster.
[[nodiscard]] std::string is_standby_of(const cluster& subject);

/// The slot that `standby` uses on a new upstream: its own name if nobody else has it there.
class slot_names {
public:
    slot_names(const cluster& subject, const server& upstream, bool for_all)
        : subject_(subject), upstream_(upstream), for_all_(for_all) {}
    /// "" : it uses none.
    [[nodiscard]] std::string take(const server& standby);

private:
    const cluster& subject_;
    const server& upstream_;
    bool for_all_;
    std::vector<std::string> taken_;
};

}  // namespace howdah::ha::steps
