#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "proxy/sql/command_kind.hpp"
#include "proxy/sql/digest.hpp"
#include "proxy/sql/traits.hpp"

namespace howdah::proxy::sql {

/// A digest and its normalised text, cut after 2048 bytes: shared by whoever counts it.
struct digested {
    digest id;
    std::string text;
    command_kind command = 0;
};
using digested_ptr = std::shared_ptr<const digested>;

/// Traits by digest, least recently used out first. Single-threaded: one per worker.
///
/// Traits that depend on literals are computed each time. A digest that does not parse is tried
/// again now and then, since the fault may be in a literal.
class statement_cache {
public:
    struct options {
        std::size_t capacity = 4096;  // digests
        parse_limits limits;
        uint64_t key = random_key();  // for digest::check
    };
    struct result {
        digest id;
        std::shared_ptr<const traits> what;  // never null
        digested_ptr name;                   // null: too long
    };

    explicit statement_cache(const options& opts);

    /// Digest and traits; longer than limits.bytes: unparsed, with a zero digest.
    [[nodiscard]] result find(std::string_view sql);
    [[nodiscard]] std::shared_ptr<const traits> get(std::string_view sql) { return find(sql).what; }

    /// The statement turned out to write (25006 from a standby): from now on its traits say
    /// read_only = false. Kept for as long as the digest stays in the cache.
    void learn_write(const digest& id);

    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] uint64_t misses() const noexcept { return misses_; }

    /// From the operating system.
    [[nodiscard]] static uint64_t random_key();

private:
    struct entry {
        digest id;
        digested_ptr name;
        std::shared_ptr<const traits> what;  // null: parse each time
        bool write = false;                  // learnt
        uint32_t failures = 0;               // consecutive, of the parser
    };
    using entry_list = std::list<entry>;
    struct id_hash {
        std::size_t operator()(const digest& d) const noexcept { return d.hash; }
    };

    entry& touch(const digest& id);
    std::shared_ptr<const traits> parse(entry& e, std::string_view sql);

    options opts_;
    entry_list entries_;  // most recent first
    std::unordered_map<digest, entry_list::iterator, id_hash> index_;
    std::shared_ptr<const traits> unparsed_;
    uint64_t hits_ = 0;
    uint64_t misses_ = 0;
};

}  // namespace howdah::proxy::sql
