#include "ha/coordination/etcd_messages.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "conf/text_list.hpp"
#include "protocol/wire/base64.hpp"

namespace howdah::ha {
namespace {

using json = nlohmann::json;
using protocol::base64_decode;
using protocol::base64_encode;

constexpr std::uint16_t usual_port = 2379;
constexpr int unauthenticated = 16;  // gRPC status codes
constexpr int invalid_argument = 3;

std::string text_of(const json& body) {
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

etcd_request request(const char* path, const json& body) {
    return {path, text_of(body)};
}

json read_of(const std::string& key) {
    json out = json::object();
    out["request_range"]["key"] = base64_encode(key);
    return out;
}

json compare(const std::string& key, const char* target, const char* member, std::int64_t value) {
    json out = json::object();
    out["key"] = base64_encode(key);
    out["target"] = target;
    out["result"] = "EQUAL";
    out[member] = std::to_string(value);
    return out;
}

json put(const std::string& key, const std::string& value, std::int64_t lease) {
    json out = json::object();
    auto& what = out["request_put"];
    what["key"] = base64_encode(key);
    what["value"] = base64_encode(value);
    if (lease) what["lease"] = std::to_string(lease);
    return out;
}

json list() {
    return json::array();
}

/// The gateway writes 64-bit numbers as strings and leaves zeros out.
bool number(const json& from, const char* name, std::int64_t& out) {
    out = 0;
    const auto found = from.find(name);
    if (found == from.end()) return true;
    if (found->is_number_unsigned())
        return found->get<std::uint64_t>() <= INT64_MAX && (found->get_to(out), true);
    if (found->is_number_integer()) return found->get_to(out), true;
    if (!found->is_string()) return false;
    const auto& text = found->get_ref<const std::string&>();
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, out);
    return error == std::errc() && at == end;
}

bool text(const json& from, const char* name, std::string& out) {
    out.clear();
    const auto found = from.find(name);
    if (found == from.end()) return true;
    if (!found->is_string()) return false;
    out = found->get<std::string>();
    return true;
}

bool bytes(const json& from, const char* name, std::string& out) {
    std::string packed;
    if (!text(from, name, packed)) return false;
    auto plain = base64_decode(packed);
    if (!plain) return false;
    out = std::move(*plain);
    return true;
}

bool read_values(const json& from, etcd_answer& out) {
    const auto found = from.find("kvs");
    if (found == from.end()) return true;
    if (!found->is_array()) return false;
    for (const auto& one : *found) {
        std::string key;
        etcd_value v;
        if (!one.is_object() || !bytes(one, "key", key) || !bytes(one, "value", v.value) ||
            !number(one, "create_revision", v.create_revision) ||
            !number(one, "mod_revision", v.mod_revision) || !number(one, "lease", v.lease))
            return false;
        out.values.emplace_back(std::move(key), std::move(v));
    }
    return true;
}

bool read_responses(const json& from, etcd_answer& out) {
    const auto found = from.find("responses");
    if (found == from.end()) return true;
    if (!found->is_array()) return false;
    for (const auto& one : *found) {
        if (!one.is_object()) return false;
        const auto range = one.find("response_range");
        if (range == one.end()) continue;
        if (!range->is_object() || !read_values(*range, out)) return false;
    }
    return true;
}

bool read_fields(const json& from, etcd_answer& out) {
    const auto header = from.find("header");
    if (header != from.end() &&
        (!header->is_object() || !number(*header, "revision", out.revision)))
        return false;
    const auto succeeded = from.find("succeeded");
    if (succeeded != from.end()) {
        if (!succeeded->is_boolean()) return false;
        out.succeeded = succeeded->get<bool>();
    }
    return number(from, "ID", out.lease) && number(from, "TTL", out.ttl) &&
           text(from, "token", out.token) && read_values(from, out) && read_responses(from, out);
}

etcd_answer refused(unsigned status, const json& from) {
    etcd_answer out;
    std::int64_t code = 0;
    const json* said = &from;
    if (from.is_object() && from.contains("error") && from["error"].is_object())
        said = &from["error"];
    if (said->is_object()) {
        if (!text(*said, "message", out.error) || out.error.empty())
            text(*said, "error", out.error);
        if (!number(*said, "code", code) || code == 0) number(*said, "grpc_code", code);
    }
    if (code > 0 && code < 100) out.code = static_cast<int>(code);
    if (out.error.empty()) out.error = fmt::format("HTTP status {}", status);
    return out;
}

etcd_answer no_etcd() {
    etcd_answer out;
    out.error = "the answer is not etcd's";
    return out;
}

bool parse_endpoint(std::string_view one, etcd_endpoint& out) {
    constexpr std::string_view plain = "http://", secured = "https://";
    if (one.starts_with(plain)) {
        one.remove_prefix(plain.size());
    } else if (one.starts_with(secured)) {
        out.tls = true;
        one.remove_prefix(secured.size());
    } else {
        return false;
    }
    if (one.ends_with('/')) one.remove_suffix(1);
    auto host = one;
    std::string_view port;
    const auto bracket = one.starts_with('[') ? one.find(']') : std::string_view::npos;
    const auto colon = bracket == one.npos ? one.find(':') : one.find(':', bracket);
    if (colon != one.npos) {
        host = one.substr(0, colon);
        port = one.substr(colon + 1);
    }
    out.port = usual_port;
    if (colon != one.npos) {
        const auto [at, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
        if (error != std::errc() || at != port.data() + port.size() || out.port == 0) return false;
    }
    if (host.starts_with('[')) {
        if (!host.ends_with(']')) return false;
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of(":/?#@[] ") != host.npos) {
        return false;
    }
    out.host = std::string(host);
    return !out.host.empty();
}

}  // namespace

etcd_keys keys_of(std::string_view prefix, std::uint64_t system_identifier) {
    const auto base = fmt::format("{}/{}/", prefix, system_identifier);
    return {base + "leader", base + "record"};
}

etcd_request authenticate(const std::string& name, const std::string& password) {
    json body = json::object();
    body["name"] = name;
    body["password"] = password;
    return request("/v3/auth/authenticate", body);
}

etcd_request grant_lease(std::int64_t seconds) {
    json body = json::object();
    body["TTL"] = std::to_string(seconds);
    return request("/v3/lease/grant", body);
}

etcd_request keep_alive(std::int64_t lease) {
    json body = json::object();
    body["ID"] = std::to_string(lease);
    return request("/v3/lease/keepalive", body);
}

etcd_request revoke_lease(std::int64_t lease) {
    json body = json::object();
    body["ID"] = std::to_string(lease);
    return request("/v3/lease/revoke", body);
}

etcd_request read_keys(const etcd_keys& keys) {
    json body = json::object();
    body["success"] = list();
    body["success"].push_back(read_of(keys.leader));
    body["success"].push_back(read_of(keys.state));
    return request("/v3/kv/txn", body);
}

etcd_request take_lead(const etcd_keys& keys, const std::string& name, std::int64_t lease) {
    json body = json::object();
    body["compare"] = list();
    body["compare"].push_back(compare(keys.leader, "CREATE", "create_revision", 0));
    body["success"] = list();
    body["success"].push_back(put(keys.leader, name, lease));
    body["failure"] = list();
    for (const char* branch : {"success", "failure"}) {
        body[branch].push_back(read_of(keys.leader));
        body[branch].push_back(read_of(keys.state));
    }
    return request("/v3/kv/txn", body);
}

etcd_request give_up_lead(const etcd_keys& keys, std::int64_t token) {
    json body = json::object();
    body["compare"] = list();
    body["compare"].push_back(compare(keys.leader, "CREATE", "create_revision", token));
    json remove = json::object();
    remove["request_delete_range"]["key"] = base64_encode(keys.leader);
    body["success"] = list();
    body["success"].push_back(remove);
    return request("/v3/kv/txn", body);
}

etcd_request write_state(const etcd_keys& keys, std::int64_t token, std::int64_t revision,
                         const std::string& text) {
    json body = json::object();
    body["compare"] = list();
    body["compare"].push_back(compare(keys.leader, "CREATE", "create_revision", token));
    body["compare"].push_back(compare(keys.state, "MOD", "mod_revision", revision));
    body["success"] = list();
    body["success"].push_back(put(keys.state, text, 0));
    return request("/v3/kv/txn", body);
}

etcd_keys_seen etcd_answer::of(const etcd_keys& keys) const {
    etcd_keys_seen out;
    for (const auto& [key, value] : values) {
        if (key == keys.leader) out.leader = value;
        if (key == keys.state) out.state = value;
    }
    return out;
}

bool etcd_answer::wants_login() const {
    return code == unauthenticated ||
           (code == invalid_argument && error.find("auth") != std::string::npos);
}

etcd_answer read_answer(unsigned status, std::string_view body) {
    const auto whole = json::parse(body, nullptr, false);
    if (status != 200) return refused(status, whole);
    if (!whole.is_object()) return no_etcd();
    if (whole.contains("error")) return refused(status, whole);
    etcd_answer out;
    // Streams wrap what they say.
    const auto wrapped = whole.find("result");
    const auto& from = wrapped == whole.end() ? whole : *wrapped;
    if (!from.is_object() || !from.contains("header") || !read_fields(from, out)) return no_etcd();
    return out;
}

std::string etcd_endpoint::text() const {
    return fmt::format("{}://{}:{}", tls ? "https" : "http",
                       host.find(':') == host.npos ? host : "[" + host + "]", port);
}

etcd_endpoints parse_endpoints(std::string_view text) {
    etcd_endpoints out;
    for (const auto& one : conf::split_text_list(text)) {
        etcd_endpoint parsed;
        if (!parse_endpoint(one, parsed)) {
            out.error = fmt::format(
                "ha_etcd_endpoints: '{}' is not of the form http://host:port or https://host:port",
                one);
            return out;
        }
        out.all.push_back(std::move(parsed));
    }
    return out;
}

}  // namespace howdah::ha
