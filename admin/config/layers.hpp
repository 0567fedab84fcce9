#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/command.hpp"
#include "admin/sql/live_table.hpp"
#include "conf/loader.hpp"
#include "conf/settings.hpp"

namespace howdah::admin {

class database;

/// What the layers need of the process that they configure. Callable from admin threads; may block
/// for a moment.
struct runtime_access {
    /// What is in force.
    std::function<std::shared_ptr<const conf::settings>()> current;
    /// Puts settings that conf::accept has accepted in force, as a whole. An error where a resource
    /// (a certificate) cannot be had: then nothing has changed. Notices tell what needs a restart.
    std::function<sql_result<std::vector<std::string>>(std::shared_ptr<const conf::settings>)>
        apply;
    /// The modules that the start took from DISK.
    std::vector<std::string> started_from_disk;
};

/// ProxySQL's layers: CONFIG (the file), DISK (howdah.db), MEMORY (schema main) and RUNTIME, and
/// the commands that copy modules between them. Thread-safe; sessions bring their own connection.
class config_layers {
public:
    /// `has_disk`: schema "disk" is attached to the connections that it is given.
    config_layers(runtime_access runtime, std::string config_file, bool has_disk);

    /// Makes the tables of MEMORY, filled from what is in force, and those of DISK. Throws
    /// std::runtime_error.
    void create(database& db, const conf::settings& now) const;
    /// MEMORY follows a configuration that came into force otherwise (SIGHUP).
    [[nodiscard]] sql_result<void> follow(database& db, const conf::settings& s) const;

    [[nodiscard]] std::vector<command> commands() const;
    /// The runtime_ twins, and what tells the layers apart: config_drift, howdah_layers.
    [[nodiscard]] std::vector<live_table> tables() const;

    /// Changes one variable in MEMORY, as SET does. The error has a hint with near names or bounds.
    [[nodiscard]] static sql_result<void> set_variable(database& db, const std::string& name,
                                                       const std::string& text);

    /// What MEMORY has of some modules.
    [[nodiscard]] static sql_result<void> read_memory(database& db,
                                                      std::span<const std::string_view> modules,
                                                      conf::settings& into);
    /// Replaces all of these modules in MEMORY, or changes nothing.
    [[nodiscard]] static sql_result<void> write_memory(database& db,
                                                       std::span<const std::string_view> modules,
                                                       const conf::settings& s);

private:
    [[nodiscard]] sql_result<command_result> to_runtime(database& db,
                                                        std::string_view module) const;
    [[nodiscard]] sql_result<command_result> from_runtime(database& db,
                                                          std::string_view module) const;
    [[nodiscard]] sql_result<command_result> disk_to_memory(database& db,
                                                            std::string_view module) const;
    [[nodiscard]] sql_result<command_result> memory_to_disk(database& db,
                                                            std::string_view module) const;
    [[nodiscard]] sql_result<command_result> config_to_memory(database& db,
                                                              std::string_view module) const;
    [[nodiscard]] std::vector<row> drift() const;
    [[nodiscard]] std::vector<row> origins() const;
    [[nodiscard]] sql_result<command_result> save_to_file(const command_call& call) const;

    runtime_access runtime_;
    std::string config_file_;
    bool has_disk_;
};

enum class startup_mode : std::uint8_t {
    usual,    ///< the modules that were saved to DISK from there, the others from the file
    initial,  ///< the file; DISK is put aside
    reload,   ///< as usual, after what the file has was put over what DISK has
};

/// What a start uses.
struct startup_choice {
    std::shared_ptr<const conf::settings> settings;  ///< null: see error
    std::string error;
    std::vector<std::string> from_disk;  ///< modules
};
/// DISK may not be there yet. Throws nothing.
[[nodiscard]] startup_choice choose_startup(std::shared_ptr<const conf::settings> from_file,
                                            startup_mode mode = startup_mode::usual);

/// The file of the DISK layer; empty: there is none.
[[nodiscard]] std::string disk_path(const conf::settings& s);

}  // namespace howdah::admin
