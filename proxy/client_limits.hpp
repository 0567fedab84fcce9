#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace howdah::proxy {

/// How many clients there are: in all, from each address, of each user and in each database.
/// Exact over all workers; asked when a client comes and when it leaves, not in between.
/// Thread-safe.
class client_limits {
    using counters = std::map<std::string, std::uint32_t, std::less<>>;

public:
    client_limits() = default;
    client_limits(const client_limits&) = delete;
    client_limits& operator=(const client_limits&) = delete;

    /// What one client takes up. Gives it back when it ends; the limits outlive it.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept { swap(other); }
        place& operator=(place&& other) noexcept {
            place(std::move(other)).swap(*this);
            return *this;
        }
        ~place() { leave(); }
        /// Gives it back now.
        void leave();

    private:
        friend class client_limits;
        void swap(place& other) noexcept;

        client_limits* in_ = nullptr;
        counters::value_type* address_ = nullptr;
        counters::value_type* user_ = nullptr;
        counters::value_type* database_ = nullptr;
    };

    enum class verdict : std::uint8_t {
        welcome,
        full,      ///< max_connections
        reserved,  ///< what is left is for others
        address    ///< max_connections_per_address
    };
    struct bounds {
        std::uint32_t all = 0;
        std::uint32_t reserved = 0;     ///< of all
        std::uint32_t per_address = 0;  ///< 0: no limit
    };
    /// A client that has said who it wants to be; `address` is empty for a unix socket. Unless it
    /// is welcome, `p` stays as it was.
    [[nodiscard]] verdict enter(place& p, std::string_view address, const bounds& limits,
                                bool may_use_reserved);
    /// A client that has entered has proved who it is. False: there are as many already.
    [[nodiscard]] bool join_user(place& p, std::string_view user, std::uint32_t limit);
    [[nodiscard]] bool join_database(place& p, std::string_view database,
                                     std::optional<std::uint32_t> limit);

    /// Clients that have entered, for statistics.
    [[nodiscard]] std::uint32_t count() const;

private:
    [[nodiscard]] static counters::value_type* take(counters& of, std::string_view name,
                                                    std::optional<std::uint32_t> limit);
    static void give_back(counters& of, counters::value_type* taken);

    mutable std::mutex mutex_;
    std::uint32_t all_ = 0;
    counters addresses_;
    counters users_;
    counters databases_;
};

/// The peer without its port and without brackets: "10.0.0.1", "::1", "unix".
[[nodiscard]] std::string_view address_of(std::string_view peer);

}  // namespace howdah::proxy
