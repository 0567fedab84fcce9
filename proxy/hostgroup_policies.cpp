#include "proxy/hostgroup_policies.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "conf/hostgroup_values.hpp"
#include "proxy/session/pins.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy {
namespace {

/// PostgreSQL's GUC_LIST_QUOTE: SET takes names, the parameter itself is a list of them in quotes.
bool is_name_list(std::string_view name) {
    return name == "search_path" || name == "temp_tablespaces" ||
           name == "session_preload_libraries" || name == "local_preload_libraries";
}

/// The texts of a setting_change's value; nothing where it is anything but literals.
std::optional<std::vector<std::string>> literals(std::string_view value) {
    std::vector<std::string> texts;
    for (;;) {
        const bool escapes = value.starts_with('E');
        if (escapes) value.remove_prefix(1);
        if (!value.starts_with('\'')) return std::nullopt;
        std::string& text = texts.emplace_back();
        std::size_t at = 1;
        for (; at < value.size(); ++at) {
            const bool doubled = at + 1 < value.size() && value[at + 1] == value[at];
            if (value[at] == '\'' && !doubled) break;
            if (value[at] == '\'' || (escapes && value[at] == '\\')) ++at;
            if (at < value.size()) text += value[at];
        }
        if (at >= value.size()) return std::nullopt;
        value.remove_prefix(at + 1);
        if (value.empty()) return texts;
        if (!value.starts_with(", ")) return std::nullopt;
        value.remove_prefix(2);
    }
}

/// In quotes where it needs them.
std::string as_name(const std::string& text) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    if (!text.empty() && !(text[0] >= '0' && text[0] <= '9') && std::ranges::all_of(text, plain))
        return text;
    std::string out = "\"";
    for (const char c : text) {
        out += c;
        if (c == '"') out += c;
    }
    return out += '"';
}

/// The value as a StartupMessage has it; nothing where it cannot be said there.
std::optional<std::string> as_parameter(const sql::setting_change& change) {
    const auto texts = literals(change.value);
    if (!texts) return std::nullopt;
    const bool names = is_name_list(change.name);
    std::string out;
    for (const std::string& text : *texts) {
        if (!out.empty()) out += ", ";
        out += names ? as_name(text) : text;
    }
    return out;
}

/// Howdah itself has to know these, or acts by them.
bool is_ours(std::string_view name) {
    return name == "client_encoding" || name == "standard_conforming_strings" ||
           name == "session_authorization";
}

void check_init(const sql::traits& t) {
    using sql::verb;
    if (!t.parsed) throw std::runtime_error("PostgreSQL's grammar does not understand it");
    const auto check = [](const sql::traits& one) {
        switch (one.first) {
            case verb::begin:
            case verb::commit:
            case verb::rollback:
            case verb::savepoint:
            case verb::release:
            case verb::rollback_to:
            case verb::prepare_transaction:
                throw std::runtime_error("it must not control transactions");
            case verb::copy_from:
            case verb::copy_to:
                throw std::runtime_error("it must not COPY");
            case verb::discard:
            case verb::deallocate:
                throw std::runtime_error("it must not " + std::string(to_string(one.first)));
            default:
                break;
        }
        for (const sql::setting_change& change : one.settings)
            if (is_ours(change.name)) throw std::runtime_error("it must not set " + change.name);
    };
    check(t);
    for (const sql::statement_part& part : t.parts)
        check(part.what);
    // Nobody could tell them from what a client leaves behind.
    for (std::size_t i = 0; i < sql::pin_reasons; ++i) {
        const auto reason = static_cast<sql::pin_reason>(1U << i);
        if (sql::has_pin(verifiable(t.pins), reason))
            throw std::runtime_error("it must not leave this behind on the connection: " +
                                     std::string(to_string(reason)));
    }
}

std::vector<std::string> read_ignored(const std::string& text) {
    std::vector<std::string> names = conf::parse_ignored_variables(text);
    for (const std::string& name : names)
        if (changes_reading(name) || name.starts_with("default_transaction_"))
            throw std::runtime_error("ignore_session_variables: " + name +
                                     " cannot be ignored: statements mean something else without "
                                     "it, or it is not known to be harmless");
    return names;
}

}  // namespace

std::shared_ptr<const connection_init> read_init_connect(const std::string& text) {
    const sql::traits t = sql::classify(text);
    check_init(t);
    if (t.statements == 0) return nullptr;
    auto init = std::make_shared<connection_init>();
    init->text = text;
    std::size_t sets = 0;
    const auto count_set = [&](const sql::traits& one) {
        if (one.first == sql::verb::set) ++sets;
    };
    if (t.statements == 1) count_set(t);
    for (const sql::statement_part& part : t.parts)
        count_set(part.what);
    bool all = sets == t.statements;
    for (const sql::setting_change& change : t.settings) {
        auto value =
            change.what == sql::setting_change::kind::set ? as_parameter(change) : std::nullopt;
        // DISCARD ALL goes back to the user of the login.
        if (!value || change.name == "role") all = false;
        if (!value) continue;
        const auto same = std::ranges::find(init->parameters, change.name,
                                            &std::pair<std::string, std::string>::first);
        if (same == init->parameters.end()) {
            init->parameters.emplace_back(change.name, std::move(*value));
        } else {
            same->second = std::move(*value);
        }
    }
    // SET whose value cannot be written again, SET TRANSACTION, ...
    if (t.pins != 0 || t.sets_transaction_mode) all = false;
    if (!all) init->statements = text;
    return init;
}

hostgroup_policies::hostgroup_policies(const conf::settings& settings) {
    for (const conf::hostgroup_attributes& a : settings.hostgroup_attributes) {
        const std::string where =
            "hostgroup_attributes of hostgroup " + std::to_string(a.hostgroup_id) + ": ";
        hostgroup_policy policy;
        policy.configured = a;
        try {
            policy.init = read_init_connect(a.init_connect);
        } catch (const std::runtime_error& e) {
            throw std::runtime_error(where + "init_connect: " + e.what());
        }
        try {
            policy.ignored = read_ignored(a.ignore_session_variables);
        } catch (const std::runtime_error& e) {
            throw std::runtime_error(where + e.what());
        }
        any_init_ = any_init_ || policy.init;
        all_.emplace(a.hostgroup_id, std::move(policy));
    }
}

session_settings::list without_ignored(const session_settings& wanted,
                                       const session_settings& there,
                                       std::span<const std::string> ignored) {
    const auto is_ignored = [&](const auto& entry) {
        return std::ranges::binary_search(ignored, entry.first);
    };
    session_settings::list out;
    for (const auto& entry : wanted.entries())
        if (!is_ignored(entry)) out.push_back(entry);
    for (const auto& entry : there.entries())
        if (is_ignored(entry)) out.push_back(entry);
    std::ranges::sort(out);
    return out;
}

}  // namespace howdah::proxy
