#include "proxy/command_line.hpp"

#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "admin/config/layers.hpp"
#include "conf/loader.hpp"
#include "conf/print_config.hpp"
#include "conf/render.hpp"
#include "proxy/app.hpp"
#include "proxy/ha_client/command_line.hpp"
#include "proxy/ha_client/run.hpp"
#include "proxy/ha_command.hpp"
#include "proxy/logging.hpp"

namespace howdah::proxy {
namespace {

/// How to start this program again, also when another one lies in its place by
/// then.
std::vector<std::string> own_command(int argc, char** argv) {
    std::vector<std::string> command(argv, argv + argc);
    std::error_code unknown;
    // Of the first start alone: the next process goes on where this one is.
    std::erase_if(command,
                  [](const std::string& a) { return a == "--initial" || a == "--reload"; });
    command[0] = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
    if (unknown) command.clear();
    return command;
}

int serve(const conf::load_result& loaded, admin::startup_mode mode,
          std::vector<std::string> command) {
    const admin::startup_choice start = admin::choose_startup(loaded.value, mode);
    if (!start.settings) {
        std::cerr << "howdah: the configuration on DISK cannot be used: " << start.error
                  << "\nMove the file away to start from the configuration file.\n";
        return 1;
    }
    set_up_logging(start.settings->vars);
    for (const std::string& module : start.from_disk)
        spdlog::info("{} from DISK ({}), not from {}", module, admin::disk_path(*loaded.value),
                     loaded.value->source);
    app howdah(start.settings, std::move(command), start.from_disk);
    return howdah.run();
}

}  // namespace

int run_command_line(int argc, char** argv) {
    CLI::App cli("Howdah: a PostgreSQL proxy with built-in high availability.", "howdah");
    std::string config;
    bool check = false;
    bool initial = false;
    bool reload = false;
    bool print = false;
    bool print_default = false;
    bool print_markdown = false;
    cli.add_option("-c,--config", config, "Configuration file (YAML)")->type_name("FILE");
    auto* from_file = cli.add_flag(
        "--initial", initial, "Start from the configuration file; howdah.db becomes howdah.db.bak");
    cli.add_flag("--reload", reload, "Put what the configuration file has over what howdah.db has")
        ->excludes(from_file);
    cli.add_flag("--check", check, "Check the configuration and exit");
    cli.add_flag("--print-config", print, "Print the configuration in force, secrets masked");
    cli.add_flag("--print-default-config", print_default,
                 "Print the annotated default configuration");
    cli.add_flag("--print-options-markdown", print_markdown, "Print the reference of all options");
    cli.set_version_flag("--version", "howdah " HOWDAH_VERSION);
    ha_client::request asked;
    const auto& ha = ha_client::add_commands(cli, asked);
    try {
        cli.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        const int code = cli.exit(e);
        return code != 0 && ha.count() > 0 ? ha_client::wrong_usage : code;
    }
    if (const auto wrong = ha_client::check(asked); !wrong.empty()) {
        std::cerr << "howdah: " << wrong << '\n';
        return ha_client::wrong_usage;
    }
    const bool orders = !asked.what.empty() && !asked.only_looks();
    if (print_default || print_markdown) {
        std::cout << (print_default ? conf::render_annotated_yaml() : conf::render_markdown());
        return 0;
    }
    if (config.empty() && orders) return ha_client::run(asked, nullptr);
    if (config.empty()) {
        std::cerr << "howdah: no configuration given; use --config FILE (--help "
                     "shows more)\n";
        return asked.what.empty() ? 1 : ha_client::wrong_usage;
    }
    const conf::load_result loaded = conf::load_file(config);
    for (const auto& warning : loaded.warnings)
        std::cerr << "warning: " << warning.to_string() << '\n';
    for (const auto& error : loaded.errors)
        std::cerr << error.to_string() << '\n';
    if (!loaded.value) return asked.what.empty() ? 1 : ha_client::wrong_usage;
    try {
        if (print) {
            std::cout << conf::print_config(*loaded.value);
            return 0;
        }
        if (orders) return ha_client::run(asked, loaded.value.get());
        if (!asked.what.empty()) return run_ha_command(*loaded.value, asked);
        if (check) {
            check_resources(*loaded.value);
            std::cout << config << ": ok\n";
            return 0;
        }
        const auto mode = initial  ? admin::startup_mode::initial
                          : reload ? admin::startup_mode::reload
                                   : admin::startup_mode::usual;
        return serve(loaded, mode, own_command(argc, argv));
    } catch (const std::exception& e) {
        std::cerr << "howdah: " << e.what() << '\n';
        return 1;
    }
}

}  // namespace howdah::proxy
