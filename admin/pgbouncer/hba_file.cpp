#include "admin/pgbouncer/hba_file.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "conf/address.hpp"
#include "conf/columns.hpp"

namespace howdah::admin::pgbouncer {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

/// The columns of a line, quotes kept; a comma joins what stands around it. Nothing at an
/// unpaired quote.
std::optional<std::vector<std::string>> columns_of(std::string_view line) {
    std::vector<std::string> out;
    bool inside = false, quoted = false, joins = false;
    for (const char c : line) {
        if (!quoted && c == '#') break;
        if (!quoted && blanks.find(c) != blanks.npos) {
            inside = false;
            continue;
        }
        if (!inside && !joins && !(c == ',' && !out.empty())) out.emplace_back();
        inside = true;
        if (c == '"') quoted = !quoted;
        joins = !quoted && c == ',';
        out.back() += c;
    }
    if (quoted) return std::nullopt;
    return out;
}

std::string unquoted(std::string_view text) {
    std::string out;
    for (const char c : text)
        if (c != '"') out += c;
    return out;
}

/// "255.255.255.0" -> 24.
std::optional<int> prefix_of(std::string_view mask) {
    const auto address = conf::parse_ip(mask);
    if (!address) return std::nullopt;
    int length = 0;
    bool ended = false;
    for (std::size_t i = 0; i < (address->v6 ? 16U : 4U); ++i) {
        const int ones = std::countl_one(address->bytes[i]);
        if ((address->bytes[i] << ones & 0xff) != 0 || (ended && ones != 0)) return std::nullopt;
        ended = ended || ones < 8;
        length += ones;
    }
    return length;
}

template <class Record>
std::string set(Record& record, std::string_view column, std::string_view text) {
    const auto table = conf::columns<Record>();
    const auto field = std::ranges::find(table, column, &conf::field<Record>::name);
    const auto wrong = field->set(record, text);
    return wrong ? std::string(column) + " '" + std::string(text) + "' " + *wrong : std::string();
}

std::string option(conf::hba_rule& rule, const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == text.npos ? "" : unquoted(text.substr(equals + 1));
    if (name == "map" || name == "clientcert") return set(rule, name, value);
    return "Howdah has no option " + name;
}

bool is_type(std::string_view word) {
    conf::hba_rule rule;
    return set(rule, "type", word).empty();
}

std::string read_rule(std::vector<std::string> columns, conf::hba_rule& rule) {
    const bool local = columns[0] == "local";
    if (!is_type(columns[0])) return "is no rule (local, host, hostssl, hostnossl)";
    if (columns.size() < (local ? 4U : 5U)) return "the line has too few columns";
    if (auto wrong = set(rule, "type", columns[0]); !wrong.empty()) return wrong;
    if (auto wrong = set(rule, "database", columns[1]); !wrong.empty()) return wrong;
    if (auto wrong = set(rule, "user", columns[2]); !wrong.empty()) return wrong;
    std::size_t at = 3;
    if (!local) {
        std::string address = unquoted(columns[at++]);
        if (const auto prefix = prefix_of(columns[at]);
            prefix && address.find('/') == address.npos) {
            address += "/" + std::to_string(*prefix);
            if (++at == columns.size()) return "the line has too few columns";
        }
        if (auto wrong = set(rule, "address", address); !wrong.empty()) return wrong;
    }
    if (auto wrong = set(rule, "method", columns[at] == "plain" ? "password" : columns[at]);
        !wrong.empty())
        return wrong;
    for (++at; at < columns.size(); ++at)
        if (auto wrong = option(rule, columns[at]); !wrong.empty()) return wrong;
    return {};
}

std::string read_map(const std::vector<std::string>& columns, conf::user_map& map) {
    if (columns.size() != 3) return "expected map, system user and database user";
    constexpr std::array<std::string_view, 3> names{"map", "system_user", "database_user"};
    for (std::size_t i = 0; i < names.size(); ++i)
        if (auto wrong = set(map, names[i], unquoted(columns[i])); !wrong.empty()) return wrong;
    return {};
}

template <class Record, class Read>
std::vector<line_of<Record>> parse(std::string_view text, const std::string& file,
                                   std::size_t shown, Read read) {
    std::vector<line_of<Record>> out;
    for (place at{file, 1}; !text.empty(); ++at.line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const auto columns = columns_of(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        line_of<Record> line{at, {}, {}, {}};
        if (!columns) {
            line.error = "has an unpaired '\"'";
        } else if (columns->empty()) {
            continue;
        } else {
            Record record;
            line.error = read(*columns, record);
            if (line.error.empty()) line.record = std::move(record);
            // Whoever names a file that is something else does not get to see it.
            const bool is_rule = line.record || is_type(columns->front());
            for (std::size_t i = 0; is_rule && i < std::min(shown, columns->size()); ++i)
                line.shown.append(i == 0 ? "" : " ").append((*columns)[i]);
        }
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace

std::vector<line_of<conf::hba_rule>> parse_hba(std::string_view text, const std::string& file) {
    return parse<conf::hba_rule>(text, file, 5, read_rule);
}

std::vector<line_of<conf::user_map>> parse_ident(std::string_view text, const std::string& file) {
    return parse<conf::user_map>(text, file, 3, read_map);
}

std::optional<std::string> as_hba_name(std::string_view name) {
    constexpr std::array<std::string_view, 5> keywords{"all", "sameuser", "samerole", "samegroup",
                                                       "replication"};
    if (name.empty() || name.find_first_of(",;\"") != name.npos) return std::nullopt;
    const bool plain = name.find_first_of("/@+ \t") == name.npos &&
                       std::ranges::find(keywords, name) == keywords.end();
    return plain ? std::string(name) : '"' + std::string(name) + '"';
}

}  // namespace howdah::admin::pgbouncer
