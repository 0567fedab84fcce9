#include "tests/fuzz/admin/play_admin.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "admin/catalog/catalog_tables.hpp"
#include "admin/catalog/dialect.hpp"
#include "admin/catalog/functions.hpp"
#include "admin/config/layers.hpp"
#include "admin/server/admin_protocol.hpp"
#include "admin/sql/registry_tables.hpp"
#include "admin/sql/show_commands.hpp"
#include "protocol/wire/frame.hpp"

// What an input means: one byte for who it is and what comes, then text or messages.
namespace howdah::fuzz {
namespace {

void require(bool ok, const char* what) {
    if (ok) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    std::abort();
}

/// An administration over the default configuration.
class administration {
public:
    explicit administration(const std::string& name) {
        settings_ = std::make_shared<const conf::settings>();
        all_.memory_uri = "file:/" + name + "?vfs=memdb";
        all_.statement_timeout = std::chrono::milliseconds(200);
        layers_ = std::make_unique<admin::config_layers>(
            admin::runtime_access{[this] { return settings_; },
                                  [](const auto&) { return std::vector<std::string>(); },
                                  {}},
            "/dev/null", false);
        all_.tables = layers_->tables();
        for (admin::live_table& t : admin::registry_tables(all_))
            all_.tables.push_back(std::move(t));
        catalog_ = std::make_shared<const admin::catalog>(all_, [] {
            return std::vector<std::pair<std::string, admin::role>>{{"admin", admin::role::admin},
                                                                    {"stats", admin::role::stats}};
        });
        for (admin::live_table& t : admin::catalog_tables(catalog_, all_.tables))
            all_.tables.push_back(std::move(t));
        all_.add_functions = [this](sqlite3* db, const std::string& user, admin::role who) {
            admin::add_catalog_functions(db, catalog_, user, who, "1.0");
        };
        all_.translate = admin::translated;
        for (admin::command& c : layers_->commands()) {
            // It would write wherever the fuzzer says.
            if (c.syntax.find("FILE") == c.syntax.npos) all_.commands.add(std::move(c));
        }
        all_.commands.add(admin::show_commands(all_));
        all_.commands.add(admin::show_anything());
        keeper_ = std::make_unique<admin::database>(all_.memory_uri);
        layers_->create(*keeper_, *settings_);
    }
    administration(const administration&) = delete;
    administration& operator=(const administration&) = delete;

    [[nodiscard]] const admin::sql_environment& environment() const { return all_; }

    /// Another one whenever somebody else has changed something.
    [[nodiscard]] std::string version() {
        const auto rows = keeper_->query("PRAGMA data_version");
        require(rows && !rows->empty(), "the administration can still be read");
        return admin::to_text(rows->front().front());
    }

private:
    std::shared_ptr<const conf::settings> settings_;
    admin::sql_environment all_;
    std::unique_ptr<admin::config_layers> layers_;
    std::shared_ptr<const admin::catalog> catalog_;
    std::unique_ptr<admin::database> keeper_;
};

/// Sends one message, looks at what comes back, and counts its ReadyForQuery.
std::size_t send(admin::admin_protocol& to, char type, std::string_view body) {
    constexpr std::size_t enough = 4 << 20;
    std::string out;
    to.on_message(type, body, out);
    while (to.busy() && out.size() < enough)
        to.resume(out);
    std::string_view said = out;
    std::size_t ready = 0;
    while (!said.empty()) {
        const auto f = protocol::peek_frame(said);
        require(f && f->valid() && f->size() <= said.size(), "whole messages come back");
        if (f->type == 'Z') ++ready;
        said.remove_prefix(f->size());
    }
    return ready;
}

/// An administration with a connection to it.
struct place {
    explicit place(admin::role who)
        : here(who == admin::role::stats ? "fuzz_stats" : "fuzz_admin"),
          session(here.environment(), who, who == admin::role::stats ? "stats" : "admin"),
          version(here.version()) {}

    /// Whether nothing is left of a visit.
    [[nodiscard]] bool is_as_before() {
        const auto made = session.connection().query("SELECT count(*) FROM sqlite_temp_master");
        return here.version() == version && session.status() == 'I' && made &&
               std::get<std::int64_t>(made->front().front()) == 0;
    }

    administration here;
    admin::sql_session session;
    std::string version;
};

/// What a client does in one connection.
void visit(admin::sql_session& session, bool messages, std::string_view rest) {
    admin::admin_protocol protocol(session);
    if (!messages) {
        std::string text(rest.substr(0, rest.find('\0')));
        text += '\0';
        const std::size_t ready = send(protocol, 'Q', text);
        require(ready == 1 || protocol.busy(), "Query is answered by ReadyForQuery");
    }
    // Type, length, body; again and again.
    while (messages && rest.size() >= 2 && !protocol.ended() && !protocol.busy()) {
        constexpr std::string_view types = "QPBDEHCSXFdcf";
        const char type = types[static_cast<unsigned char>(rest[0]) % types.size()];
        const std::size_t length =
            std::min<std::size_t>(static_cast<unsigned char>(rest[1]), rest.size() - 2);
        const std::size_t ready = send(protocol, type, rest.substr(2, length));
        // Until Sync everything may be passed over.
        require(ready == (type == 'S' ? 1 : 0) || (type == 'Q' && ready == 1),
                "Query and Sync alone are answered by ReadyForQuery");
        rest.remove_prefix(2 + length);
    }
}

}  // namespace

void play_admin(std::string_view input) {
    if (input.size() < 2) return;
    const auto kind = static_cast<unsigned char>(input.front());
    const bool messages = (kind & 2) != 0;
    const bool looks_only = (kind & 1) != 0;
    input.remove_prefix(1);
    static std::unique_ptr<place> places[2];
    std::unique_ptr<place>& at = places[looks_only ? 1 : 0];
    if (!at) at = std::make_unique<place>(looks_only ? admin::role::stats : admin::role::admin);
    visit(at->session, messages, input);
    visit(at->session, false, "ROLLBACK");
    require(at->session.status() == 'I', "a transaction can be ended");
    if (looks_only) {
        require(at->here.version() == at->version, "who may only look changes nothing");
    } else if (!at->is_as_before()) {
        at.reset();  // the next input must not depend on this one
    }
}

}  // namespace howdah::fuzz
