#pragma once
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>

namespace howdah::protocol {

/// Something that may have to end at a given time. Leaves the wheel by itself when destroyed.
class deadline : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
    using clock = std::chrono::steady_clock;

    virtual ~deadline() = default;
    [[nodiscard]] bool armed() const { return is_linked(); }
    [[nodiscard]] clock::time_point when() const { return when_; }
    void disarm() { unlink(); }

protected:
    deadline() = default;

private:
    friend class deadline_wheel;
    /// Called on the wheel's thread, unlinked; may arm itself or others again, or destroy itself.
    virtual void on_deadline() = 0;
    clock::time_point when_{};
};

/// Deadlines of one io_context. Arming and disarming cost a few instructions and no system call,
/// so every query can have one; a deadline fires up to two ticks late and never early.
class deadline_wheel {
public:
    static constexpr std::chrono::milliseconds tick{20};

    explicit deadline_wheel(boost::asio::io_context& io);
    deadline_wheel(const deadline_wheel&) = delete;
    deadline_wheel& operator=(const deadline_wheel&) = delete;

    /// Replaces an earlier time of the same deadline.
    void arm(deadline& what, deadline::clock::duration from_now);
    /// Time of the latest tick or arm(): good enough for bookkeeping, saves a clock read.
    [[nodiscard]] static deadline::clock::time_point now() { return deadline::clock::now(); }
    void stop();

private:
    using slot = boost::intrusive::list<deadline, boost::intrusive::constant_time_size<false>>;

    void schedule();
    void advance();
    [[nodiscard]] std::uint64_t tick_of(deadline::clock::time_point t) const;

    boost::asio::steady_timer timer_;
    std::array<slot, 512> slots_;
    deadline::clock::time_point origin_ = deadline::clock::now();
    std::uint64_t current_ = 0;
    bool stopped_ = false;
};

}  // namespace howdah::protocol
