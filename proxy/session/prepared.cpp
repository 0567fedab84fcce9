#include "proxy/session/prepared.hpp"

#include <algorithm>

namespace howdah::proxy {

statement_ptr statement_registry::intern(std::string_view query, std::string_view oids,
                                         std::shared_ptr<const sql::traits> what) {
    std::string key;
    key.reserve(query.size() + 1 + oids.size());
    key.append(query).push_back('\0');
    key.append(oids);
    const std::scoped_lock lock(mutex_);
    std::weak_ptr<const prepared_statement>& slot = known_[key];
    if (statement_ptr existing = slot.lock()) return existing;
    auto fresh =
        std::make_shared<const prepared_statement>(next_id_++, query, oids, std::move(what));
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

bool prepared_on_server::touch(const prepared_statement& s) {
    const auto it = index_.find(s.id);
    if (it == index_.end()) return false;
    order_.splice(order_.begin(), order_, it->second);
    return true;
}

void prepared_on_server::add(statement_ptr s) {
    if (touch(*s)) return;
    const std::uint64_t id = s->id;
    order_.push_front(std::move(s));
    index_.emplace(id, order_.begin());
}

void prepared_on_server::remove(const prepared_statement& s) {
    const auto it = index_.find(s.id);
    if (it == index_.end()) return;
    order_.erase(it->second);
    index_.erase(it);
}

statement_ptr prepared_on_server::take_excess(std::size_t limit) {
    if (order_.size() <= limit) return nullptr;
    statement_ptr oldest = std::move(order_.back());
    order_.pop_back();
    index_.erase(oldest->id);
    return oldest;
}

void prepared_on_server::clear() {
    index_.clear();
    order_.clear();
}

}  // namespace howdah::proxy
