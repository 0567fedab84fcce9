#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace howdah::ha {

/// A request to etcd's gRPC gateway: POST of a JSON body. Source: etcd 3.4, rpc.proto and
/// "gRPC gateway" of its documentation. Pure.
struct etcd_request {
    std::string path;
    std::string body;
};

struct etcd_value {
    std::string value;
    std::int64_t create_revision = 0;
    std::int64_t mod_revision = 0;
    std::int64_t lease = 0;
};

/// The two keys of a cluster: who acts for it, and what the Howdahs agree on.
struct etcd_keys {
    std::string leader;
    std::string state;
};
[[nodiscard]] etcd_keys keys_of(std::string_view prefix, std::uint64_t system_identifier);

struct etcd_keys_seen {
    std::optional<etcd_value> leader;
    std::optional<etcd_value> state;
};

[[nodiscard]] etcd_request authenticate(const std::string& name, const std::string& password);
[[nodiscard]] etcd_request grant_lease(std::int64_t seconds);
[[nodiscard]] etcd_request keep_alive(std::int64_t lease);
/// Deletes the keys that are bound to it, too.
[[nodiscard]] etcd_request revoke_lease(std::int64_t lease);
/// Linearizable: never an old answer.
[[nodiscard]] etcd_request read_keys(const etcd_keys& keys);
/// Creates the leader key, where there is none, bound to the lease; reads both keys, whatever came
/// of it.
[[nodiscard]] etcd_request take_lead(const etcd_keys& keys, const std::string& name,
                                     std::int64_t lease);
/// Deletes the leader key, if it is still the one of `token`.
[[nodiscard]] etcd_request give_up_lead(const etcd_keys& keys, std::int64_t token);
/// Writes the state, if the leader key is still the one that was created at revision `token`, and
/// nobody has written the state since `revision` (0: never).
[[nodiscard]] etcd_request write_state(const etcd_keys& keys, std::int64_t token,
                                       std::int64_t revision, const std::string& text);

/// An answer, as far as anything here needs it. `error`: what makes it useless; then nothing else
/// counts. Nothing in an answer is trusted: another type or a number out of range is an error.
struct etcd_answer {
    std::string error;
    int code = 0;               ///< gRPC's, of the error; 0: none
    std::int64_t lease = 0;     ///< of grant and keepalive
    std::int64_t ttl = 0;       ///< seconds; 0: the lease does not exist any more
    std::int64_t revision = 0;  ///< of the store, at the answer
    bool succeeded = false;     ///< of a transaction
    std::vector<std::pair<std::string, etcd_value>> values;
    std::string token;  ///< of authenticate

    [[nodiscard]] bool ok() const { return error.empty(); }
    [[nodiscard]] etcd_keys_seen of(const etcd_keys& keys) const;
    /// The token that came with the request is not (or no longer) good.
    [[nodiscard]] bool wants_login() const;
};
/// `status`: HTTP's.
[[nodiscard]] etcd_answer read_answer(unsigned status, std::string_view body);

/// Where etcd listens.
struct etcd_endpoint {
    bool tls = false;
    std::string host;
    std::uint16_t port = 2379;

    bool operator==(const etcd_endpoint&) const = default;
    [[nodiscard]] std::string text() const;
};
/// Of `ha_etcd_endpoints`: "http://host:port", separated by ';'. `error` names what is wrong.
struct etcd_endpoints {
    std::vector<etcd_endpoint> all;
    std::string error;
};
[[nodiscard]] etcd_endpoints parse_endpoints(std::string_view text);

}  // namespace howdah::ha
