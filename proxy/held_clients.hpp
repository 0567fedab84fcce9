#pragma once
#include <atomic>
#include <cstdint>
#include <utility>

namespace howdah::proxy {

/// How many clients wait for the end of a failover or switchover, over all workers. Asked when such
/// a wait begins and when it ends. Thread-safe.
class held_clients {
public:
    held_clients() = default;
    held_clients(const held_clients&) = delete;
    held_clients& operator=(const held_clients&) = delete;

    /// What one of them takes up. Gives it back when it ends; the count outlives it.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept : in_(std::exchange(other.in_, nullptr)) {}
        place& operator=(place&& other) noexcept {
            std::swap(in_, other.in_);
            return *this;
        }
        ~place() { leave(); }
        /// Gives it back now.
        void leave() {
            if (held_clients* in = std::exchange(in_, nullptr)) in->count_.fetch_sub(1);
        }
        explicit operator bool() const { return in_ != nullptr; }

    private:
        friend class held_clients;
        held_clients* in_ = nullptr;
    };

    /// Empty: there are `most` already.
    [[nodiscard]] place enter(std::uint32_t most) {
        place taken;
        std::uint32_t n = count_.load();
        while (n < most) {
            if (!count_.compare_exchange_weak(n, n + 1)) continue;
            taken.in_ = this;
            break;
        }
        return taken;
    }
    [[nodiscard]] std::uint32_t count() const { return count_.load(); }

private:
    std::atomic<std::uint32_t> count_{0};
};

}  // namespace howdah::proxy
