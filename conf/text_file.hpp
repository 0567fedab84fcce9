#pragma once
#include <cstddef>
#include <string>

namespace howdah::conf {

struct text_file {
    std::string text;
    std::string error;  ///< Empty on success, else e.g. "No such file or directory".
    bool world_readable = false;
};

/// Reads a regular file of at most `max_size` bytes; anything else (a folder, a FIFO, a device) is
/// an error and does not block.
text_file read_text_file(const std::string& path, std::size_t max_size);

/// Why the regular file cannot be read; empty if it can.
std::string why_unreadable(const std::string& path);

}  // namespace howdah::conf
