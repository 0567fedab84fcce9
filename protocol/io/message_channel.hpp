#pragma once
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/io/buffer.hpp"
#include "protocol/io/deadline.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/wire/frame.hpp"

namespace howdah::protocol {

/// Whole messages over a stream, one after the other: what a login needs on either side. The
/// caller bounds it with a stream_deadline. Belongs to the stream's thread.
class message_channel {
public:
    message_channel(stream& s, input_buffer& in) : stream_(s), in_(in) {}

    enum class outcome : unsigned char { ok, closed, too_long };
    struct message {
        outcome what = outcome::closed;
        char type = 0;
        std::string_view body;  ///< valid until the next call
    };

    /// The next message. One longer than `limit` bytes is not read.
    [[nodiscard]] boost::asio::awaitable<message> next(std::size_t limit);
    /// At least `n` bytes, without taking them; empty if the peer closed first.
    [[nodiscard]] boost::asio::awaitable<std::string_view> need(std::size_t n);
    /// Forgets what the last next() returned, or n bytes after need().
    void take(std::size_t n) { in_.consume(n); }
    [[nodiscard]] boost::asio::awaitable<bool> send(std::string_view bytes);

private:
    stream& stream_;
    input_buffer& in_;
    std::size_t taken_ = 0;
};

/// Closes a stream when a login takes too long; every wait on it then ends.
class stream_deadline final : public deadline {
public:
    stream_deadline(deadline_wheel& wheel, stream& s, deadline::clock::duration limit)
        : stream_(&s) {
        wheel.arm(*this, limit);
    }
    [[nodiscard]] bool expired() const { return expired_; }

private:
    void on_deadline() override {
        expired_ = true;
        stream_->close();
    }
    stream* stream_;
    bool expired_ = false;
};

}  // namespace howdah::protocol
