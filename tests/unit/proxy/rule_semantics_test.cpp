#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>

#include "conf/rule_values.hpp"
#include "proxy/rules/compiled_rules.hpp"
#include "proxy/sql/digest.hpp"
#include "tests/unit/proxy/rule_text.hpp"

// rule_cases.txt, whose head says how it is read.
namespace howdah::proxy {
namespace {

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c;
    }
    return out;
}

/// "@SELECT 1@" becomes its digest.
std::string with_digests(std::string line) {
    for (auto begin = line.find('@'); begin != line.npos; begin = line.find('@')) {
        const auto end = line.find('@', begin + 1);
        if (end == line.npos) throw std::runtime_error("one @ in " + line);
        const std::string statement = line.substr(begin + 1, end - begin - 1);
        line.replace(begin, end - begin + 1,
                     conf::format_digest(sql::compute_digest(statement).hash));
    }
    return line;
}

/// The rules of one group of lines, as a configuration.
struct group {
    std::string why;
    std::map<std::string, std::string> sections;  // YAML rows by section

    [[nodiscard]] conf::settings settings() const {
        std::string rules, more;
        for (const auto& [name, rows] : sections) {
            if (name == "query_rules")
                rules = rows;
            else
                more += name + (name == "variables" ? ": {" + rows + "}\n" : ": [" + rows + "]\n");
        }
        return test::settings_of(rules, more);
    }
};

/// Who asks: "user=bob,db=stock".
rule_subject subject_of(std::string_view who, std::map<std::string, std::string>& texts) {
    texts = {{"user", "alice"},   {"db", "shop"},   {"from", "10.1.2.3"},
             {"to", "127.0.0.1"}, {"port", "6133"}, {"flag", "0"}};
    while (!who.empty()) {
        const std::string_view entry = who.substr(0, who.find(','));
        who.remove_prefix(std::min(who.size(), entry.size() + 1));
        const auto equals = entry.find('=');
        texts.at(std::string(entry.substr(0, equals))) = entry.substr(equals + 1);
    }
    rule_subject s;
    s.username = texts["user"];
    s.database = texts["db"];
    s.client_addr = texts["from"];
    s.proxy_addr = texts["to"];
    s.proxy_port = static_cast<std::uint16_t>(std::stoi(texts["port"]));
    s.flag = std::stoi(texts["flag"]);
    return s;
}

TEST(rules, mean_what_they_mean_in_ProxySQL) {
    std::ifstream file(std::string(HOWDAH_UNIT_DIR) + "/proxy/rule_cases.txt");
    ASSERT_TRUE(file);
    const std::map<std::string, std::string> section_of{{"rule: ", "query_rules"},
                                                        {"fast: ", "query_rules_fast_routing"},
                                                        {"fwu: ", "firewall_whitelist_users"},
                                                        {"fwr: ", "firewall_whitelist_rules"},
                                                        {"var: ", "variables"}};
    group now;
    std::string line, question;
    std::size_t cases = 0;
    for (int number = 1; std::getline(file, line); ++number) {
        if (line.empty()) {
            now = {};
            continue;
        }
        if (line.starts_with("# ")) {
            now.why += line.substr(2);
            continue;
        }
        if (line.starts_with("?")) {
            question = line.substr(1);
            continue;
        }
        if (line.starts_with("= ")) {
            const auto end = question.find("? ");
            const bool other = !question.starts_with(' ');
            ASSERT_TRUE(!other || end != question.npos) << "line " << number;
            std::map<std::string, std::string> texts;
            rule_subject s = subject_of(
                other ? std::string_view(question).substr(0, end) : std::string_view(), texts);
            const std::string query = unescaped(question.substr(other ? end + 2 : 1));
            s.query = query;
            s.digest = sql::compute_digest(query).hash;
            const compiled_rules compiled(now.settings());
            EXPECT_EQ(test::in_words(compiled.judge(s), compiled), unescaped(line.substr(2)))
                << "rule_cases.txt:" << number << ": " << now.why << "\n"
                << question;
            ++cases;
            continue;
        }
        const auto colon = line.find(": ");
        ASSERT_NE(colon, line.npos) << "line " << number;
        const std::string& section = section_of.at(line.substr(0, colon + 2));
        const std::string row = with_digests(line.substr(colon + 2));
        std::string& rows = now.sections[section];
        rows += (rows.empty() ? "" : ", ") + (section == "variables" ? row : "{" + row + "}");
    }
    EXPECT_GE(cases, 150u) << "so many were written; the file was not read to its end";
}

/// How often each hostgroup is the destination, over many draws.
std::map<int, int> destinations(const std::string& rules, int draws) {
    const compiled_rules compiled(test::settings_of(rules));
    std::map<int, int> out;
    rule_subject s;
    s.query = "SELECT 1";
    for (int i = 0; i < draws; ++i) {
        s.draw += 0x9e3779b97f4a7c15U;
        ++out[compiled.judge(s).destination_hostgroup.value_or(-1)];
    }
    return out;
}

TEST(weighted_flags, are_drawn_by_their_weights) {
    const auto found = destinations(
        R"({rule_id: 1, attributes: '{"flagOUTs":[{"id":1,"weight":10},{"id":2,"weight":30},)"
        R"({"id":3,"weight":60}]}'},)"
        "{rule_id: 2, flagIN: 1, destination_hostgroup: 1},"
        "{rule_id: 3, flagIN: 2, destination_hostgroup: 2},"
        "{rule_id: 4, flagIN: 3, destination_hostgroup: 3}",
        10000);
    EXPECT_EQ(found.size(), 3u);
    EXPECT_NEAR(found.at(1), 1000, 150);
    EXPECT_NEAR(found.at(2), 3000, 250);
    EXPECT_NEAR(found.at(3), 6000, 250);
}

TEST(weighted_flags, of_several_rules_are_drawn_independently) {
    const std::string half =
        R"(attributes: '{"flagOUTs":[{"id":1,"weight":1},{"id":2,"weight":1}]}')";
    const auto found = destinations("{rule_id: 1, " + half +
                                        "},"
                                        "{rule_id: 2, flagIN: 1, " +
                                        half +
                                        ", destination_hostgroup: 5},"
                                        "{rule_id: 3, flagIN: 2, " +
                                        half +
                                        ", destination_hostgroup: 6},"
                                        "{rule_id: 4, flagIN: 1, destination_hostgroup: 7}",
                                    8000);
    // Of those whom rule 1 gives flag 2, rule 3 gives half flag 1, and so does rule 2, of whose
    // others half come to rule 3 again.
    EXPECT_NEAR(found.at(7), 2000 + 2000 + 1000, 300);
    EXPECT_NEAR(found.at(6), 2000 + 1000, 300);
}

TEST(weighted_flags, make_a_chain_one_that_draws) {
    const compiled_rules compiled(test::settings_of(
        "{rule_id: 1, flagOUT: 4},"
        R"({rule_id: 2, flagIN: 4, attributes: '{"flagOUTs":[{"id":5,"weight":1}]}'},)"
        R"({rule_id: 3, flagIN: 6, apply: 1, attributes: '{"flagOUTs":[{"id":5,"weight":1}]}'})"));
    EXPECT_TRUE(compiled.draws(0)) << "by way of rule 1";
    EXPECT_TRUE(compiled.draws(4));
    EXPECT_FALSE(compiled.draws(5));
    EXPECT_TRUE(compiled.draws(6)) << "the flag counts where apply ends the chain, too";
}

}  // namespace
}  // namespace howdah::proxy
