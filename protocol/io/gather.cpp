#include "protocol/io/gather.hpp"

#include <algorithm>

namespace howdah::protocol {

void gather::add(std::string_view range) {
    if (range.empty()) return;
    if (!parts_.empty()) {
        part& last = parts_.back();
        if (last.data != nullptr && last.data + last.size == range.data()) {
            last.size += range.size();
            return;
        }
    }
    parts_.push_back({range.data(), 0, range.size()});
}

void gather::commit() {
    const std::size_t size = generated_.size() - committed_;
    if (size == 0) return;
    if (!parts_.empty() && parts_.back().data == nullptr) {
        parts_.back().size += size;
    } else {
        parts_.push_back({nullptr, committed_, size});
    }
    committed_ = generated_.size();
}

void gather::clear() {
    parts_.clear();
    generated_.clear();
    committed_ = 0;
}

io_result gather::flush(stream& to, backlog& left, bool hold) {
    io_result outcome;
    if (!hold && !left.empty()) outcome = flush_backlog(to, left);
    if (!hold && left.empty() && outcome.ok()) {
        if (!parts_.empty()) outcome = send_parts(to, left);
    } else if (!outcome.closed()) {
        for (const part& p : parts_)
            left.bytes.append(p.data != nullptr ? p.data : generated_.data() + p.offset, p.size);
    }
    clear();
    return outcome;
}

std::size_t gather::size() const {
    std::size_t bytes = 0;
    for (const part& p : parts_)
        bytes += p.size;
    return bytes;
}

io_result gather::send_parts(stream& to, backlog& left) {
    vectors_.clear();
    for (const part& p : parts_) {
        const char* data = p.data != nullptr ? p.data : generated_.data() + p.offset;
        vectors_.push_back({const_cast<char*>(data), p.size});
    }
    std::size_t first = 0;
    while (first < vectors_.size()) {
        const io_result outcome = to.write(&vectors_[first], vectors_.size() - first);
        if (outcome.closed()) return outcome;
        if (outcome.blocked()) {
            for (std::size_t i = first; i < vectors_.size(); ++i)
                left.bytes.append(static_cast<const char*>(vectors_[i].iov_base),
                                  vectors_[i].iov_len);
            return outcome;
        }
        std::size_t sent = outcome.bytes;
        while (first < vectors_.size() && sent >= vectors_[first].iov_len)
            sent -= vectors_[first++].iov_len;
        if (first < vectors_.size()) {
            vectors_[first].iov_base = static_cast<char*>(vectors_[first].iov_base) + sent;
            vectors_[first].iov_len -= sent;
        }
    }
    return {};
}

io_result flush_backlog(stream& to, backlog& left) {
    while (!left.empty()) {
        const iovec part{left.bytes.data() + left.sent, left.size()};
        const io_result outcome = to.write(&part, 1);
        if (!outcome.ok()) return outcome;
        left.sent += outcome.bytes;
    }
    left.clear();
    return {};
}

}  // namespace howdah::protocol
