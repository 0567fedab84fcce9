#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "admin/pgbouncer/setting_table.hpp"
#include "admin/pgbouncer/translation.hpp"
#include "conf/field.hpp"

namespace howdah::admin::pgbouncer {

struct database_entry;
struct user_entry;

/// A setting on its way through the translation.
struct setting {
    const known_setting* known = nullptr;
    place where{};       ///< nowhere: PgBouncer's default
    std::string name{};  ///< as it is reported
    std::string value{};
    std::size_t order = 0;               ///< of its row
    database_entry* database = nullptr;  ///< where it is one of a database
    user_entry* user = nullptr;          ///< where it is one of a user
};

/// An entry of [databases].
struct database_entry {
    conf::database row;
    setting entry;
    std::vector<setting> items;
    bool fallback = false;  ///< "*"
    std::vector<std::string> hosts;
    std::uint16_t port = 5432;
    bool reachable = true;  ///< false: Howdah cannot connect to its host
    bool balanced = true;
    bool wants_primary = false;
    int hostgroup = -1;
    bool is_forced = false;  ///< has a user of its own that Howdah can be
};

/// A user of auth_file, or of [users] only.
struct user_entry {
    conf::user row;
    bool listed = false;  ///< in auth_file
};

/// The work of translate(): one object per import. Handlers are called by the table of settings;
/// each reports the one row of its setting.
class translator {
public:
    translator(const ini_file& ini, const file_reader& read, conf::settings base);
    [[nodiscard]] translation run();

    void listen_addr(const setting& s);
    void unix_socket_dir(const setting& s);
    void max_prepared_statements(const setting& s);
    void max_packet_size(const setting& s);
    void server_lifetime(const setting& s);
    void verbose(const setting& s);
    void client_tls_sslmode(const setting& s);
    void client_tls_protocols(const setting& s);

    void auth_type(const setting& s);
    void auth_file(const setting& s);
    void auth_hba_file(const setting& s);
    void auth_ident_file(const setting& s);
    void auth_user(const setting& s);
    void auth_query(const setting& s);
    void auth_dbname(const setting& s);
    void admin_users(const setting& s);
    void stats_users(const setting& s);
    void user_clients(const setting& s);

    void dbname(const setting& s);
    void host(const setting& s);
    void port(const setting& s);
    void forced_user(const setting& s);
    void forced_password(const setting& s);
    void database_auth(const setting& s);
    void load_balance_hosts(const setting& s);
    void target_session_attrs(const setting& s);
    void database_server_lifetime(const setting& s);
    void database_clients(const setting& s);

private:
    // translator.cpp
    void collect();
    void collect_entry(const ini_entry& e, std::size_t order);
    void treat(const setting& s);
    void assume_defaults();
    void listen();
    void check_result();
    [[nodiscard]] const setting* general(std::string_view name) const;
    [[nodiscard]] std::string_view value_of(std::string_view name,
                                            std::string_view otherwise) const;
    /// A number that `treat` reports; `otherwise` where there is none.
    [[nodiscard]] std::int64_t amount_of(std::string_view name, std::int64_t otherwise) const;
    /// Something of another file than the ini file; its row comes behind the others.
    [[nodiscard]] setting further(place where, std::string name);
    void report(const setting& s, outcome what, std::string becomes = {}, std::string note = {});
    void impossible(const setting& s, std::string note);
    /// With the table's note behind it.
    void impossible_because(const setting& s, std::string_view why);
    template <class Record>
    void put(const setting& s, Record& record, const conf::field<Record>& field);
    template <class Record>
    void put_seconds(const setting& s, Record& record, const conf::field<Record>& field);
    template <class Record>
    void put_column(const setting& s, Record& record);
    void put_option(const setting& s);

    // databases.cpp
    void place_databases();
    void make_servers();
    void make_routes();
    [[nodiscard]] std::int64_t connections_of(const database_entry& d) const;
    [[nodiscard]] int home() const;

    // authentication.cpp
    void read_users();
    void finish_users();
    void finish_access();
    [[nodiscard]] std::optional<std::string> database_list() const;
    void add_console_users(const setting& s, std::string& credentials, std::string_view variable);
    [[nodiscard]] const user_entry* listed_user(std::string_view name) const;

    const ini_file& ini_;
    const file_reader& read_;
    conf::settings out_;
    std::vector<std::pair<std::size_t, report_row>> rows_;
    std::vector<std::string> notices_;
    std::size_t next_order_ = 0;  // of rows that are no entry of the ini file

    std::map<std::string, setting, std::less<>> general_;
    std::deque<database_entry> databases_;
    std::map<std::string, user_entry, std::less<>> users_;
    std::vector<setting> user_settings_;
    std::vector<std::string> addresses_;  // of listen_addr
    std::string socket_dir_ = "/tmp";
    std::optional<conf::hba_method> method_;  // of auth_type
    bool hba_ = false;                        // auth_type is hba
};

/// A time in seconds, with a fraction; nothing if it is none.
[[nodiscard]] std::optional<std::int64_t> milliseconds_of(std::string_view seconds);
[[nodiscard]] std::optional<std::int64_t> integer_of(std::string_view text);
/// Parts between commas, without blanks.
[[nodiscard]] std::vector<std::string> list_of(std::string_view text);

}  // namespace howdah::admin::pgbouncer
