#pragma once
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proxy/statistics/duration_counts.hpp"

namespace howdah::proxy {

/// What one scrape shows: families in the order of their first mention.
class metric_families {
public:
    using labels = std::vector<prometheus::ClientMetric::Label>;

    /// A family that is shown even where nothing has a value.
    void declare(const std::string& name, const std::string& help, prometheus::MetricType type) {
        (void)family(name, help, type);
    }
    void add(const std::string& name, const std::string& help, prometheus::MetricType type,
             labels l, double number) {
        prometheus::ClientMetric m;
        m.label = std::move(l);
        (type == prometheus::MetricType::Counter ? m.counter.value : m.gauge.value) = number;
        family(name, help, type).metric.push_back(std::move(m));
    }
    void counter(const std::string& name, const std::string& help, labels l, double number) {
        add(name, help, prometheus::MetricType::Counter, std::move(l), number);
    }
    void gauge(const std::string& name, const std::string& help, labels l, double number) {
        add(name, help, prometheus::MetricType::Gauge, std::move(l), number);
    }
    void histogram(const std::string& name, const std::string& help, const duration_counts& n) {
        prometheus::ClientMetric m;
        m.histogram.sample_count = n.count;
        m.histogram.sample_sum = static_cast<double>(n.total_us) / 1e6;
        std::uint64_t below = 0;
        for (std::size_t i = 0; i < n.buckets.size(); ++i) {
            below += n.buckets[i];
            const double bound = i < duration_counts::bounds.size()
                                     ? static_cast<double>(duration_counts::bounds[i]) / 1e6
                                     : std::numeric_limits<double>::infinity();
            m.histogram.bucket.push_back({below, bound});
        }
        family(name, help, prometheus::MetricType::Histogram).metric.push_back(std::move(m));
    }
    [[nodiscard]] std::string text() const { return prometheus::TextSerializer().Serialize(all_); }

private:
    prometheus::MetricFamily& family(const std::string& name, const std::string& help,
                                     prometheus::MetricType type) {
        const auto [it, fresh] = index_.try_emplace(name, all_.size());
        if (fresh) {
            prometheus::MetricFamily f;
            f.name = name;
            f.help = help;
            f.type = type;
            all_.push_back(std::move(f));
        }
        return all_[it->second];
    }

    std::vector<prometheus::MetricFamily> all_;
    std::map<std::string, std::size_t> index_;
};

}  // namespace howdah::proxy
