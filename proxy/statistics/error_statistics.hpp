#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "proxy/pool/identity.hpp"

namespace howdah::proxy {

/// What an error that a server raised was about.
struct error_key {
    int hostgroup = 0;
    const server_entry* server = nullptr;
    const pool_login* login = nullptr;  ///< database and user
    std::string sqlstate;

    auto operator<=>(const error_key&) const = default;
};

struct error_counts {
    std::uint64_t count = 0;
    std::int64_t first_seen = 0;  ///< seconds since 1970
    std::int64_t last_seen = 0;
    std::string client_address;  ///< of the last
    std::string message;         ///< of the last, cut
};

struct error_report {
    std::map<error_key, error_counts> rows;
    std::uint64_t dropped = 0;  ///< errors that were not counted for want of room
};

/// Errors of servers, of one worker, on its thread. Bounded as digest_statistics are.
class error_statistics {
public:
    static constexpr std::size_t capacity = 4096;
    static constexpr std::size_t longest_message = 512;

    void record(const error_key& key, std::string_view client_address, std::string_view message,
                std::int64_t now);
    [[nodiscard]] const error_report& read() const { return kept_; }
    /// The same, and begins anew.
    [[nodiscard]] error_report take();

private:
    error_report kept_;
};

/// Several workers' reports as one.
[[nodiscard]] error_report merge(const std::vector<error_report>& reports);

}  // namespace howdah::proxy
