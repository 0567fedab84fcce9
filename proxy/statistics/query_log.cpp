#include "proxy/statistics/query_log.hpp"

#include <fmt/chrono.h>
#include <spdlog/details/log_msg.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "conf/rule_values.hpp"
#include "protocol/wire/reader.hpp"

namespace howdah::proxy {
namespace {

using json = nlohmann::ordered_json;
using microseconds = std::chrono::microseconds;

std::string dump(const json& value) {
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// "2026-11-23 12:00:00.123456", UTC.
std::string time_text(std::chrono::system_clock::time_point t) {
    const auto us = std::chrono::duration_cast<microseconds>(t.time_since_epoch()).count();
    return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:06}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(t)), us % 1'000'000);
}

std::int64_t epoch_us(std::chrono::system_clock::time_point t) {
    return std::chrono::duration_cast<microseconds>(t.time_since_epoch()).count();
}

}  // namespace

std::string to_json(const query_event& event) {
    const logged_statement& s = *event.statement;
    const auto end = s.began + microseconds(event.duration_us);
    json line;
    line["event"] = s.extended ? "execute" : "query";
    line["starttime"] = time_text(s.began);
    line["starttime_timestamp_us"] = epoch_us(s.began);
    line["endtime_timestamp_us"] = epoch_us(end);
    line["duration_us"] = event.duration_us;
    line["client"] = event.client;
    line["thread_id"] = event.thread_id;
    line["username"] = event.username;
    line["database"] = event.database;
    line["hostgroup_id"] = event.hostgroup;
    if (!event.server.empty()) line["server"] = event.server;
    if (event.cached) line["cached"] = true;
    if (event.digest != 0) line["digest"] = conf::format_digest(event.digest);
    line["query"] = s.text;
    line["rows_affected"] = event.rows_affected;
    line["rows_sent"] = event.rows_sent;
    if (!event.sqlstate.empty()) line["sqlstate"] = event.sqlstate;
    if (event.slow) line["slow"] = true;
    if (!s.parameters.empty()) line["parameters"] = json::parse(s.parameters, nullptr, false);
    return dump(line);
}

std::string parameters_to_json(std::string_view bind_tail, std::size_t longest) {
    protocol::reader in(bind_tail);
    std::vector<std::uint16_t> formats(in.u16());
    for (std::uint16_t& f : formats)
        f = in.u16();
    const std::size_t count = in.u16();
    json values = json::array();
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const auto size = static_cast<std::int32_t>(in.u32());
        if (size < 0) {
            values.push_back(nullptr);
            continue;
        }
        const std::string_view bytes = in.bytes(static_cast<std::size_t>(size)).substr(0, longest);
        const std::uint16_t format = formats.empty()       ? 0
                                     : formats.size() == 1 ? formats.front()
                                     : i < formats.size()  ? formats[i]
                                                           : 0;
        if (format == 0) {
            values.push_back(std::string(bytes));
        } else {
            std::string hex = "\\x";
            for (const char c : bytes)
                fmt::format_to(std::back_inserter(hex), "{:02x}", static_cast<unsigned char>(c));
            values.push_back(std::move(hex));
        }
    }
    return in.ok() ? dump(values) : std::string();
}

query_log::~query_log() {
    {
        const std::scoped_lock lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void query_log::configure(const conf::variables& vars) {
    const target wanted{vars.eventslog_filename, vars.eventslog_filesize, vars.eventslog_max_files};
    std::shared_ptr<spdlog::sinks::sink> fresh;
    const bool reopen = wanted != target_;
    if (reopen && !wanted.file.empty()) {
        try {
            fresh = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(wanted.file, wanted.size,
                                                                           wanted.files);
            fresh->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
        } catch (const spdlog::spdlog_ex& e) {
            spdlog::error("the query log cannot be written (eventslog_filename): {}", e.what());
        }
    }
    {
        const std::scoped_lock lock(mutex_);
        most_bytes_ = vars.eventslog_buffer_size;
        if (reopen) sink_ = fresh;
    }
    // What could not be opened is tried again at the next reload.
    if (reopen) target_ = fresh || wanted.file.empty() ? wanted : target{};
    if (fresh && !thread_.joinable()) thread_ = std::thread([this] { run(); });
}

void query_log::write(std::string line) {
    {
        const std::scoped_lock lock(mutex_);
        if (!sink_ || queued_bytes_ + line.size() > most_bytes_) {
            ++dropped_;
            return;
        }
        queued_bytes_ += line.size();
        queue_.push_back(std::move(line));
    }
    changed_.notify_one();
}

void query_log::flush() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return (queue_.empty() && !busy_) || !thread_.joinable(); });
}

void query_log::run() {
    bool failing = false;
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (queue_.empty()) return;
        std::deque<std::string> lines = std::exchange(queue_, {});
        const auto sink = sink_;
        busy_ = true;
        lock.unlock();
        std::size_t done = 0;
        std::size_t bytes = 0;
        for (const std::string& line : lines)
            bytes += line.size();
        try {
            if (sink) {
                for (; done < lines.size(); ++done)
                    sink->log(spdlog::details::log_msg({}, spdlog::level::info, lines[done]));
                sink->flush();
                failing = false;
            }
        } catch (const spdlog::spdlog_ex& e) {
            if (!std::exchange(failing, true))
                spdlog::error("the query log cannot be written: {}", e.what());
        }
        written_ += done;
        dropped_ += lines.size() - done;
        lock.lock();
        queued_bytes_ -= bytes;
        busy_ = false;
        changed_.notify_all();
    }
}

}  // namespace howdah::proxy
