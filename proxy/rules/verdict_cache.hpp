#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "proxy/pool/identity.hpp"
#include "proxy/rules/compiled_rules.hpp"
#include "proxy/sql/digest.hpp"

namespace howdah::proxy {

/// What the rules say, remembered by digest, client and flag where they look at nothing else. One
/// per worker, on its thread. Bounded: when it is full it begins anew.
class verdict_cache {
public:
    explicit verdict_cache(std::size_t capacity = 4096) : capacity_(capacity) {}

    /// Null where the rules say nothing. `id` is of subject.query; zero: not known.
    [[nodiscard]] verdict_ptr judge(const std::shared_ptr<const compiled_rules>& rules,
                                    const sql::digest& id, const pool_login* login,
                                    const rule_subject& subject);
    [[nodiscard]] std::size_t size() const { return known_.size(); }

private:
    struct key {
        sql::digest id;
        std::uint64_t spaces;  ///< equal digests may differ in them, and so in their texts
        const pool_login* login;
        int flag;
        std::string addresses;  ///< empty where no rule looks at them

        bool operator==(const key&) const = default;
    };
    struct key_hash {
        std::size_t operator()(const key& k) const noexcept {
            return k.id.hash ^ (reinterpret_cast<std::uintptr_t>(k.login) >> 4) ^
                   static_cast<std::size_t>(k.flag) ^ k.spaces;
        }
    };

    const std::size_t capacity_;
    std::shared_ptr<const compiled_rules> rules_;
    std::unordered_map<key, verdict_ptr, key_hash> known_;
};

}  // namespace howdah::proxy
