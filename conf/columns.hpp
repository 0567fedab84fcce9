#pragma once
#include <span>
#include <string_view>

#include "conf/field.hpp"
#include "conf/settings.hpp"

// The columns of the lists in the configuration, as options.hpp is for the variables.
namespace howdah::conf {

/// Columns in ProxySQL's order. The defaults are those of a default-constructed record.
template <class Record>
std::span<const field<Record>> columns();
template <>
std::span<const field<server>> columns();
template <>
std::span<const field<replication_hostgroup>> columns();
template <>
std::span<const field<hostgroup_attributes>> columns();
template <>
std::span<const field<ha_server>> columns();
template <>
std::span<const field<user>> columns();
template <>
std::span<const field<database>> columns();
template <>
std::span<const field<query_rule>> columns();
template <>
std::span<const field<fast_route>> columns();
template <>
std::span<const field<firewall_user>> columns();
template <>
std::span<const field<firewall_rule>> columns();
template <>
std::span<const field<hba_rule>> columns();
template <>
std::span<const field<user_map>> columns();

/// What one record is called in messages: "server", "user", ...
template <class Record>
inline constexpr std::string_view record_name = "";
template <>
inline constexpr std::string_view record_name<server> = "server";
template <>
inline constexpr std::string_view record_name<replication_hostgroup> = "replication hostgroup";
template <>
inline constexpr std::string_view record_name<hostgroup_attributes> = "hostgroup attributes";
template <>
inline constexpr std::string_view record_name<ha_server> = "ha server";
template <>
inline constexpr std::string_view record_name<user> = "user";
template <>
inline constexpr std::string_view record_name<database> = "database";
template <>
inline constexpr std::string_view record_name<query_rule> = "query rule";
template <>
inline constexpr std::string_view record_name<fast_route> = "fast route";
template <>
inline constexpr std::string_view record_name<firewall_user> = "firewall user";
template <>
inline constexpr std::string_view record_name<firewall_rule> = "firewall rule";
template <>
inline constexpr std::string_view record_name<hba_rule> = "hba rule";
template <>
inline constexpr std::string_view record_name<user_map> = "user map";

/// The list's key in the configuration; "pgsql_" before it is accepted, too.
template <class Record>
inline constexpr std::string_view section_name = "";
template <>
inline constexpr std::string_view section_name<server> = "servers";
template <>
inline constexpr std::string_view section_name<replication_hostgroup> = "replication_hostgroups";
template <>
inline constexpr std::string_view section_name<hostgroup_attributes> = "hostgroup_attributes";
template <>
inline constexpr std::string_view section_name<ha_server> = "ha_servers";
template <>
inline constexpr std::string_view section_name<user> = "users";
template <>
inline constexpr std::string_view section_name<database> = "databases";
template <>
inline constexpr std::string_view section_name<query_rule> = "query_rules";
template <>
inline constexpr std::string_view section_name<fast_route> = "query_rules_fast_routing";
template <>
inline constexpr std::string_view section_name<firewall_user> = "firewall_whitelist_users";
template <>
inline constexpr std::string_view section_name<firewall_rule> = "firewall_whitelist_rules";
template <>
inline constexpr std::string_view section_name<hba_rule> = "hba_rules";
template <>
inline constexpr std::string_view section_name<user_map> = "user_maps";

/// Columns of ProxySQL's tables that Howdah does not have: a configuration that relies on one
/// is told so instead of being given a similar name.
bool is_unsupported_column(std::string_view section, std::string_view column);

}  // namespace howdah::conf
