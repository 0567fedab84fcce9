#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "admin/catalog/catalog_tables.hpp"
#include "admin/catalog/dialect.hpp"
#include "admin/catalog/functions.hpp"
#include "admin/config/layers.hpp"
#include "admin/server/admin_protocol.hpp"
#include "admin/sql/registry_tables.hpp"
#include "admin/sql/show_commands.hpp"
#include "protocol/wire/messages.hpp"

// What a client of the admin interface sends: any text as one Query, and any messages. Nothing may
// end the process, every Query and Sync gets its ReadyForQuery, and who may only look changes
// nothing.

namespace {

using namespace howdah;

void require(bool ok) {
    if (!ok) std::abort();
}

/// An administration over the default configuration.
struct world {
    world() {
        settings = std::make_shared<const conf::settings>();
        all.memory_uri = "file:/fuzz?vfs=memdb";
        all.statement_timeout = std::chrono::milliseconds(200);
        layers = std::make_unique<admin::config_layers>(
            admin::runtime_access{[this] { return settings; },
                                  [](const auto&) { return std::vector<std::string>(); },
                                  {}},
            "/dev/null", false);
        all.tables = layers->tables();
        for (admin::live_table& t : admin::registry_tables(all))
            all.tables.push_back(std::move(t));
        catalog = std::make_shared<const admin::catalog>(all, [] {
            return std::vector<std::pair<std::string, admin::role>>{{"admin", admin::role::admin},
                                                                    {"stats", admin::role::stats}};
        });
        for (admin::live_table& t : admin::catalog_tables(catalog, all.tables))
            all.tables.push_back(std::move(t));
        all.add_functions = [this](sqlite3* db, const std::string& user, admin::role who) {
            admin::add_catalog_functions(db, catalog, user, who, "1.0");
        };
        all.translate = admin::translated;
        for (admin::command& c : layers->commands()) {
            // It would write wherever the fuzzer says.
            if (c.syntax.find("FILE") == c.syntax.npos) all.commands.add(std::move(c));
        }
        all.commands.add(admin::show_commands(all));
        all.commands.add(admin::show_anything());
        keeper = std::make_unique<admin::database>(all.memory_uri);
        layers->create(*keeper, *settings);
    }

    [[nodiscard]] std::string state() {
        const auto rows = keeper->query(
            "SELECT count(*), total(length(variable_value)) FROM global_variables "
            "UNION ALL SELECT count(*), total(weight) FROM pgsql_servers "
            "UNION ALL SELECT count(*), total(length(comment)) FROM pgsql_users");
        require(static_cast<bool>(rows));
        std::string out;
        for (const admin::row& r : *rows)
            out += admin::to_text(r[0]) + "," + admin::to_text(r[1]) + ";";
        return out;
    }

    std::shared_ptr<const conf::settings> settings;
    admin::sql_environment all;
    std::unique_ptr<admin::config_layers> layers;
    std::shared_ptr<const admin::catalog> catalog;
    std::unique_ptr<admin::database> keeper;
};

std::string sent(admin::admin_protocol& to, char type, std::string_view body) {
    constexpr std::size_t enough = 4 << 20;
    std::string out;
    to.on_message(type, body, out);
    while (to.busy() && out.size() < enough)
        to.resume(out);
    return out;
}

bool ends_with_ready(std::string_view out) {
    return out.size() >= 6 && out[out.size() - 6] == 'Z';
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static world here;
    if (size < 2) return 0;
    const std::uint8_t kind = data[0];
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    const bool looks_only = (kind & 1) != 0;
    const std::string before = looks_only ? here.state() : std::string();
    {
        admin::sql_session session(here.all, looks_only ? admin::role::stats : admin::role::admin,
                                   looks_only ? "stats" : "admin");
        admin::admin_protocol protocol(session);
        if ((kind & 2) == 0) {
            std::string text(rest.substr(0, rest.find('\0')));
            text += '\0';
            const std::string out = sent(protocol, 'Q', text);
            require(protocol.ended() || protocol.busy() || ends_with_ready(out));
        } else {
            // Type, length, body; again and again.
            while (rest.size() >= 2 && !protocol.ended() && !protocol.busy()) {
                constexpr std::string_view types = "QPBDEHCSXFdcf";
                const char type = types[static_cast<std::uint8_t>(rest[0]) % types.size()];
                const std::size_t length =
                    std::min<std::size_t>(static_cast<std::uint8_t>(rest[1]), rest.size() - 2);
                const std::string out = sent(protocol, type, rest.substr(2, length));
                rest.remove_prefix(2 + length);
                if (type == 'S')
                    require(protocol.ended() || protocol.busy() || ends_with_ready(out));
            }
        }
    }
    if (looks_only) require(here.state() == before);
    return 0;
}
