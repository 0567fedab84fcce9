#include "proxy/session/settings.hpp"

#include <algorithm>
#include <cctype>

namespace howdah::proxy {
namespace {

auto position(auto& entries, std::string_view name) {
    return std::lower_bound(entries.begin(), entries.end(), name,
                            [](const auto& entry, std::string_view n) { return entry.first < n; });
}

void put(session_settings::list& entries, std::string_view name, std::string statement) {
    auto it = position(entries, name);
    if (it != entries.end() && it->first == name) {
        it->second = std::move(statement);
    } else {
        entries.emplace(it, std::string(name), std::move(statement));
    }
}

void remove(session_settings::list& entries, std::string_view name) {
    auto it = position(entries, name);
    if (it != entries.end() && it->first == name) entries.erase(it);
}

std::string quote_identifier(std::string_view name) {
    // A custom parameter is "extension.name": the parts are identifiers, the dot is not.
    std::string out = "\"";
    for (const char c : name) {
        if (c == '.') {
            out += "\".\"";
            continue;
        }
        out += c;
        if (c == '"') out += c;
    }
    return out += '"';
}

std::string set_statement(const sql::setting_change& change) {
    if (change.name == "session_authorization") return "SET SESSION AUTHORIZATION " + change.value;
    if (change.name == "seed") return "SET SEED TO " + change.value;
    return "SET " + quote_identifier(change.name) + " TO " + change.value;
}

std::string reset_statement(const std::string& name) {
    return name == "session_authorization" ? "RESET SESSION AUTHORIZATION"
                                           : "RESET " + quote_identifier(name);
}

}  // namespace

bool changes_reading(std::string_view name) {
    if (name.find('.') != name.npos) return false;
    constexpr std::string_view families[] = {"enable_", "log_", "geqo", "jit", "tcp_", "idle_"};
    if (std::any_of(std::begin(families), std::end(families),
                    [&](std::string_view family) { return name.starts_with(family); }))
        return false;
    constexpr std::string_view others[] = {
        "application_name",
        "bytea_output",
        "client_connection_check_interval",
        "client_min_messages",
        "commit_delay",
        "constraint_exclusion",
        "cpu_tuple_cost",
        "default_transaction_deferrable",
        "default_transaction_isolation",
        "default_transaction_read_only",
        "effective_cache_size",
        "effective_io_concurrency",
        "extra_float_digits",
        "from_collapse_limit",
        "hash_mem_multiplier",
        "join_collapse_limit",
        "lock_timeout",
        "maintenance_work_mem",
        "max_parallel_workers_per_gather",
        "plan_cache_mode",
        "random_page_cost",
        "seq_page_cost",
        "statement_timeout",
        "synchronous_commit",
        "temp_buffers",
        "transaction_timeout",
        "work_mem",
    };
    return !std::binary_search(std::begin(others), std::end(others), name);
}

session_settings::session_settings(list entries) : entries_(std::move(entries)) {
    for (const auto& [name, statement] : entries_)
        if (changes_reading(name)) reading_.append(statement).push_back(';');
}

const std::string* session_settings::find(std::string_view name) const {
    const auto it = position(entries_, name);
    return it != entries_.end() && it->first == name ? &it->second : nullptr;
}

settings_registry::settings_registry() : none_(intern({})) {}

settings_ptr settings_registry::intern(session_settings::list entries) {
    std::string key;
    for (const auto& [name, statement] : entries) {
        key += name;
        key += '\0';
        key += statement;
        key += '\0';
    }
    const std::scoped_lock lock(mutex_);
    std::weak_ptr<const session_settings>& slot = known_[key];
    if (settings_ptr existing = slot.lock()) return existing;
    auto fresh = std::make_shared<const session_settings>(std::move(entries));
    slot = fresh;
    if (known_.size() > purge_at_) {
        std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
        purge_at_ = std::max<std::size_t>(1024, known_.size() * 2);
    }
    return fresh;
}

std::string quote_literal(std::string_view text) {
    const bool escapes = text.find('\\') != std::string_view::npos;
    std::string out = escapes ? "E'" : "'";
    for (const char c : text) {
        out += c;
        if (c == '\'' || c == '\\') out += c;
    }
    return out += '\'';
}

std::string raw_setting_statement(std::string_view name, std::string_view value) {
    return "SELECT pg_catalog.set_config(" + quote_literal(name) + "," + quote_literal(value) +
           ",false)";
}

std::string setting_value(std::string_view statement) {
    // Both forms, "SET x TO 'value'" and set_config('x','value',false), have it in their last
    // literal.
    const std::size_t end = statement.rfind('\'');
    if (end == std::string_view::npos || end == 0) return {};
    const std::size_t begin = statement.rfind('\'', end - 1);
    if (begin == std::string_view::npos) return {};
    std::string value(statement.substr(begin + 1, end - begin - 1));
    std::transform(value.begin(), value.end(), value.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return value;
}

bool sets_to_true(std::string_view statement) {
    const std::string value = setting_value(statement);
    constexpr std::string_view words[] = {"on", "t", "tr", "tru", "true", "y", "ye", "yes", "1"};
    return std::find(std::begin(words), std::end(words), value) != std::end(words);
}

bool sets_to_ascii_unsafe_encoding(std::string_view statement) {
    // PostgreSQL, too, looks at letters and digits only.
    std::string bare;
    for (const char c : statement)
        if (std::isalnum(static_cast<unsigned char>(c)) != 0)
            bare += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    constexpr std::string_view names[] = {
        "sjis",   "shiftjis",   "mskanji", "win932", "windows932", "big5",
        "win950", "windows950", "gbk",     "win936", "windows936", "uhc",
        "win949", "windows949", "gb18030", "johab",
    };
    return std::any_of(std::begin(names), std::end(names),
                       [&](std::string_view name) { return bare.find(name) != std::string::npos; });
}

session_settings::list apply_changes(const session_settings& current,
                                     const session_settings& initial,
                                     std::span<const sql::setting_change> changes) {
    session_settings::list entries = current.entries();
    for (const sql::setting_change& change : changes) {
        switch (change.what) {
            case sql::setting_change::kind::set:
                put(entries, change.name, set_statement(change));
                // PostgreSQL resets the role when the session user changes.
                if (change.name == "session_authorization") remove(entries, "role");
                break;
            case sql::setting_change::kind::set_local:
                break;
            case sql::setting_change::kind::reset:
                if (const std::string* first = initial.find(change.name)) {
                    put(entries, change.name, *first);
                } else {
                    remove(entries, change.name);
                }
                if (change.name == "session_authorization") remove(entries, "role");
                break;
            case sql::setting_change::kind::reset_all: {
                // RESET ALL leaves the identity alone.
                session_settings::list kept = initial.entries();
                for (const char* identity : {"role", "session_authorization"}) {
                    const auto it = position(entries, identity);
                    if (it != entries.end() && it->first == identity)
                        put(kept, identity, it->second);
                }
                entries = std::move(kept);
                break;
            }
        }
    }
    return entries;
}

std::string replay_statements(const session_settings& from, const session_settings& to) {
    std::string sql;
    const auto add = [&sql](std::string_view statement) {
        if (!sql.empty()) sql += ';';
        sql += statement;
    };
    const std::string* old_user = from.find("session_authorization");
    const std::string* new_user = to.find("session_authorization");
    const bool user_changes = (old_user == nullptr) != (new_user == nullptr) ||
                              (old_user != nullptr && *old_user != *new_user);
    // Back to the login's own rights first: the next identity may not be allowed to take over.
    const std::string* old_role = from.find("role");
    const std::string* new_role = to.find("role");
    if (user_changes && old_user != nullptr) add("RESET SESSION AUTHORIZATION");
    if (old_role != nullptr && (new_role == nullptr || *new_role != *old_role))
        add("RESET \"role\"");
    for (const auto& [name, statement] : from.entries()) {
        if (name != "session_authorization" && name != "role" && to.find(name) == nullptr)
            add(reset_statement(name));
    }
    for (const auto& [name, statement] : to.entries()) {
        if (name == "session_authorization" || name == "role") continue;
        const std::string* existing = from.find(name);
        if (existing == nullptr || *existing != statement) add(statement);
    }
    if (user_changes && new_user != nullptr) add(*new_user);
    if (const std::string* role = to.find("role")) {
        const std::string* existing = from.find("role");
        if (user_changes || existing == nullptr || *existing != *role) add(*role);
    }
    return sql;
}

}  // namespace howdah::proxy
