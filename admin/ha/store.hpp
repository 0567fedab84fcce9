#pragma once
#include <mutex>
#include <string>
#include <string_view>

#include "admin/sql/sqlite.hpp"
#include "ha/store.hpp"

namespace howdah::admin {

/// What HA keeps, in a SQLite file of its own: howdah_ha.db in the data directory. A commit returns
/// when it is on the disk (WAL, synchronous=FULL). Thread-safe.
class ha_store final : public ha::store {
public:
    /// Opens the file, or makes it, for nobody but its owner; an empty path keeps everything in
    /// memory. Throws std::runtime_error, naming the file, where it cannot be written, is damaged,
    /// is something else, or was made by a newer Howdah: it is never replaced.
    explicit ha_store(const std::string& path);

    [[nodiscard]] std::map<std::string, ha::cluster_record> records() override;
    void save(const ha::cluster_record& record) override;
    [[nodiscard]] std::map<std::string, ha::failover_intent> intents() override;
    void save(const ha::failover_intent& intent) override;
    void remove_intent(const std::string& cluster) override;
    void begin_epoch(const ha::cluster_record& record) override;
    [[nodiscard]] std::vector<ha::server_memory> servers() override;
    void save(const ha::server_memory& one) override;
    [[nodiscard]] ha::operator_notes notes() override;
    void save(const ha::operator_notes& notes) override;
    std::int64_t save(const ha::recovery& what) override;
    std::int64_t add(const ha::recovery_step& what) override;
    std::int64_t save(const ha::detection& what) override;
    std::int64_t add(const ha::audit_entry& what) override;
    std::size_t acknowledge(const ha::history_filter& which, const std::string& by,
                            const std::string& comment, ha::unix_us at) override;
    [[nodiscard]] std::vector<ha::recovery> recoveries(const ha::history_filter& which) override;
    [[nodiscard]] std::vector<ha::recovery_step> steps(std::int64_t recovery_id) override;
    [[nodiscard]] std::vector<ha::detection> detections(const ha::history_filter& which) override;
    [[nodiscard]] std::vector<ha::audit_entry> audit(const ha::history_filter& which) override;
    void forget_before(ha::unix_us time) override;

private:
    void prepare();
    void upgrade();
    /// Of a PRAGMA that answers one number.
    [[nodiscard]] std::int64_t number(std::string_view pragma);
    void run(std::string_view sql, const row& parameters = {});
    [[nodiscard]] std::vector<row> ask(std::string_view sql, const row& parameters = {});
    [[noreturn]] void fail(const sql_error& e) const;

    /// All of it or nothing.
    template <class Work>
    void change(Work&& work);
    /// Adds or replaces; returns the id of the row.
    template <class T>
    std::int64_t put(std::string_view table, T what);
    template <class T>
    [[nodiscard]] std::vector<T> get(std::string_view table, const std::string& rest,
                                     const row& parameters = {});

    const std::string path_;
    std::mutex mutex_;
    database db_;
};

}  // namespace howdah::admin
