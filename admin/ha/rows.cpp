#include "admin/ha/rows.hpp"

#include <charconv>
#include <limits>
#include <stdexcept>

namespace howdah::admin {
namespace {

constexpr std::string_view version_1 = R"sql(
CREATE TABLE records (
    cluster TEXT PRIMARY KEY, system_identifier TEXT NOT NULL, epoch TEXT NOT NULL,
    primary_host TEXT NOT NULL, primary_port INTEGER NOT NULL, timeline INTEGER NOT NULL,
    known_timeline INTEGER NOT NULL, flush_lsn TEXT NOT NULL, sync_sets TEXT NOT NULL,
    sync_changed_at TEXT NOT NULL, fenced TEXT NOT NULL) STRICT;
CREATE TABLE intents (
    cluster TEXT PRIMARY KEY, epoch TEXT NOT NULL, replaced_host TEXT NOT NULL,
    replaced_port INTEGER NOT NULL, candidate_host TEXT, candidate_port INTEGER,
    phase TEXT NOT NULL, base_timeline INTEGER NOT NULL,
    conninfo_before_freeze TEXT NOT NULL) STRICT;
CREATE TABLE notes (id INTEGER PRIMARY KEY CHECK (id = 1), content TEXT NOT NULL) STRICT;
CREATE TABLE recoveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL, kind TEXT NOT NULL,
    cluster TEXT NOT NULL, alias TEXT NOT NULL, problem TEXT NOT NULL, failed_host TEXT NOT NULL,
    failed_port INTEGER NOT NULL, successor_host TEXT, successor_port INTEGER, epoch TEXT NOT NULL,
    automatic INTEGER NOT NULL, ordered_by TEXT NOT NULL, started_at INTEGER NOT NULL,
    writable_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, successful INTEGER NOT NULL,
    sentence TEXT NOT NULL, loss_bytes TEXT, lost TEXT NOT NULL, participants TEXT NOT NULL,
    acknowledged INTEGER NOT NULL, acknowledged_by TEXT NOT NULL,
    acknowledge_comment TEXT NOT NULL, acknowledged_at INTEGER NOT NULL) STRICT;
CREATE TABLE recovery_steps (
    id INTEGER PRIMARY KEY AUTOINCREMENT, recovery_id INTEGER NOT NULL,
    recovery_uid TEXT NOT NULL, at INTEGER NOT NULL, took_us INTEGER NOT NULL,
    server TEXT NOT NULL, what TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE INDEX recovery_steps_by_recovery ON recovery_steps (recovery_id);
CREATE TABLE detections (
    id INTEGER PRIMARY KEY AUTOINCREMENT, cluster TEXT NOT NULL, alias TEXT NOT NULL,
    problem TEXT NOT NULL, server_host TEXT NOT NULL, server_port INTEGER NOT NULL,
    at INTEGER NOT NULL, sentence TEXT NOT NULL, recovery_id INTEGER NOT NULL) STRICT;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, type TEXT NOT NULL,
    server_host TEXT NOT NULL, server_port INTEGER NOT NULL, cluster TEXT NOT NULL,
    ordered_by TEXT NOT NULL, message TEXT NOT NULL) STRICT;
)sql";

constexpr std::string_view version_2 = R"sql(
ALTER TABLE records ADD COLUMN left_timeline INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN fork_lsn TEXT NOT NULL DEFAULT '0';
ALTER TABLE intents ADD COLUMN fork_lsn TEXT NOT NULL DEFAULT '0';
ALTER TABLE intents ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;
CREATE TABLE servers (
    at_host TEXT NOT NULL, at_port INTEGER NOT NULL, data_directory TEXT NOT NULL,
    wal_log_hints INTEGER NOT NULL, data_checksums INTEGER NOT NULL,
    full_page_writes INTEGER NOT NULL, PRIMARY KEY (at_host, at_port)) STRICT;
)sql";

constexpr std::string_view freezing = "freezing";
constexpr std::string_view promoting = "promoting";

template <class T>
bool parse(std::string_view text, T& out) {
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && stop == text.data() + text.size() && !text.empty();
}

}  // namespace

const std::vector<std::string_view>& store_versions() {
    static const std::vector<std::string_view> all{version_1, version_2};
    return all;
}

void row_writer::operator()(const char* name, ha::intent_phase v) {
    put(name, std::string(v == ha::intent_phase::promoting ? promoting : freezing));
}

void row_writer::operator()(const char* name, const ha::endpoint& v) {
    put(std::string(name) + "_host", v.host);
    put(std::string(name) + "_port", std::int64_t{v.port});
}

void row_writer::operator()(const char* name, const std::optional<ha::endpoint>& v) {
    put(std::string(name) + "_host", v ? value(v->host) : value());
    put(std::string(name) + "_port", v ? value(std::int64_t{v->port}) : value());
}

void row_writer::operator()(const char* name, const std::optional<std::uint64_t>& v) {
    put(name, v ? value(std::to_string(*v)) : value());
}

void row_reader::damaged(const char* name, std::string_view why) {
    throw std::runtime_error("column " + std::string(name) + " is damaged: " + std::string(why));
}

const value& row_reader::next(const char* name) {
    if (at_ == from_.size()) damaged(name, "there is none");
    return from_[at_++];
}

std::int64_t row_reader::integer(const char* name) {
    const auto* v = std::get_if<std::int64_t>(&next(name));
    if (v == nullptr) damaged(name, "no integer");
    return *v;
}

std::string row_reader::text(const char* name) {
    const auto* v = std::get_if<std::string>(&next(name));
    if (v == nullptr) damaged(name, "no text");
    return *v;
}

void row_reader::operator()(const char* name, std::uint32_t& v) {
    const std::int64_t wide = integer(name);
    if (wide < 0 || wide > std::numeric_limits<std::uint32_t>::max())
        damaged(name, std::to_string(wide));
    v = static_cast<std::uint32_t>(wide);
}

void row_reader::operator()(const char* name, std::uint64_t& v) {
    const std::string written = text(name);
    if (!parse(written, v)) damaged(name, "\"" + written + "\" is no number");
}

void row_reader::operator()(const char* name, ha::intent_phase& v) {
    const std::string written = text(name);
    if (written != freezing && written != promoting) damaged(name, "\"" + written + "\"");
    v = written == promoting ? ha::intent_phase::promoting : ha::intent_phase::freezing;
}

void row_reader::operator()(const char* name, ha::endpoint& v) {
    v.host = text(name);
    const std::int64_t port = integer(name);
    if (port < 0 || port > std::numeric_limits<std::uint16_t>::max())
        damaged(name, "port " + std::to_string(port));
    v.port = static_cast<std::uint16_t>(port);
}

void row_reader::operator()(const char* name, std::optional<ha::endpoint>& v) {
    v.reset();
    if (std::holds_alternative<std::monostate>(next(name))) {
        (void)next(name);
        return;
    }
    --at_;
    (*this)(name, v.emplace());
}

void row_reader::operator()(const char* name, std::optional<std::uint64_t>& v) {
    v.reset();
    if (std::holds_alternative<std::monostate>(next(name))) return;
    --at_;
    (*this)(name, v.emplace());
}

}  // namespace howdah::admin
