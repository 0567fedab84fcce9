#include "proxy/logging.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace howdah::proxy {
namespace {

/// %J: the message as the inside of a JSON string.
class json_text final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& msg, const std::tm&,
                spdlog::memory_buf_t& out) override {
        for (const char c : msg.payload) {
            const auto byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\') {
                out.push_back('\\');
                out.push_back(c);
            } else if (byte < 0x20) {
                fmt::format_to(std::back_inserter(out), "\\u{:04x}", byte);
            } else {
                out.push_back(c);
            }
        }
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<json_text>();
    }
};

constexpr const char* logger_name = "howdah";

spdlog::level::level_enum to_level(conf::log_level level) {
    switch (level) {
        case conf::log_level::debug:
            return spdlog::level::debug;
        case conf::log_level::info:
            return spdlog::level::info;
        case conf::log_level::warning:
            return spdlog::level::warn;
        case conf::log_level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

void set_up_logging(const conf::variables& vars) {
    spdlog::sink_ptr sink;
    if (vars.log_file.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(vars.log_file);
    }
    if (vars.log_format == conf::log_format::json) {
        auto formatter = std::make_unique<spdlog::pattern_formatter>();
        formatter->add_flag<json_text>('J');
        formatter->set_pattern(
            R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","thread":%t,"message":"%J"})");
        sink->set_formatter(std::move(formatter));
    } else {
        sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%-7l%$ %v");
    }
    // Other threads may be logging: the logger stays, what it writes to is replaced under a lock.
    const auto level = to_level(vars.log_level);
    const auto known = spdlog::default_logger();
    const auto outlet =
        known->name() != logger_name
            ? nullptr
            : std::dynamic_pointer_cast<spdlog::sinks::dist_sink_mt>(known->sinks().front());
    if (outlet) {
        outlet->set_sinks({std::move(sink)});
        known->set_level(level);
        return;
    }
    auto first = std::make_shared<spdlog::sinks::dist_sink_mt>();
    first->set_sinks({std::move(sink)});
    auto logger = std::make_shared<spdlog::logger>(logger_name, std::move(first));
    logger->set_level(level);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace howdah::proxy
