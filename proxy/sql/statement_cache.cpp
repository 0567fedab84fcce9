#include "proxy/sql/statement_cache.hpp"

#include <algorithm>
#include <bit>
#include <random>

namespace howdah::proxy::sql {
namespace {

constexpr std::size_t max_text = 2048;

std::shared_ptr<const traits> without_read_only(const traits& t) {
    auto copy = std::make_shared<traits>(t);
    copy->read_only = false;
    return copy;
}

}  // namespace

statement_cache::statement_cache(const options& opts)
    : opts_{opts}, unparsed_{std::make_shared<const traits>()} {
    opts_.capacity = std::max<std::size_t>(opts_.capacity, 1);
    index_.reserve(opts_.capacity + 1);
}

uint64_t statement_cache::random_key() {
    std::random_device device;
    return (static_cast<uint64_t>(device()) << 32) | device();
}

statement_cache::entry& statement_cache::touch(const digest& id) {
    if (const auto found = index_.find(id); found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return entries_.front();
    }
    if (entries_.size() >= opts_.capacity) {
        // The oldest entry's memory becomes the new one.
        index_.erase(entries_.back().id);
        entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
        entries_.front() = entry{id, nullptr, nullptr, false, 0};
    } else {
        entries_.push_front(entry{id, nullptr, nullptr, false, 0});
    }
    index_.emplace(id, entries_.begin());
    return entries_.front();
}

statement_cache::result statement_cache::find(std::string_view sql) {
    if (sql.size() > opts_.limits.bytes) return {digest{}, unparsed_, nullptr};
    const digest id = compute_digest(sql, opts_.key);
    entry& e = touch(id);
    std::shared_ptr<const traits> what = e.what;
    if (what != nullptr) {
        ++hits_;
    } else {
        ++misses_;
        what = parse(e, sql);
    }
    if (e.name == nullptr) {
        std::string text = digest_text(sql, max_text);
        const command_kind command = command_of(text, what->first);
        e.name = std::make_shared<const digested>(digested{id, std::move(text), command});
    }
    return {id, std::move(what), e.name};
}

std::shared_ptr<const traits> statement_cache::parse(entry& e, std::string_view sql) {
    // Which literals fail is not known, so a failing digest is tried again ever more rarely.
    if (e.failures > 0 && !std::has_single_bit(++e.failures)) return unparsed_;
    auto what = std::make_shared<const traits>(classify(sql, opts_.limits));
    if (!what->parsed) {
        e.failures = std::max<uint32_t>(e.failures, 1);
        return unparsed_;
    }
    e.failures = 0;
    if (e.write) what = without_read_only(*what);
    if (!what->literal_dependent) e.what = what;
    return what;
}

void statement_cache::learn_write(const digest& id) {
    entry& e = touch(id);
    e.write = true;
    if (e.what != nullptr && e.what->read_only) e.what = without_read_only(*e.what);
}

}  // namespace howdah::proxy::sql
