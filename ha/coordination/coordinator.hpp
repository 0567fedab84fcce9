#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "conf/settings.hpp"
#include "ha/coordination/etcd_client.hpp"
#include "ha/coordination/lease.hpp"

namespace howdah::ha {

/// One cluster, as its keys in etcd were last read.
struct cluster_seat {
    bool read = false;          ///< the keys were read at all
    std::string leader;         ///< the Howdah that acts; empty: none
    std::int64_t token = 0;     ///< ours: the leader key's create revision; 0: not ours
    std::int64_t revision = 0;  ///< of the state; 0: nobody has written one
    std::string state;          ///< shared_state's JSON
    bool uncertain = false;     ///< a write of ours may or may not be in `state`
    std::uint64_t changes = 0;  ///< grows with every write of ours, begun or ended
};

/// Agrees with the other Howdahs through etcd on who acts for which cluster (by system identifier)
/// and on its state. Whoever holds the leader key, which is bound to a lease, acts; nobody else.
/// Control thread; outlives its coroutines.
class coordinator {
public:
    /// Throws std::runtime_error naming the setting or file that cannot be used.
    coordinator(boost::asio::io_context& io, std::shared_ptr<monitor::resolver_cache> names,
                const conf::variables& vars);

    /// Renews the lease where that is due, reads the keys of `clusters`, takes the lead of those of
    /// `fit` that nobody leads, and gives up that of others. True: something is new.
    [[nodiscard]] boost::asio::awaitable<bool> round(std::set<std::uint64_t> clusters,
                                                     std::set<std::uint64_t> fit);

    /// "" if this Howdah may act for the cluster at this very moment, else why not. To be asked
    /// anew after every wait.
    [[nodiscard]] std::string may_not_act(std::uint64_t cluster) const;
    /// Who acts, or that nobody can; a sentence.
    [[nodiscard]] std::string sentence(std::uint64_t cluster) const;
    /// nullptr: never asked for.
    [[nodiscard]] const cluster_seat* seat(std::uint64_t cluster) const;

    /// Writes the state if this Howdah acts and nobody else has written since it was read; "" or
    /// why not. Where the outcome is unknown the seat is `uncertain` until the next write.
    [[nodiscard]] boost::asio::awaitable<std::string> write(std::uint64_t cluster,
                                                            std::string text);

    /// Nothing is ours any more; etcd is told, which takes until its time-out at most. Blocks.
    void resign();
    [[nodiscard]] const std::string& name() const { return name_; }

private:
    /// Remembers what etcd's trouble is, or that it has none.
    boost::asio::awaitable<etcd_answer> ask(etcd_request what);
    [[nodiscard]] boost::asio::awaitable<void> renew();
    [[nodiscard]] boost::asio::awaitable<bool> look(std::uint64_t cluster, bool fit);
    void take(cluster_seat& seat, const etcd_keys_seen& seen) const;
    void lost_lease();
    [[nodiscard]] etcd_keys keys(std::uint64_t cluster) const { return keys_of(prefix_, cluster); }

    std::shared_ptr<monitor::resolver_cache> names_;
    etcd_login login_;
    etcd_client client_;
    std::string prefix_;
    std::string name_;
    std::int64_t asked_s_;
    lease lease_;
    std::string trouble_ = "etcd was not asked yet";  ///< "" while it answers
    std::map<std::uint64_t, cluster_seat> seats_;
    bool resigned_ = false;
};

}  // namespace howdah::ha
