#pragma once
#include <spdlog/sinks/sink.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "conf/settings.hpp"

namespace howdah::proxy {

/// What is kept of a statement while it runs, for its line in the query log.
struct logged_statement {
    std::string text;        ///< that is run, cut at eventslog_buffer_max_query_length
    std::string parameters;  ///< a JSON array; empty: not wanted
    bool extended = false;
    bool wanted = false;  ///< false: only if it turns out to be slow
    std::chrono::system_clock::time_point began;
};

/// One line of the query log: names are those of ProxySQL's JSON events.
struct query_event {
    std::string_view client;
    std::string_view username;
    std::string_view database;
    std::uint64_t thread_id = 0;  ///< the session's pid
    std::string_view server;      ///< empty: none
    int hostgroup = -1;           ///< -1: answered by the query cache
    std::uint64_t digest = 0;     ///< 0: not known
    const logged_statement* statement = nullptr;
    std::uint64_t duration_us = 0;
    std::uint64_t rows_affected = 0;
    std::uint64_t rows_sent = 0;
    std::string_view sqlstate;  ///< empty: it did not fail
    bool slow = false;
    bool cached = false;
};
/// As JSON, without a line end. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string to_json(const query_event& event);
/// The parameters of a Bind, from its formats on, as a JSON array: text as strings, binary ones as
/// "\\x...", NULL as null; each is cut after `longest` bytes. Empty if they are malformed.
[[nodiscard]] std::string parameters_to_json(std::string_view bind_tail, std::size_t longest);

/// The query log of the process: lines from any thread, written to a file that is rotated by its
/// size, on a thread of its own. What finds no room in the queue is dropped and counted.
class query_log {
public:
    query_log() = default;
    ~query_log();
    query_log(const query_log&) = delete;
    query_log& operator=(const query_log&) = delete;

    /// Puts eventslog_... in force; a file that cannot be opened is told in the process's log, and
    /// lines are dropped. Control thread.
    void configure(const conf::variables& vars);
    /// Any thread; never waits for the disk.
    void write(std::string line);
    /// Waits until all that was written before is in the file.
    void flush();

    [[nodiscard]] std::uint64_t written() const { return written_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    struct target {
        std::string file;
        std::size_t size = 0;
        std::size_t files = 0;
        bool operator==(const target&) const = default;
    };
    void run();

    target target_;  // control thread only
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> queue_;
    std::size_t queued_bytes_ = 0;
    std::size_t most_bytes_ = 0;
    std::shared_ptr<spdlog::sinks::sink> sink_;  // null: lines are dropped
    bool busy_ = false;
    bool stop_ = false;
    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> dropped_{0};
    std::thread thread_;
};

}  // namespace howdah::proxy
