#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}
namespace howdah::conf {
struct settings;
}

namespace howdah::monitor {

class monitor;

/// What a server knows about a user.
struct password_answer {
    enum class kind : std::uint8_t {
        found,
        unknown,
        unavailable  ///< nobody could be asked, or the query is wrong; the log says why
    };
    kind what = kind::unavailable;
    /// As in pg_authid.rolpassword; empty: has none, or none that is valid any more.
    std::string password;
};

/// Looks up the passwords of users that are not configured, by auth_query on a server: the writer
/// of the first pair, else any other online one. One connection as auth_user, kept for a while,
/// whose search_path no client, role or database can set; one query at a time; users who log in
/// at the same moment are asked for once, answers are kept for auth_query_cache_ttl.
/// Lives on the control thread.
class auth_query_source {
public:
    using callback = std::function<void(password_answer)>;

    /// `io` and `servers` must outlive it.
    auth_query_source(boost::asio::io_context& io, std::shared_ptr<const conf::settings> settings,
                      const monitor& servers);
    ~auth_query_source();
    auth_query_source(const auth_query_source&) = delete;
    auth_query_source& operator=(const auth_query_source&) = delete;

    /// Any thread. `done` is called once, on the control thread, within some connect timeouts;
    /// not after stop().
    void look_up(std::string user, callback done);
    /// A login with the known password failed: it may be an old one. Any thread.
    void forget(std::string user);

    void reload(std::shared_ptr<const conf::settings> settings);

    /// Idempotent; the destructor calls it.
    void stop();

private:
    class impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace howdah::monitor
