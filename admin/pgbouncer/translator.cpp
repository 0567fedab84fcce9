#include "admin/pgbouncer/translator.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "admin/config/config_table.hpp"
#include "admin/pgbouncer/connect_string.hpp"
#include "admin/sql/text.hpp"
#include "conf/address.hpp"
#include "conf/columns.hpp"
#include "conf/loader.hpp"
#include "conf/nearest.hpp"
#include "conf/options.hpp"

namespace howdah::admin::pgbouncer {
namespace {

/// Room between the rows of two entries for those of what they contain.
constexpr std::size_t step = std::size_t{1} << 20;
constexpr std::size_t most_notices = 20;

bool is_one_of(std::string_view value, std::string_view choices) {
    for (;;) {
        const std::size_t bar = choices.find('|');
        if (value == choices.substr(0, bar)) return true;
        if (bar == choices.npos) return false;
        choices.remove_prefix(bar + 1);
    }
}

std::string joined(std::string a, std::string_view b) {
    return a.append(a.empty() || b.empty() ? "" : " ").append(b);
}

std::optional<scope> scope_of(std::string_view section) {
    if (section == "pgbouncer") return scope::general;
    if (section == "databases") return scope::database;
    if (section == "users") return scope::user;
    if (section == "peers") return scope::peer;
    return std::nullopt;
}

template <class Record>
std::string full_name(const conf::field<Record>& field);
template <>
std::string full_name(const conf::field<conf::variables>& field) {
    return variable_name(field.name);
}
template <>
std::string full_name(const conf::field<conf::database>& field) {
    return "pgsql_databases." + std::string(field.name);
}
template <>
std::string full_name(const conf::field<conf::user>& field) {
    return "pgsql_users." + std::string(field.name);
}

std::string did_you_mean(scope where, std::string_view name) {
    constexpr std::size_t longest = 64;  // the search is quadratic
    std::vector<std::string_view> names;
    for (const known_setting& k : known_settings())
        if (k.where == where && name.size() <= longest) names.push_back(k.name);
    const auto near = conf::nearest(name, names);
    return "PgBouncer has no such setting" +
           (near ? "; did you mean " + std::string(*near) + "?" : std::string("."));
}

}  // namespace

std::optional<std::int64_t> milliseconds_of(std::string_view seconds) {
    double value = 0;
    const char* end = seconds.data() + seconds.size();
    const auto [at, wrong] = std::from_chars(seconds.data(), end, value);
    if (wrong != std::errc() || at != end || !std::isfinite(value) || value < 0 || value > 1e12)
        return std::nullopt;
    const auto ms = static_cast<std::int64_t>(std::llround(value * 1000));
    // Zero means something else than a very short time.
    return value > 0 ? std::max<std::int64_t>(1, ms) : ms;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
    std::int64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [at, wrong] = std::from_chars(text.data(), end, value);
    if (wrong != std::errc() || at != end) return std::nullopt;
    return value;
}

std::vector<std::string> list_of(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    std::vector<std::string> out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(','), text.size());
        std::string_view one = text.substr(0, end);
        one.remove_prefix(std::min(one.find_first_not_of(blanks), one.size()));
        one = one.substr(0, one.find_last_not_of(blanks) + 1);
        if (!one.empty()) out.emplace_back(one);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

translator::translator(const ini_file& ini, const file_reader& read, conf::settings base)
    : ini_(ini), read_(read), out_(std::move(base)) {
    out_.servers.clear();
    out_.replication_hostgroups.clear();
    out_.users.clear();
    out_.databases.clear();
    out_.query_rules.clear();
    out_.fast_routes.clear();
    out_.hba_rules.clear();
    out_.user_maps.clear();
    next_order_ = ini.entries.size() * step;
}

translation translator::run() {
    collect();
    if (const setting* dir = general("unix_socket_dir")) socket_dir_ = dir->value;
    read_users();
    place_databases();
    for (const auto& [name, s] : general_)
        treat(s);
    assume_defaults();
    for (const setting& s : user_settings_)
        treat(s);
    make_servers();
    make_routes();
    finish_users();
    finish_access();
    listen();
    check_result();
    std::ranges::stable_sort(rows_, {}, &std::pair<std::size_t, report_row>::first);
    translation t;
    t.result = std::move(out_);
    t.notices = std::move(notices_);
    for (auto& [order, row] : rows_)
        t.rows.push_back(std::move(row));
    return t;
}

void translator::collect() {
    std::map<std::pair<std::string_view, std::string_view>, std::size_t> last;
    for (std::size_t i = 0; i < ini_.entries.size(); ++i)
        last[{ini_.entries[i].section, ini_.entries[i].key}] = i;
    for (std::size_t i = 0; i < ini_.entries.size(); ++i) {
        const ini_entry& e = ini_.entries[i];
        const std::size_t valid = last[{e.section, e.key}];
        if (valid == i) {
            collect_entry(e, i * step);
        } else {
            setting s{.where = e.where, .name = e.key, .order = i * step};
            report(s, outcome::ignored, {},
                   "Replaced at " + ini_.entries[valid].where.to_string() + ".");
        }
    }
}

void translator::collect_entry(const ini_entry& e, std::size_t order) {
    const std::optional<scope> where = scope_of(e.section);
    setting s{.where = e.where, .name = e.key, .order = order};
    if (where != scope::general) s.name = "[" + e.section + "] " + e.key;
    if (!where) return impossible(s, "PgBouncer has no such section.");
    if (*where == scope::general) {
        s.known = find_setting(*where, e.key);
        s.value = e.value;
        general_.emplace(e.key, s);
        return;
    }
    const auto items = parse_connect_string(e.value);
    if (!items) return impossible(s, "expected key=value key=value ...");
    database_entry* database = nullptr;
    if (*where == scope::database) {
        database = &databases_.emplace_back();
        database->row.name = e.key;
        database->entry = s;
        database->fallback = e.key == "*";
    } else if (*where == scope::user) {
        s.user = &users_[e.key];
        s.user->row.username = e.key;
    }
    for (auto it = items->begin(); it != items->end(); ++it) {
        setting item = s;
        item.known = find_setting(*where, it->first);
        item.name += ": " + it->first;
        item.value = it->second;
        item.order = ++order;
        item.database = database;
        const auto same = [&](const auto& later) { return later.first == it->first; };
        if (std::any_of(std::next(it), items->end(), same))
            report(item, outcome::ignored, {}, "Replaced later in the line.");
        else if (database != nullptr)
            database->items.push_back(std::move(item));
        else if (*where == scope::user)
            user_settings_.push_back(std::move(item));
        else
            treat(item);
    }
    if (items->empty() && *where != scope::database)
        report(s, outcome::ignored, {}, "Says nothing.");
}

const setting* translator::general(std::string_view name) const {
    const auto found = general_.find(name);
    return found == general_.end() ? nullptr : &found->second;
}

std::string_view translator::value_of(std::string_view name, std::string_view otherwise) const {
    const setting* s = general(name);
    return s == nullptr ? otherwise : std::string_view(s->value);
}

std::int64_t translator::amount_of(std::string_view name, std::int64_t otherwise) const {
    const setting* s = general(name);
    return s == nullptr ? otherwise : integer_of(s->value).value_or(otherwise);
}

setting translator::further(place where, std::string name) {
    setting s;
    s.where = std::move(where);
    s.name = std::move(name);
    s.order = next_order_++;
    return s;
}

void translator::report(const setting& s, outcome what, std::string becomes, std::string note) {
    report_row row;
    row.where = s.where.to_string();
    row.setting = s.name;
    // Of what nobody knows nobody knows either whether it is a password.
    const bool shown = s.known != nullptr && !s.known->secret;
    row.value = s.value.empty() || shown ? s.value : "(not shown)";
    row.what = what;
    row.becomes = std::move(becomes);
    row.note = std::move(note);
    rows_.emplace_back(s.order, std::move(row));
}

void translator::impossible(const setting& s, std::string note) {
    report(s, outcome::impossible, {}, std::move(note));
}

void translator::impossible_because(const setting& s, std::string_view why) {
    impossible(s, joined(std::string(why), s.known->note));
}

void translator::treat(const setting& s) {
    if (s.known == nullptr) {
        const scope where = s.database != nullptr ? scope::database
                            : s.user != nullptr   ? scope::user
                            : general(s.name)     ? scope::general
                                                  : scope::peer;
        return impossible(s, did_you_mean(where, s.name.substr(s.name.rfind(' ') + 1)));
    }
    const known_setting& k = *s.known;
    const bool for_others = s.database != nullptr && s.database->fallback;
    const bool in_row = k.how == treatment::seconds || k.how == treatment::text;
    if (for_others && in_row &&
        value_of(k.name, find_setting(scope::general, k.name)->usual) != s.value)
        return impossible(s, "pgsql_databases has no row for all other databases: list them.");
    switch (k.how) {
        case treatment::ignored:
            return report(s, outcome::ignored, {}, std::string(k.note));
        case treatment::neutral:
            if (is_one_of(s.value, k.usual))
                return report(s, outcome::ignored, {}, "Nothing else than what Howdah does.");
            return impossible(s, std::string(k.note));
        case treatment::amount:
            if (const auto n = integer_of(s.value); !n || *n < 0)
                return impossible(s, "is no number.");
            return report(s, outcome::translated, std::string(k.target), std::string(k.note));
        case treatment::by_hand:
            return (this->*k.handler)(s);
        case treatment::seconds:
        case treatment::number:
        case treatment::text:
            if (for_others) return report(s, outcome::translated, std::string(k.target));
            if (s.database != nullptr) return put_column(s, s.database->row);
            if (s.user == nullptr) return put_option(s);
            if (s.user->listed) return put_column(s, s.user->row);
            return impossible(s,
                              "The user is not in auth_file: give a row of pgsql_users with the "
                              "password.");
    }
}

template <class Record>
void translator::put(const setting& s, Record& record, const conf::field<Record>& field) {
    const bool number = s.known->how == treatment::number;
    if (number && !integer_of(s.value)) return impossible(s, "is no number.");
    if (const auto wrong = field.set(record, s.value)) return impossible_because(s, *wrong + ".");
    report(s, outcome::translated, full_name(field) + " = " + field.get(record).value_or(""),
           std::string(s.known->note));
}

template <class Record>
void translator::put_seconds(const setting& s, Record& record, const conf::field<Record>& field) {
    if (s.known->where != scope::general && s.value == "-1")
        return report(s, outcome::ignored, {}, "Not set.");
    const auto wanted = milliseconds_of(s.value);
    if (!wanted) return impossible(s, "is no time in seconds.");
    std::int64_t ms = std::clamp(*wanted, field.range.min, field.range.max);
    std::string remark;
    if (*wanted == 0 && !s.known->zero_is_never) {
        ms = field.range.max;
        remark = "Howdah has no unlimited time here: this is the longest.";
    } else if (ms != *wanted) {
        remark =
            ms < *wanted ? "The longest that Howdah takes." : "The shortest that Howdah takes.";
    }
    (void)field.set(record, std::to_string(ms));
    report(s, outcome::translated, full_name(field) + " = " + field.get(record).value_or(""),
           joined(remark, s.known->note));
}

template <class Record>
void translator::put_column(const setting& s, Record& record) {
    const auto table = conf::columns<Record>();
    const auto& field = *std::ranges::find(table, s.known->target, &conf::field<Record>::name);
    if (s.known->how == treatment::seconds) return put_seconds(s, record, field);
    put(s, record, field);
}

void translator::put_option(const setting& s) {
    const conf::option& option = *conf::find_option(s.known->target);
    if (s.known->how == treatment::seconds)
        put_seconds<conf::variables>(s, out_.vars, option);
    else
        put<conf::variables>(s, out_.vars, option);
}

void translator::assume_defaults() {
    for (const known_setting& k : known_settings()) {
        if (k.how == treatment::neutral || k.where != scope::general || k.usual.empty() ||
            general(k.name) != nullptr)
            continue;
        setting s = further({}, std::string(k.name));
        s.known = &k;
        s.value = k.usual;
        const conf::variables before = out_.vars;
        treat(s);
        // What was so before needs no row.
        if (out_.vars == before) rows_.pop_back();
    }
}

void translator::listen_addr(const setting& s) {
    std::string note(s.known->note);
    for (const std::string& address : list_of(s.value)) {
        if (address == "*") {
            addresses_.emplace_back("0.0.0.0");
            note = joined(note, "For IPv6 add [::]:port.");
        } else if (address == "localhost") {
            addresses_.emplace_back("127.0.0.1");
        } else if (const auto ip = conf::parse_ip(address)) {
            addresses_.push_back(ip->v6 ? "[" + address + "]" : address);
        } else {
            return impossible(
                s, "Howdah listens on IP addresses only: write the address of " + address + ".");
        }
    }
    report(s, outcome::translated, std::string(s.known->target), note);
}

void translator::unix_socket_dir(const setting& s) {
    if (!s.value.empty() && !s.value.starts_with('/'))
        return impossible(s, "Howdah listens on unix sockets in folders named from the root only.");
    report(s, outcome::translated, std::string(s.known->target), std::string(s.known->note));
}

void translator::listen() {
    const setting* addresses = general("listen_addr");
    const setting* folder = general("unix_socket_dir");
    const setting* port = general("listen_port");
    if (addresses == nullptr && folder == nullptr && port == nullptr) return;
    const std::string behind = ":" + std::string(port == nullptr ? "6432" : port->value);
    std::string text;
    for (const std::string& address : addresses_)
        text.append(text.empty() ? "" : ";").append(address + behind);
    if (socket_dir_.starts_with('/'))
        text.append(text.empty() ? "" : ";").append(socket_dir_ + behind);
    const setting s = further({}, "listen_addr, listen_port, unix_socket_dir");
    const conf::option& option = *conf::find_option("interfaces");
    if (const auto wrong = option.set(out_.vars, text))
        return impossible(s, "'" + text + "' " + *wrong + ".");
    report(s, outcome::translated, variable_name("interfaces") + " = " + text,
           "A change of interfaces needs a restart.");
}

void translator::max_prepared_statements(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n || *n < 0) return impossible(s, "is no number.");
    if (*n == 0) return report(s, outcome::ignored, {}, std::string(s.known->note));
    const conf::option& option = *conf::find_option("max_stmts_per_connection");
    if (const auto wrong = option.set(out_.vars, s.value)) return impossible(s, *wrong + ".");
    report(s, outcome::translated, variable_name(option.name) + " = " + s.value);
}

