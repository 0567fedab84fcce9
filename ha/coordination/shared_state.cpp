#include "ha/coordination/shared_state.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "protocol/wire/base64.hpp"

namespace howdah::ha {
namespace {

using json = nlohmann::json;

constexpr int format = 1;

/// JSON is UTF-8 and nothing else; what a server says may be any bytes.
json pack(const std::string& text) {
    json out = text;
    try {
        (void)out.dump();
    } catch (const json::exception&) {
        out = json::object();
        out["base64"] = protocol::base64_encode(text);
    }
    return out;
}

std::string unpack(const json& from) {
    if (from.is_string()) return from.get<std::string>();
    auto bytes = protocol::base64_decode(from.at("base64").get<std::string>());
    if (!bytes) throw std::runtime_error("bad base64");
    return std::move(*bytes);
}

/// nlohmann would wrap what does not fit.
template <class T>
T number(const json& from, const char* name) {
    const auto& found = from.at(name);
    if (!found.is_number_unsigned() || !std::in_range<T>(found.get<std::uint64_t>()))
        throw std::runtime_error(std::string(name) + " is no number that fits");
    return found.get<T>();
}

json pack(const endpoint& at) {
    json out = json::object();
    out["host"] = pack(at.host);
    out["port"] = at.port;
    return out;
}

endpoint unpack_endpoint(const json& from) {
    endpoint out;
    out.host = unpack(from.at("host"));
    out.port = number<std::uint16_t>(from, "port");
    if (out.host.empty() || out.port == 0) throw std::runtime_error("a server without an address");
    return out;
}

const json& list(const json& from, const char* name) {
    const auto& found = from.at(name);
    if (!found.is_array()) throw std::runtime_error(std::string(name) + " is no list");
    return found;
}

json pack(const cluster_record& v) {
    json out = json::object();
    out["cluster"] = pack(v.cluster);
    out["system_identifier"] = v.system_identifier;
    out["epoch"] = v.epoch;
    out["primary"] = pack(v.primary);
    out["timeline"] = v.timeline;
    out["known_timeline"] = v.known_timeline;
    out["flush_lsn"] = v.flush_lsn;
    out["sync_changed_at"] = v.sync_changed_at;
    out["sync_sets"] = json::array();
    for (const auto& one : v.sync_sets)
        out["sync_sets"].push_back(pack(one));
    out["fenced"] = json::array();
    for (const auto& one : v.fenced) {
        json row = json::object();
        row["at"] = pack(one.at);
        row["epoch"] = one.epoch;
        row["timeline"] = one.timeline;
        row["reason"] = pack(one.reason);
        out["fenced"].push_back(std::move(row));
    }
    out["left_timeline"] = v.left_timeline;
    out["fork_lsn"] = v.fork_lsn;
    return out;
}

cluster_record unpack_record(const json& from, const std::string& name) {
    cluster_record out;
    out.cluster = name;
    out.system_identifier = number<std::uint64_t>(from, "system_identifier");
    out.epoch = number<std::uint64_t>(from, "epoch");
    out.primary = unpack_endpoint(from.at("primary"));
    out.timeline = number<std::uint32_t>(from, "timeline");
    out.known_timeline = number<std::uint32_t>(from, "known_timeline");
    out.flush_lsn = number<std::uint64_t>(from, "flush_lsn");
    out.sync_changed_at = number<std::uint64_t>(from, "sync_changed_at");
    for (const auto& one : list(from, "sync_sets"))
        out.sync_sets.push_back(unpack(one));
    for (const auto& one : list(from, "fenced"))
        out.fenced.push_back({unpack_endpoint(one.at("at")), number<std::uint64_t>(one, "epoch"),
                              number<std::uint32_t>(one, "timeline"), unpack(one.at("reason"))});
    out.left_timeline = number<std::uint32_t>(from, "left_timeline");
    out.fork_lsn = number<std::uint64_t>(from, "fork_lsn");
    if (out.epoch == 0) throw std::runtime_error("a record without an epoch");
    return out;
}

json pack(const failover_intent& v) {
    json out = json::object();
    out["epoch"] = v.epoch;
    out["replaced"] = pack(v.from);
    if (v.candidate) out["candidate"] = pack(*v.candidate);
    out["promoting"] = v.phase == intent_phase::promoting;
    out["base_timeline"] = v.base_timeline;
    out["conninfo_before_freeze"] = json::array();
    for (const auto& [at, text] : v.conninfo_before_freeze) {
        json row = json::object();
        row["at"] = pack(at);
        row["conninfo"] = pack(text);
        out["conninfo_before_freeze"].push_back(std::move(row));
    }
    out["fork_lsn"] = v.fork_lsn;
    out["stopped"] = v.stopped;
    return out;
}

failover_intent unpack_intent(const json& from, const std::string& name) {
    failover_intent out;
    out.cluster = name;
    out.epoch = number<std::uint64_t>(from, "epoch");
    out.from = unpack_endpoint(from.at("replaced"));
    if (from.contains("candidate")) out.candidate = unpack_endpoint(from.at("candidate"));
    if (from.at("promoting").get<bool>()) out.phase = intent_phase::promoting;
    out.base_timeline = number<std::uint32_t>(from, "base_timeline");
    for (const auto& one : list(from, "conninfo_before_freeze"))
        out.conninfo_before_freeze[unpack_endpoint(one.at("at"))] = unpack(one.at("conninfo"));
    out.fork_lsn = number<std::uint64_t>(from, "fork_lsn");
    out.stopped = from.at("stopped").get<bool>();
    if (out.phase == intent_phase::promoting && !out.candidate)
        throw std::runtime_error("a promotion of nobody");
    return out;
}

}  // namespace

std::string to_json(const shared_state& state) {
    json out = json::object();
    out["format"] = format;
    out["record"] = pack(state.record);
    if (state.intent) out["intent"] = pack(*state.intent);
    return out.dump();
}

read_state state_from_json(std::string_view text, const std::string& name) {
    read_state out;
    try {
        const auto from = json::parse(text);
        if (number<std::uint32_t>(from, "format") != format)
            throw std::runtime_error("it was written by another version of Howdah");
        shared_state state;
        state.record = unpack_record(from.at("record"), name);
        if (from.contains("intent")) state.intent = unpack_intent(from.at("intent"), name);
        out.state = std::move(state);
    } catch (const std::exception& e) {
        out.error = e.what();
    }
    return out;
}

}  // namespace howdah::ha
