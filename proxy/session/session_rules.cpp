#include "proxy/session/session.hpp"

// Query rules: what they say of a statement.
namespace howdah::proxy {

verdict_ptr session::judge(std::string_view query) {
    const auto& rules = w_.now->rules;
    if (rules->empty()) return nullptr;
    if (!reached_)
        reached_ = std::make_unique<const protocol::socket_address>(
            protocol::local_address(client_.socket()));
    const sql::digest id = w_.statements.find(query).id;
    return w_.verdicts.judge(rules, id, who_.login,
                             {.username = who_.login->user,
                              .database = who_.login->database,
                              .client_addr = client_address(),
                              .proxy_addr = reached_->host,
                              .proxy_port = reached_->port,
                              .query = query,
                              .digest = id.hash});
}

}  // namespace howdah::proxy