void translator::max_packet_size(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n || *n < 0) return impossible(s, "is no number.");
    const conf::option& option = *conf::find_option("max_allowed_packet");
    const std::string text = std::to_string(std::clamp(*n, option.range.min, option.range.max));
    (void)option.set(out_.vars, text);
    report(s, outcome::translated, variable_name(option.name) + " = " + text,
           std::string(s.known->note));
}

void translator::server_lifetime(const setting& s) {
    const auto wanted = milliseconds_of(s.value);
    if (!wanted) return impossible(s, "is no time in seconds.");
    const conf::option& option = *conf::find_option("connection_max_age_ms");
    // 0 is once here and never there.
    const std::string text = std::to_string(std::clamp<std::int64_t>(*wanted, 1, option.range.max));
    (void)option.set(out_.vars, text);
    report(s, outcome::translated, variable_name(option.name) + " = " + text,
           *wanted == 0                 ? "Closed after one use, as in PgBouncer."
           : *wanted > option.range.max ? "The longest that Howdah takes."
                                        : "");
}

void translator::verbose(const setting& s) {
    const auto n = integer_of(s.value);
    if (!n) return impossible(s, "is no number.");
    out_.vars.log_level = *n > 0 ? conf::log_level::debug : conf::log_level::info;
    report(s, outcome::translated, variable_name("log_level") + (*n > 0 ? " = debug" : " = info"));
}

