#include "protocol/io/message_channel.hpp"

namespace howdah::protocol {

boost::asio::awaitable<std::string_view> message_channel::need(std::size_t n) {
    if (taken_ > 0) {
        in_.consume(taken_);
        taken_ = 0;
    }
    while (in_.size() < n) {
        const std::span<char> space = in_.prepare(n);
        const io_result got = co_await stream_.async_read_some(space.data(), space.size());
        if (!got.ok()) co_return std::string_view{};
        in_.commit(got.bytes);
    }
    co_return in_.data();
}

boost::asio::awaitable<message_channel::message> message_channel::next(std::size_t limit) {
    message m;
    std::string_view bytes = co_await need(frame_header_size);
    if (bytes.empty()) co_return m;
    const std::optional<frame> f = peek_frame(bytes);
    if (!f->valid() || f->size() > limit) {
        m.what = outcome::too_long;
        m.type = f->type;
        co_return m;
    }
    bytes = co_await need(f->size());
    if (bytes.empty()) co_return m;
    m.what = outcome::ok;
    m.type = f->type;
    m.body = bytes.substr(frame_header_size, f->body_size());
    taken_ = f->size();
    co_return m;
}

boost::asio::awaitable<bool> message_channel::send(std::string_view bytes) {
    const io_result sent = co_await stream_.async_write_all(bytes);
    co_return sent.ok() || bytes.empty();
}

}  // namespace howdah::protocol
