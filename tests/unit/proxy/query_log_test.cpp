#include "proxy/statistics/query_log.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

namespace howdah::proxy {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class the_query_log : public ::testing::Test {
protected:
    the_query_log() {
        std::string pattern = (fs::temp_directory_path() / "howdah-log-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        vars_.eventslog_filename = (folder_ / "queries.log").string();
    }
    ~the_query_log() override { fs::remove_all(folder_); }

    std::vector<std::string> lines(const std::string& name = "queries.log") const {
        std::ifstream file(folder_ / name);
        std::vector<std::string> out;
        for (std::string line; std::getline(file, line);)
            out.push_back(line);
        return out;
    }

    fs::path folder_;
    conf::variables vars_;
};

TEST_F(the_query_log, has_a_line_for_each_event) {
    query_log log;
    log.configure(vars_);
    log.write("{\"a\":1}");
    log.write("{\"b\":2}");
    log.flush();
    EXPECT_EQ(lines(), (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"}));
    EXPECT_EQ(log.written(), 2u);
    EXPECT_EQ(log.dropped(), 0u);
}

TEST_F(the_query_log, is_written_to_its_end_when_the_process_ends) {
    {
        query_log log;
        log.configure(vars_);
        for (int i = 0; i < 1000; ++i)
            log.write("line");
    }
    EXPECT_EQ(lines().size(), 1000u);
}

TEST_F(the_query_log, goes_on_in_a_new_file_when_one_is_full) {
    vars_.eventslog_filesize = 4096;
    vars_.eventslog_max_files = 2;
    query_log log;
    log.configure(vars_);
    for (int i = 0; i < 100; ++i)
        log.write(std::string(200, static_cast<char>('a' + i % 26)));
    log.flush();
    EXPECT_TRUE(fs::exists(folder_ / "queries.1.log"));
    EXPECT_TRUE(fs::exists(folder_ / "queries.2.log"));
    EXPECT_FALSE(fs::exists(folder_ / "queries.3.log"));
    EXPECT_LE(fs::file_size(folder_ / "queries.1.log"), 4096u);
    EXPECT_EQ(lines().back(), std::string(200, 'a' + 99 % 26));
}

TEST_F(the_query_log, drops_and_counts_what_finds_no_room) {
    vars_.eventslog_buffer_size = 64 << 10;
    query_log log;
    log.configure(vars_);
    log.write(std::string((64 << 10) + 1, 'x'));
    log.write("fits");
    log.flush();
    EXPECT_EQ(log.dropped(), 1u);
    EXPECT_EQ(lines(), std::vector<std::string>{"fits"});
}

TEST_F(the_query_log, drops_everything_where_there_is_none) {
    query_log log;
    log.write("nowhere");
    EXPECT_EQ(log.dropped(), 1u);
    log.configure(vars_);
    log.write("somewhere");
    log.flush();
    vars_.eventslog_filename.clear();
    log.configure(vars_);
    log.write("nowhere");
    EXPECT_EQ(log.dropped(), 2u);
    EXPECT_EQ(lines(), std::vector<std::string>{"somewhere"});
}

TEST_F(the_query_log, of_a_file_that_cannot_be_opened_drops_and_tries_again) {
    const fs::path good = vars_.eventslog_filename;
    std::ofstream(folder_ / "file") << "x";
    vars_.eventslog_filename = (folder_ / "file" / "q.log").string();
    query_log log;
    log.configure(vars_);
    log.write("lost");
    EXPECT_EQ(log.dropped(), 1u);
    fs::remove(folder_ / "file");
    log.configure(vars_);
    log.write("kept");
    log.flush();
    EXPECT_EQ(log.written(), 1u);
    EXPECT_TRUE(fs::exists(folder_ / "file" / "q.log"));
}

TEST_F(the_query_log, takes_lines_of_many_threads) {
    query_log log;
    log.configure(vars_);
    std::vector<std::thread> writers;
    for (int t = 0; t < 4; ++t)
        writers.emplace_back([&log] {
            for (int i = 0; i < 2000; ++i)
                log.write(std::string(50, 'x'));
        });
    for (std::thread& t : writers)
        t.join();
    log.flush();
    const auto written = lines();
    EXPECT_EQ(written.size() + log.dropped(), 8000u);
    EXPECT_EQ(std::count(written.begin(), written.end(), std::string(50, 'x')),
              static_cast<std::ptrdiff_t>(written.size()))
        << "no line is torn";
}

TEST(a_query_event, is_one_line_of_json) {
    logged_statement s;
    s.text = "SELECT 'it''s', \"x\"\n\\ \x01";
    s.extended = true;
    s.began = std::chrono::system_clock::time_point(1700000000s + 123456us);
    s.parameters = R"(["a", null])";
    query_event e;
    e.client = "10.0.0.1:40000";
    e.username = "alice";
    e.database = "shop";
    e.thread_id = 7;
    e.server = "pg1:5432";
    e.hostgroup = 10;
    e.digest = 0xabc;
    e.statement = &s;
    e.duration_us = 2500;
    e.rows_sent = 3;
    e.rows_affected = 0;
    e.sqlstate = "42P01";
    e.slow = true;
    const std::string line = to_json(e);
    EXPECT_EQ(line.find('\n'), line.npos);
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json.at("query"), s.text);
    EXPECT_EQ(json.at("event"), "execute");
    EXPECT_EQ(json.at("starttime"), "2023-11-14 22:13:20.123456");
    EXPECT_EQ(json.at("starttime_timestamp_us"), 1700000000123456);
    EXPECT_EQ(json.at("endtime_timestamp_us"), 1700000000125956);
    EXPECT_EQ(json.at("duration_us"), 2500);
    EXPECT_EQ(json.at("client"), "10.0.0.1:40000");
    EXPECT_EQ(json.at("thread_id"), 7);
    EXPECT_EQ(json.at("username"), "alice");
    EXPECT_EQ(json.at("database"), "shop");
    EXPECT_EQ(json.at("server"), "pg1:5432");
    EXPECT_EQ(json.at("hostgroup_id"), 10);
    EXPECT_EQ(json.at("digest"), "0x0000000000000ABC");
    EXPECT_EQ(json.at("rows_sent"), 3);
    EXPECT_EQ(json.at("rows_affected"), 0);
    EXPECT_EQ(json.at("sqlstate"), "42P01");
    EXPECT_EQ(json.at("slow"), true);
    EXPECT_EQ(json.at("parameters"), nlohmann::json::parse(R"(["a", null])"));
    EXPECT_FALSE(json.contains("cached"));
}

TEST(a_query_event, says_nothing_of_what_was_not_there) {
    logged_statement s;
    s.text = "SELECT '\xff\xfe'";
    query_event e;
    e.statement = &s;
    const auto json = nlohmann::json::parse(to_json(e));
    for (const char* name : {"server", "digest", "sqlstate", "slow", "parameters", "cached"})
        EXPECT_FALSE(json.contains(name)) << name;
    EXPECT_EQ(json.at("query"), "SELECT '\xef\xbf\xbd\xef\xbf\xbd'") << "in another encoding";
    EXPECT_EQ(json.at("hostgroup_id"), -1);
}

std::string number(int n, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i)
        out += static_cast<char>(n >> (8 * i) & 0xff);
    return out;
}

TEST(parameters, are_shown_as_text_or_hexadecimal) {
    const auto value = [](std::string_view text) {
        return number(static_cast<int>(text.size()), 4) + std::string(text);
    };
    const std::string null = number(-1, 4);
    EXPECT_EQ(parameters_to_json(number(0, 2) + number(0, 2) + number(0, 2), 100), "[]");
    EXPECT_EQ(
        parameters_to_json(number(0, 2) + number(3, 2) + value("a\"b") + null + value(""), 100),
        R"(["a\"b",null,""])");
    EXPECT_EQ(parameters_to_json(
                  number(1, 2) + number(1, 2) + number(2, 2) + value("\x01\xff") + value("A"), 100),
              R"(["\\x01ff","\\x41"])")
        << "one format is for all";
    EXPECT_EQ(parameters_to_json(number(2, 2) + number(0, 2) + number(1, 2) + number(2, 2) +
                                     value("A") + value("A"),
                                 100),
              R"(["A","\\x41"])");
    EXPECT_EQ(parameters_to_json(number(0, 2) + number(1, 2) + value("abcdef"), 3), R"(["abc"])");
}

TEST(parameters, that_are_malformed_are_not_shown) {
    for (const std::string& bytes :
         {std::string(), number(1, 2), number(0, 2) + number(1, 2),
          number(0, 2) + number(2, 2) + number(-1, 4),
          number(0, 2) + number(1, 2) + number(5, 4) + "abc", number(65535, 2) + number(65535, 2),
          number(0, 2) + number(1, 2) + number(2147483647, 4)})
        EXPECT_EQ(parameters_to_json(bytes, 100), "");
}

}  // namespace
}  // namespace howdah::proxy
