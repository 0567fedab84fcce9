#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxy/pool/identity.hpp"
#include "proxy/sql/statement_cache.hpp"
#include "proxy/statistics/time_histogram.hpp"

namespace howdah::proxy {

/// What became of one statement.
struct statement_outcome {
    std::uint64_t microseconds = 0;
    std::uint64_t rows_affected = 0;
    std::uint64_t rows_sent = 0;
    bool failed = false;
};

/// Of all statements with one digest, of one client's kind. Times in microseconds.
struct digest_counts {
    std::uint64_t count = 0;
    std::uint64_t errors = 0;
    std::int64_t first_seen = 0;  ///< seconds since 1970
    std::int64_t last_seen = 0;
    std::uint64_t sum_time = 0;
    std::uint64_t min_time = 0;
    std::uint64_t max_time = 0;
    std::uint64_t rows_affected = 0;
    std::uint64_t rows_sent = 0;
    time_histogram times;

    void add(const statement_outcome& outcome, std::int64_t now);
    void add(const digest_counts& other);
};

struct digest_key {
    int hostgroup = 0;
    const pool_login* login = nullptr;  ///< database and user
    std::uint64_t digest = 0;
    std::string client_address;  ///< empty where addresses are not told apart

    bool operator==(const digest_key&) const = default;
};
struct digest_key_hash {
    std::size_t operator()(const digest_key& k) const noexcept {
        return static_cast<std::size_t>(k.digest) ^
               (reinterpret_cast<std::uintptr_t>(k.login) >> 4) ^
               static_cast<std::size_t>(k.hostgroup) * 0x9e3779b97f4a7c15U ^
               std::hash<std::string>()(k.client_address);
    }
};

struct digest_row {
    digest_key key;
    sql::digested_ptr digest;  ///< with the normalised text
    digest_counts counts;
};

struct digest_report {
    std::vector<digest_row> rows;
    std::uint64_t dropped = 0;  ///< statements that were not counted for want of room
};

/// Statements by digest, of one worker, on its thread. Bounded: when it is full, what it does not
/// know yet is dropped and counted as such.
class digest_statistics {
public:
    /// At most `capacity` rows.
    void record(digest_key key, const sql::digested_ptr& digest, const statement_outcome& outcome,
                std::int64_t now, std::size_t capacity);
    [[nodiscard]] digest_report read() const;
    /// The same, and begins anew.
    [[nodiscard]] digest_report take();
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    struct value {
        sql::digested_ptr digest;
        digest_counts counts;
    };
    std::unordered_map<digest_key, value, digest_key_hash> rows_;
    std::uint64_t dropped_ = 0;
};

/// Several workers' reports as one: a row for each key.
[[nodiscard]] digest_report merge(std::vector<digest_report> reports);

/// Rows in a CommandComplete tag that tells of rows changed (INSERT, UPDATE, DELETE, MERGE, COPY)
/// or, where none were sent, stored (SELECT INTO, CREATE TABLE AS); else 0.
[[nodiscard]] std::uint64_t rows_affected(std::string_view tag, std::uint64_t rows_sent);

}  // namespace howdah::proxy
