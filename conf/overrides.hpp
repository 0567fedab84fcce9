#pragma once
#include <optional>

#include "conf/settings.hpp"

// Settings that a user or a database may have otherwise than everybody: a user's value counts
// first, then the database's, then the variable's.
namespace howdah::conf {

/// One of them: where it stands in `overrides`, and where in `variables`.
template <class T>
struct overridable {
    std::optional<T> overrides::*own;
    T variables::*general;
};

/// The value in force for a client. `place` is null where its database is not configured.
template <class T>
[[nodiscard]] T in_force(overridable<T> what, const user& who, const database* place,
                         const variables& general) {
    if (who.*what.own) return *(who.*what.own);
    if (place != nullptr && place->*what.own) return *(place->*what.own);
    return general.*what.general;
}

namespace in_force_of {

using time = std::chrono::milliseconds;
using o = overrides;
using v = variables;

inline constexpr overridable<conf::pool_mode> pool_mode{&o::pool_mode, &v::pool_mode};
inline constexpr overridable<bool> read_write_split{&o::read_write_split, &v::read_write_split};
inline constexpr overridable<conf::read_consistency> read_consistency{&o::read_consistency,
                                                                      &v::read_consistency};
inline constexpr overridable<time> connect_timeout_server_max{&o::connect_timeout_server_max,
                                                              &v::connect_timeout_server_max};
inline constexpr overridable<time> query_wait_notify{&o::query_wait_notify, &v::query_wait_notify};
inline constexpr overridable<time> query_timeout{&o::query_timeout, &v::query_timeout};
inline constexpr overridable<time> transaction_timeout{&o::transaction_timeout,
                                                       &v::transaction_timeout};
inline constexpr overridable<time> max_transaction_idle_time{&o::max_transaction_idle_time,
                                                             &v::max_transaction_idle_time};
inline constexpr overridable<time> wait_timeout{&o::wait_timeout, &v::wait_timeout};
inline constexpr overridable<bool> cancel_on_client_disconnect{&o::cancel_on_client_disconnect,
                                                               &v::cancel_on_client_disconnect};

}  // namespace in_force_of

}  // namespace howdah::conf
