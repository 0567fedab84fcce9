#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "protocol/wire/frame.hpp"

using howdah::protocol::peek_frame;

namespace {

/// Where the messages of a stream end, when it arrives in pieces of the given sizes.
std::vector<std::size_t> message_ends(std::string_view stream, std::string_view piece_sizes) {
    std::vector<std::size_t> ends;
    std::size_t arrived = 0;
    std::size_t start = 0;
    std::size_t piece = 0;
    while (arrived < stream.size()) {
        const std::size_t size = piece < piece_sizes.size()
                                     ? static_cast<unsigned char>(piece_sizes[piece++]) + 1u
                                     : stream.size();
        arrived = size < stream.size() - arrived ? arrived + size : stream.size();
        while (const auto header = peek_frame(stream.substr(start, arrived - start))) {
            if (!header->valid()) return ends;
            if (header->size() != header->body_size() + howdah::protocol::frame_header_size)
                std::abort();
            if (header->size() > arrived - start) break;
            start += header->size();
            ends.push_back(start);
        }
    }
    return ends;
}

}  // namespace

/// Cutting a stream anywhere must not change its messages. First byte: number of pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) return 0;
    const auto pieces = input.substr(1, static_cast<unsigned char>(input[0]) % 16);
    const auto stream = input.substr(1 + pieces.size());
    if (message_ends(stream, pieces) != message_ends(stream, {})) std::abort();
    return 0;
}
