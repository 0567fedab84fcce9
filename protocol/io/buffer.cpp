#include "protocol/io/buffer.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace howdah::protocol {

buffer_pool::~buffer_pool() {
    for (char* chunk : free_)
        delete[] chunk;
}

char* buffer_pool::take() {
    if (free_.empty()) return new char[chunk_size];
    char* chunk = free_.back();
    free_.pop_back();
    return chunk;
}

void buffer_pool::give(char* chunk) {
    if (free_.size() < keep_free) {
        free_.push_back(chunk);
    } else {
        delete[] chunk;
    }
}

std::span<char> input_buffer::prepare(std::size_t limit) {
    if (base_ == nullptr) {
        base_ = pool_->take();
        capacity_ = buffer_pool::chunk_size;
    }
    if (begin_ > 0 && (end_ == capacity_ || begin_ >= capacity_ / 2)) {
        std::memmove(base_, base_ + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == capacity_ && size() < limit) {
        const std::size_t grown = std::min(capacity_ * 2, std::max(limit, capacity_ + 1));
        char* larger = new char[grown];
        std::memcpy(larger, base_ + begin_, size());
        const std::size_t kept = size();
        release_memory();
        base_ = larger;
        begin_ = 0;
        end_ = kept;
        capacity_ = grown;
    }
    return {base_ + end_, capacity_ - end_};
}

void input_buffer::consume(std::size_t n) {
    assert(n <= size());
    begin_ += n;
    if (begin_ == end_) reset();
}

void input_buffer::reset() {
    release_memory();
    base_ = nullptr;
    begin_ = end_ = capacity_ = 0;
}

void input_buffer::release_memory() {
    if (base_ == nullptr) return;
    if (capacity_ == buffer_pool::chunk_size) {
        pool_->give(base_);
    } else {
        delete[] base_;
    }
}

}  // namespace howdah::protocol
