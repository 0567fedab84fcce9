#include "conf/loader.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "conf/columns.hpp"
#include "conf/document.hpp"
#include "conf/text_file.hpp"
#include "conf/validate.hpp"
#include "conf/yaml_reader.hpp"

namespace howdah::conf {
namespace {

constexpr std::size_t largest_file = 16 << 20;

template <class Record>
std::vector<Record> values(std::vector<located<Record>>& records) {
    std::vector<Record> result;
    result.reserve(records.size());
    for (auto& record : records)
        result.push_back(std::move(record.value));
    return result;
}

std::shared_ptr<const settings> to_settings(document config, const std::string& source) {
    auto result = std::make_shared<settings>();
    result->vars = std::move(config.vars.value);
    result->servers = values(config.servers);
    result->replication_hostgroups = values(config.replication_hostgroups);
    result->hostgroup_attributes = values(config.hostgroup_attributes);
    result->ha_servers = values(config.ha_servers);
    result->users = values(config.users);
    result->databases = values(config.databases);
    result->query_rules = values(config.query_rules);
    result->fast_routes = values(config.fast_routes);
    result->firewall_users = values(config.firewall_users);
    result->firewall_rules = values(config.firewall_rules);
    result->hba_rules = values(config.hba_rules);
    result->user_maps = values(config.user_maps);
    std::ranges::sort(result->query_rules, {}, &query_rule::rule_id);
    result->source = source;
    return result;
}

/// As if every member that is not as by default stood in a file.
template <class Record>
std::vector<located<Record>> as_given(std::vector<Record> records) {
    const Record defaults{};
    std::vector<located<Record>> out;
    for (Record& record : records) {
        located<Record> l{std::move(record), 0, {}};
        for (const auto& column : columns<Record>())
            if (column.required || column.get(l.value) != column.get(defaults))
                l.lines.emplace(column.name, 0);
        out.push_back(std::move(l));
    }
    return out;
}

/// Notes where a document begins and ignores the rest.
class start_finder : public YAML::EventHandler {
public:
    int line() const { return line_; }

    void OnDocumentStart(const YAML::Mark& mark) override { line_ = mark.line + 1; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t,
                  const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}

private:
    int line_ = 0;
};

/// The line at which text follows the first document; 0 if none does. yaml-cpp's own LoadAll never
/// returns if that text begins with a stray ','.
int line_after_first_document(const std::string& text) {
    std::istringstream in(text);
    YAML::Parser parser(in);
    start_finder first, second;
    return parser.HandleNextDocument(first) && parser.HandleNextDocument(second) ? second.line()
                                                                                 : 0;
}

/// yaml-cpp does not say so when a tab is what it stumbles over.
bool is_indented_with_tab(std::string_view text, int line) {
    for (; line > 1 && text.find('\n') != text.npos; --line)
        text.remove_prefix(text.find('\n') + 1);
    const auto first = text.find_first_not_of(' ');
    return first != text.npos && text[first] == '\t';
}

load_result failure(problem_list problems) {
    return {nullptr, std::move(problems.errors), std::move(problems.warnings)};
}

}  // namespace

load_result load_text(std::string_view text, const std::string& name) {
    problem_list problems{name};
    document config;
    try {
        const std::string yaml(text);
        const auto root = YAML::Load(yaml);
        if (const int line = line_after_first_document(yaml)) {
            problems.error(line, "text after the end of the first YAML document");
            return failure(std::move(problems));
        }
        if (!root.IsDefined() || root.IsNull()) {
            problems.error(0, "the file is empty");
            return failure(std::move(problems));
        }
        config = read_document(root, problems);
    } catch (const YAML::Exception& e) {
        const int line = e.mark.line + 1;
        const auto* hint =
            is_indented_with_tab(text, line) ? " (a tab cannot indent; use spaces)" : "";
        problems.error(line, fmt::format("not valid YAML: {}{}", e.msg, hint));
        return failure(std::move(problems));
    } catch (const std::exception& e) {
        problems.error(0, fmt::format("cannot be read as YAML: {}", e.what()));
        return failure(std::move(problems));
    }
    // Checks across values would only repeat what is already known to be wrong.
    if (problems.errors.empty()) {
        apply_passfile(config, problems);
        validate(config, problems);
    }
    problems.sort();
    if (!problems.errors.empty()) return failure(std::move(problems));
    return {to_settings(std::move(config), name), {}, std::move(problems.warnings)};
}

load_result accept(settings made) {
    problem_list problems{made.source};
    document config;
    config.vars.value = std::move(made.vars);
    config.servers = as_given(std::move(made.servers));
    config.replication_hostgroups = as_given(std::move(made.replication_hostgroups));
    config.hostgroup_attributes = as_given(std::move(made.hostgroup_attributes));
    config.ha_servers = as_given(std::move(made.ha_servers));
    config.users = as_given(std::move(made.users));
    config.databases = as_given(std::move(made.databases));
    config.query_rules = as_given(std::move(made.query_rules));
    config.fast_routes = as_given(std::move(made.fast_routes));
    config.firewall_users = as_given(std::move(made.firewall_users));
    config.firewall_rules = as_given(std::move(made.firewall_rules));
    config.hba_rules = as_given(std::move(made.hba_rules));
    config.user_maps = as_given(std::move(made.user_maps));
    apply_passfile(config, problems);
    validate(config, problems);
    if (!problems.errors.empty()) return failure(std::move(problems));
    return {to_settings(std::move(config), made.source), {}, std::move(problems.warnings)};
}

load_result load_file(const std::string& path) {
    const auto file = read_text_file(path, largest_file);
    if (file.error.empty()) return load_text(file.text, path);
    problem_list problems{path};
    problems.error(0, fmt::format("cannot read the file: {}", file.error));
    return failure(std::move(problems));
}

}  // namespace howdah::conf
