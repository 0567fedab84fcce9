#pragma once
#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>

#include "protocol/io/gather.hpp"
#include "proxy/pool/identity.hpp"
#include "proxy/session/settings.hpp"
#include "proxy/traffic.hpp"

namespace howdah::proxy {

class worker;
struct mirror_counters;

/// A statement to be run once more, elsewhere, for nobody.
struct mirrored_statement {
    int hostgroup = 0;
    const pool_login* login = nullptr;
    settings_ptr settings;  ///< of the session that ran it
    std::string messages;   ///< a Query; or Parse, Bind, Execute, Close and Sync, all unnamed
    bool extended = false;
    std::chrono::milliseconds limit{0};  ///< cancelled after this time
};

/// One worker's mirrored statements: run on connections of its pool, as many at a time as
/// mirror_max_concurrency allows, their results thrown away. Those that find no room in the queue
/// are dropped. Nothing of this is seen or waited for by the session that ran the original.
class mirror {
public:
    explicit mirror(worker& w);
    ~mirror();

    /// Begins later, from the event loop.
    void add(mirrored_statement s);
    /// It could not be mirrored.
    void drop();
    /// The server is dead: whoever holds a connection to it is through.
    void close(const server_entry* server);
    /// Forgets everything.
    void stop();
    /// Connections that are held.
    [[nodiscard]] std::size_t count(const traffic_scope& scope) const;
    [[nodiscard]] mirror_counters counters() const;

private:
    class run;

    void begin_some();
    void post_begin();
    /// The last thing that a run does; it is destroyed behind the event at hand.
    void ended(run& r, bool ok);

    worker& worker_;
    protocol::gather to_server_;
    std::deque<mirrored_statement> waiting_;
    std::list<std::unique_ptr<run>> running_;
    std::unique_ptr<mirror_counters> counters_;
    bool posted_ = false;
};

}  // namespace howdah::proxy
