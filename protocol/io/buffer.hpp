#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace howdah::protocol {

/// Free list of equally sized read buffers, one per worker; not thread-safe.
/// An idle connection owns no buffer: it borrows one when bytes arrive and gives it back when it
/// has none left.
class buffer_pool {
public:
    static constexpr std::size_t chunk_size = 16 * 1024;

    buffer_pool() = default;
    buffer_pool(const buffer_pool&) = delete;
    buffer_pool& operator=(const buffer_pool&) = delete;
    ~buffer_pool();

    [[nodiscard]] char* take();
    void give(char* chunk);

private:
    /// More free chunks than this are returned to the system.
    static constexpr std::size_t keep_free = 64;
    std::vector<char*> free_;
};

/// Bytes read from a peer and not yet consumed. Holds a pool chunk, or, for a message that needs
/// to be seen whole and is larger than a chunk, heap memory that grows with what really arrived.
class input_buffer {
public:
    explicit input_buffer(buffer_pool& pool) : pool_(&pool) {}
    input_buffer(const input_buffer&) = delete;
    input_buffer& operator=(const input_buffer&) = delete;
    ~input_buffer() { reset(); }

    [[nodiscard]] std::string_view data() const { return {base_ + begin_, end_ - begin_}; }
    [[nodiscard]] std::size_t size() const { return end_ - begin_; }
    [[nodiscard]] bool empty() const { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

    /// Space for the next read. Never empty while size() < limit; grows beyond a chunk only when
    /// the unconsumed bytes fill it.
    [[nodiscard]] std::span<char> prepare(std::size_t limit);
    void commit(std::size_t n) { end_ += n; }
    /// Forgets the first n bytes; an empty buffer goes back to the pool.
    void consume(std::size_t n);
    void reset();
    /// Binds the buffer to another worker's pool; only while it holds no memory.
    void rebind(buffer_pool& pool) { pool_ = &pool; }

private:
    void release_memory();

    buffer_pool* pool_;
    char* base_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace howdah::protocol
