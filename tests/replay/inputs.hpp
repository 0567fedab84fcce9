#pragma once
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// The inputs of a fuzzer that are kept: HOWDAH_FUZZ_DIR/findings_WHAT and corpus_WHAT.
namespace howdah::fuzz {

inline std::vector<std::filesystem::path> inputs_of(const std::string& what) {
    std::vector<std::filesystem::path> all;
    std::error_code none_yet;
    for (const char* folder : {"findings_", "corpus_"})
        for (const auto& entry : std::filesystem::directory_iterator(
                 std::filesystem::path(HOWDAH_FUZZ_DIR) / (folder + what), none_yet))
            all.push_back(entry.path());
    std::sort(all.begin(), all.end());
    return all;
}

inline std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string test_name_of(const std::filesystem::path& path) {
    std::string name = path.filename().string();
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    return name;
}

}  // namespace howdah::fuzz
