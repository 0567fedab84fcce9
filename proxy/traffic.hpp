#pragma once
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "proxy/pool/identity.hpp"

namespace howdah::proxy {

/// What an operation applies to: all traffic, or that of one database, user or server.
struct traffic_scope {
    enum class kind { everything, database, user, server };

    kind what = kind::everything;
    std::string name{};  ///< of the database or user; "host:port" of the server

    bool operator==(const traffic_scope&) const = default;
    /// Clients of this login are meant, wherever they are connected.
    [[nodiscard]] bool covers(const pool_login& login) const;
    [[nodiscard]] bool covers(const server_entry& server) const;
    /// A connection of this login to this server is meant.
    [[nodiscard]] bool covers(const pool_login& login, const server_entry& server) const;
};
/// `database "x"`, `all traffic`, ...: for logs and errors.
[[nodiscard]] std::string to_string(const traffic_scope& scope);

/// What operators have ordered about client traffic (PAUSE, DISABLE, RECONNECT). Published to the
/// workers inside a snapshot, where it does not change any more. Pure.
class traffic {
public:
    using clock = std::chrono::steady_clock;

    /// False: it is so already.
    bool pause(const traffic_scope& scope);
    /// Everything: all pauses. False: nothing was paused.
    bool resume(const traffic_scope& scope);
    bool disable(const traffic_scope& scope);
    bool enable(const traffic_scope& scope);
    /// Connections opened before `now` are not used for anything new.
    void renew(const traffic_scope& scope, clock::time_point now);

    /// Clients of this login get no server.
    [[nodiscard]] bool paused(const pool_login& login) const;
    /// Nobody gets this server.
    [[nodiscard]] bool paused(const server_entry& server) const;
    /// Nobody may log in.
    [[nodiscard]] bool disabled(const pool_login& login) const;
    /// A connection that is free should be closed.
    [[nodiscard]] bool unwanted(const pool_login& login, const server_entry& server,
                                clock::time_point opened) const;
    [[nodiscard]] const std::vector<traffic_scope>& pauses() const { return paused_; }

private:
    std::vector<traffic_scope> paused_;
    std::vector<traffic_scope> disabled_;
    std::vector<std::pair<traffic_scope, clock::time_point>> renewed_;
};

}  // namespace howdah::proxy
