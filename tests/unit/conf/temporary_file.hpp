#pragma once
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace howdah::conf::test {

/// A folder that is gone after the test.
class temporary_folder {
public:
    temporary_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "howdah-conf-XXXXXX").string();
        if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    std::string path(std::string_view name = {}) const { return (path_ / name).string(); }

    /// Returns the path of a new file.
    std::string file(std::string_view name, std::string_view content, mode_t mode = 0600) const {
        const auto result = path(name);
        std::ofstream(result, std::ios::binary) << content;
        ::chmod(result.c_str(), mode);
        return result;
    }

private:
    std::filesystem::path path_;
};

/// An environment variable for the length of a test.
class environment_variable {
public:
    environment_variable(const char* name, const char* value) : name_(name) {
        ::setenv(name, value, 1);
    }
    environment_variable(const environment_variable&) = delete;
    environment_variable& operator=(const environment_variable&) = delete;
    ~environment_variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

}  // namespace howdah::conf::test
