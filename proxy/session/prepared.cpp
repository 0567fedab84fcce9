#include "proxy/session/prepared.hpp"

#include <algorithm>

#include "protocol/wire/reader.hpp"

namespace howdah::proxy {

namespace {

std::uint64_t hash_of(std::string_view bytes) {
    return std::max<std::uint64_t>(std::hash<std::string_view>{}(bytes),
                                   statement_shape::too_large + 1);
}

/// What a statement's text takes up, roughly.
std::size_t weight(const prepared_statement& s) {
    return s.query.size() + s.oids.size();
}

bool same(std::uint64_t a, std::uint64_t b) {
    return a == b || a <= statement_shape::too_large || b <= statement_shape::too_large;
}

}  // namespace

bool statement_shape::agrees(const statement_shape& other) const {
    return same(parameters, other.parameters) && same(columns, other.columns);
}

std::uint64_t shape_of_parameters(std::string_view body) {
    return hash_of(body);
}

std::uint64_t shape_of_columns(std::string_view body) {
    std::string kept;
    protocol::reader in(body);
    const std::uint16_t count = body.empty() ? std::uint16_t{0} : in.u16();
    for (std::uint16_t i = 0; i < count && in.ok(); ++i) {
        kept.append(in.cstring()).push_back('\0');
        (void)in.bytes(6);    // table and its column
        kept += in.bytes(4);  // type
        (void)in.bytes(2);    // the type's length
        kept += in.bytes(4);  // modifier
        (void)in.bytes(2);    // format
    }
    return hash_of(kept);
}

statement_ptr statement_registry::intern(std::string_view query, std::string_view oids,
                                         std::string_view reading,
                                         std::shared_ptr<const sql::traits> what) {
    // Unambiguous: neither text nor settings contain NUL, and oids begin with their number.
    std::string key;
    key.reserve(query.size() + reading.size() + 2 + oids.size());
    key.append(query).push_back('\0');
    key.append(reading).push_back('\0');
    key.append(oids);
    const std::scoped_lock lock(mutex_);
    std::weak_ptr<const prepared_statement>& slot = known_[key];
    if (statement_ptr existing = slot.lock()) return existing;
    auto fresh = std::make_shared<const prepared_statement>(next_id_++, query, oids, reading,
                                                            std::move(what));
    slot = fresh;
    if (known_.size() > purge_at_) {
        std::erase_if(known_, [](const auto& item) { return item.second.expired(); });
        purge_at_ = std::max<std::size_t>(1024, known_.size() * 2);
    }
    return fresh;
}

std::size_t statement_registry::size() const {
    const std::scoped_lock lock(mutex_);
    return known_.size();
}

std::vector<statement_ptr> statement_registry::all() const {
    std::vector<statement_ptr> out;
    {
        const std::scoped_lock lock(mutex_);
        for (const auto& [key, weak] : known_)
            if (statement_ptr s = weak.lock()) out.push_back(std::move(s));
    }
    std::ranges::sort(out, {}, [](const statement_ptr& s) { return s->id; });
    return out;
}

prepared_on_server::prepared_on_server(prepared_on_server&& other) noexcept {
    *this = std::move(other);
}

prepared_on_server& prepared_on_server::operator=(prepared_on_server&& other) noexcept {
    // What was here goes with the other.
    std::swap(order_, other.order_);
    std::swap(index_, other.index_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

prepared_on_server::entry* prepared_on_server::find(const prepared_statement& s) {
    const auto it = index_.find(s.id);
    return it == index_.end() ? nullptr : &*it->second;
}

prepared_on_server::entry* prepared_on_server::touch(const prepared_statement& s,
                                                     clock::time_point now) {
    const auto it = index_.find(s.id);
    if (it == index_.end()) return nullptr;
    order_.splice(order_.begin(), order_, it->second);
    it->second->used = now;
    return &*it->second;
}

void prepared_on_server::add(statement_ptr s, clock::time_point now) {
    if (touch(*s, now) != nullptr) return;
    const std::uint64_t id = s->id;
    bytes_ += weight(*s);
    ++s->servers;
    entry fresh;
    fresh.statement = std::move(s);
    fresh.used = now;
    order_.push_front(std::move(fresh));
    index_.emplace(id, order_.begin());
}

void prepared_on_server::remove(const prepared_statement& s) {
    const auto it = index_.find(s.id);
    if (it == index_.end()) return;
    bytes_ -= weight(s);
    const statement_ptr kept = it->second->statement;
    --kept->servers;
    order_.erase(it->second);
    index_.erase(it);
}

statement_ptr prepared_on_server::take_excess(const prepared_limits& limits,
                                              clock::time_point now) {
    if (order_.size() < 2) return nullptr;
    const entry& oldest = order_.back();
    const bool expired = limits.max_idle.count() > 0 && now - oldest.used > limits.max_idle;
    if (order_.size() <= limits.count && bytes_ <= limits.bytes && !expired) return nullptr;
    statement_ptr out = oldest.statement;
    remove(*out);
    return out;
}

void prepared_on_server::clear() {
    for (const entry& e : order_)
        --e.statement->servers;
    index_.clear();
    order_.clear();
    bytes_ = 0;
}

}  // namespace howdah::proxy
