#include "proxy/session/client_lookup.hpp"

#include <algorithm>

#include "conf/secrets.hpp"
#include "proxy/late_result.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

using monitor::password_answer;

/// A user that is in no configuration, with the configuration that the session goes by.
struct found_user {
    std::shared_ptr<const conf::settings> settings;
    conf::user row;
};

int default_hostgroup(const conf::settings& settings) {
    if (settings.vars.auth_hostgroup >= 0) return settings.vars.auth_hostgroup;
    if (!settings.replication_hostgroups.empty())
        return settings.replication_hostgroups.front().writer_hostgroup;
    return settings.servers.empty() ? 0 : settings.servers.front().hostgroup_id;
}

bool is_listed(const conf::settings& settings, const std::string& name) {
    return std::ranges::find(settings.users, name, &conf::user::username) != settings.users.end();
}

}  // namespace

boost::asio::awaitable<user_lookup> look_up_user(worker& w, std::shared_ptr<const snapshot> now,
                                                 std::string name) {
    user_lookup result;
    result.config = now->settings;
    result.user = now->find_user(name);
    const conf::variables& vars = now->vars();
    // Who is listed and not active must not come in by the back door.
    if (result.user != nullptr || vars.auth_user.empty() || is_listed(*now->settings, name))
        co_return result;

    late_result<password_answer> asked(w.io);
    w.shared.look_up_password(name, asked.answer());
    const std::optional<password_answer> answer =
        co_await asked.wait(vars.connect_timeout_client / 2);
    if (!answer || answer->what == password_answer::kind::unavailable) {
        result.failure = "cannot look up users: no server has answered auth_query";
        co_return result;
    }
    if (answer->what == password_answer::kind::unknown) co_return result;
    const auto user = std::make_shared<found_user>();
    user->settings = now->settings;
    user->row.username = name;
    // What only looks like a verifier must not be taken for a plain password.
    if (conf::form_of(answer->password) != conf::password_form::malformed_verifier)
        user->row.password = answer->password;
    user->row.default_hostgroup = default_hostgroup(*now->settings);
    result.found = true;
    result.user = &user->row;
    result.config = std::shared_ptr<const conf::settings>(user, user->settings.get());
    co_return result;
}

}  // namespace howdah::proxy
