#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ha/fact_memory.hpp"
#include "ha/history.hpp"
#include "ha/intent.hpp"
#include "ha/notes.hpp"
#include "ha/record.hpp"

namespace howdah::ha {

/// What HA has to keep. Whoever implements it writes through to the disk: what a function returned
/// from outlives a crash of the machine. Thread-safe; every function may block for as long as a
/// disk does and throws std::runtime_error with the cause where it failed (then nothing changed).
class store {
public:
    virtual ~store() = default;

    [[nodiscard]] virtual std::map<std::string, cluster_record> records() = 0;
    virtual void save(const cluster_record& record) = 0;

    /// Journal of failovers under way, at most one per cluster.
    [[nodiscard]] virtual std::map<std::string, failover_intent> intents() = 0;
    virtual void save(const failover_intent& intent) = 0;
    virtual void remove_intent(const std::string& cluster) = 0;
    /// Saves the record and removes the cluster's intent: both or neither.
    virtual void begin_epoch(const cluster_record& record) = 0;

    [[nodiscard]] virtual std::vector<server_memory> servers() = 0;
    virtual void save(const server_memory& one) = 0;

    [[nodiscard]] virtual operator_notes notes() = 0;
    virtual void save(const operator_notes& notes) = 0;

    /// Adds (id 0) or replaces (by id) a row; returns its id.
    virtual std::int64_t save(const recovery& row) = 0;
    virtual std::int64_t add(const recovery_step& row) = 0;
    virtual std::int64_t save(const detection& row) = 0;
    virtual std::int64_t add(const audit_entry& row) = 0;
    /// Acknowledges what matches and is not acknowledged; returns how many.
    virtual std::size_t acknowledge(const history_filter& which, const std::string& by,
                                    const std::string& comment, unix_us at) = 0;

    [[nodiscard]] virtual std::vector<recovery> recoveries(const history_filter& which) = 0;
    /// Of one recovery, in the order in which they ended.
    [[nodiscard]] virtual std::vector<recovery_step> steps(std::int64_t recovery_id) = 0;
    [[nodiscard]] virtual std::vector<detection> detections(const history_filter& which) = 0;
    [[nodiscard]] virtual std::vector<audit_entry> audit(const history_filter& which) = 0;
    /// Deletes history that ended before; records, intents and notes stay.
    virtual void forget_before(unix_us time) = 0;
};

}  // namespace howdah::ha
