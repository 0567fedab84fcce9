#include "proxy/rules/regex_set.hpp"

namespace howdah::proxy {
namespace {

/// Below this number a pass over the text for each expression, which may stop at the first match,
/// is cheaper than one for all.
constexpr std::size_t worthwhile = 4;

/// For the automaton of all expressions together; with RE2's default it would be thrown away and
/// built anew all the time where there are a thousand.
constexpr std::int64_t set_memory = 64 << 20;

}  // namespace

re2::RE2::Options rule_regex_options(bool caseless) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_case_sensitive(!caseless);
    return options;
}

void regex_set::add(const re2::RE2& single, bool caseless, std::uint32_t rule) {
    members_.push_back({&single, caseless, rule});
}

void regex_set::compile() {
    if (members_.size() < worthwhile) return;
    re2::RE2::Options options = rule_regex_options(false);
    options.set_max_mem(set_memory);
    auto set = std::make_unique<re2::RE2::Set>(options, re2::RE2::UNANCHORED);
    for (const member& m : members_) {
        const std::string expression = (m.caseless ? "(?i)" : "") + m.single->pattern();
        if (set->Add(expression, nullptr) < 0) return;
    }
    if (set->Compile()) set_ = std::move(set);
}

void regex_set::match(std::string_view text, std::vector<std::uint32_t>& rules) const {
    if (set_) {
        std::vector<int> found;
        re2::RE2::Set::ErrorInfo error{};
        if (set_->Match(piece(text), &found, &error)) {
            for (const int i : found)
                rules.push_back(members_[static_cast<std::size_t>(i)].rule);
            return;
        }
        if (error.kind == re2::RE2::Set::kNoError) return;
    }
    for (const member& m : members_)
        if (re2::RE2::PartialMatch(piece(text), *m.single)) rules.push_back(m.rule);
}

}  // namespace howdah::proxy