void translator::client_tls_sslmode(const setting& s) {
    const conf::option& option = *conf::find_option("client_sslmode");
    const std::string mode = s.value == "prefer"        ? "allow"
                             : s.value == "verify-full" ? "verify-ca"
                                                        : s.value;
    if (const auto wrong = option.set(out_.vars, mode)) return impossible(s, *wrong + ".");
    report(s, outcome::translated, variable_name(option.name) + " = " + mode,
           mode == s.value ? "" : std::string(s.known->note));
}

void translator::client_tls_protocols(const setting& s) {
    bool newest_only = true, old = false;
    for (const std::string& written : list_of(s.value)) {
        const std::string one = lower(written);
        const bool both = one == "secure" || one == "all" || one == "legacy";
        if (!both && one != "tlsv1.0" && one != "tlsv1.1" && one != "tlsv1.2" && one != "tlsv1.3")
            return impossible(s, "names no version of TLS.");
        newest_only = newest_only && one == "tlsv1.3";
        old = old || one == "all" || one == "legacy" || one == "tlsv1.0" || one == "tlsv1.1";
    }
    out_.vars.ssl_min_protocol_version =
        newest_only ? conf::tls_version::tls_1_3 : conf::tls_version::tls_1_2;
    report(s, outcome::translated,
           variable_name("ssl_min_protocol_version") + (newest_only ? " = TLSv1.3" : " = TLSv1.2"),
           old ? std::string(s.known->note) : std::string());
}

void translator::check_result() {
    const conf::load_result checked = conf::accept(out_);
    for (const conf::diagnostic& d : checked.errors) {
        impossible(further({}, "(the result)"),
                   d.message + ": LOAD ... TO RUNTIME will refuse it.");
    }
    for (const conf::diagnostic& d : checked.warnings) {
        if (notices_.size() == most_notices) {
            notices_.push_back("... and " + std::to_string(checked.warnings.size() - most_notices) +
                               " more");
            break;
        }
        notices_.push_back(d.message);
    }
}

translation translate(const ini_file& ini, const file_reader& read, conf::settings base) {
    return translator(ini, read, std::move(base)).run();
}

}  // namespace howdah::admin::pgbouncer
