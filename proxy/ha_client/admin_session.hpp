#pragma once
#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "proxy/ha_client/login.hpp"
#include "proxy/ha_client/text_table.hpp"

namespace howdah::proxy::ha_client {

/// Nobody answers, or somebody who is no Howdah; or it ended in the middle.
struct no_answer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Howdah says no: to a login or to a statement.
struct refused : std::runtime_error {
    using std::runtime_error::runtime_error;
    std::string sqlstate;
    std::string detail;
    std::string hint;
};

/// One session with the admin interface of a running Howdah. Everything blocks.
class admin_session {
public:
    /// Throws no_answer and refused.
    explicit admin_session(const login& as);

    /// Runs one statement, however long that takes. Throws no_answer and refused.
    [[nodiscard]] answer ask(const std::string& sql);
    /// What Howdah said beside its answers, once.
    [[nodiscard]] std::vector<std::string> take_notices();

private:
    void await_login();
    [[noreturn]] void explain_failed_login();

    struct closer {
        void operator()(PGconn* connection) const { PQfinish(connection); }
    };
    login as_;
    std::unique_ptr<PGconn, closer> connection_;
    std::vector<std::string> notices_;
};

}  // namespace howdah::proxy::ha_client
