#include "proxy/statistics/collect.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

/// Answers of all workers; the last one ends it.
template <class Answer>
class gathering {
public:
    gathering(std::size_t expected, std::function<void(std::vector<Answer>)> done)
        : missing_(expected), done_(std::move(done)) {}

    void add(Answer answer) {
        std::vector<Answer> all;
        {
            const std::scoped_lock lock(mutex_);
            answers_.push_back(std::move(answer));
            if (--missing_ > 0) return;
            all = std::move(answers_);
        }
        done_(std::move(all));
    }

private:
    std::mutex mutex_;
    std::size_t missing_;
    std::vector<Answer> answers_;
    std::function<void(std::vector<Answer>)> done_;
};

}  // namespace

void collect_digests(const std::vector<worker*>& workers, bool reset,
                     std::function<void(digest_report)> done) {
    const auto all = std::make_shared<gathering<digest_report>>(
        workers.size(), [done = std::move(done)](std::vector<digest_report> reports) {
            done(merge(std::move(reports)));
        });
    for (worker* each : workers)
        each->read_digests(reset, [all](digest_report report) { all->add(std::move(report)); });
}

void collect_rule_hits(const std::vector<worker*>& workers,
                       std::function<void(std::vector<rule_hits::row>)> done) {
    using rows = std::vector<rule_hits::row>;
    const auto all = std::make_shared<gathering<rows>>(
        workers.size(), [done = std::move(done)](const std::vector<rows>& answers) {
            std::map<int, std::uint64_t> hits;
            for (const rows& answer : answers)
                for (const rule_hits::row& row : answer)
                    hits[row.rule_id] += row.hits;
            rows sums;
            for (const auto& [id, count] : hits)
                sums.push_back({id, count});
            done(std::move(sums));
        });
    for (worker* each : workers)
        each->read_rule_hits([all](rows answer) { all->add(std::move(answer)); });
}

}  // namespace howdah::proxy
