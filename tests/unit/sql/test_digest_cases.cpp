#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/sql/digest.hpp"
#include "proxy/sql/lexer.hpp"

// digest_cases.txt, whose head says how it is read, and SQL that is lying about: what PostgreSQL
// has installed, and the folders in HOWDAH_SQL_CORPUS (with ':' between them), such as PostgreSQL's
// own tests, which tests/corpus.sh fetches.
namespace howdah::proxy::sql {
namespace {

namespace fs = std::filesystem;

std::string unescaped(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char c = text[++i];
        out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
    }
    return out;
}

struct digest_case {
    int line;
    std::string statement;
    std::string text;
};

std::vector<digest_case> read_cases() {
    std::ifstream file(std::string(HOWDAH_UNIT_DIR) + "/sql/digest_cases.txt");
    std::vector<digest_case> cases;
    std::string line, statement;
    for (int number = 1; std::getline(file, line); ++number) {
        if (line.empty() || line.front() == '#') continue;
        if (line.front() == '=') {
            cases.push_back(
                {number, unescaped(statement),
                 unescaped(std::string_view(line).substr(std::min<std::size_t>(2, line.size())))});
        } else {
            statement = line;
        }
    }
    return cases;
}

/// The same shape with other values: every digit another one, every string another text.
std::string other_literal(const token& t) {
    std::string out;
    const auto quoted = t.text.find('\'');
    switch (t.kind) {
        case token_kind::string:
            if (t.text.front() == '$') return "$q$ other -- ' $q$";
            return std::string(t.text.substr(0, quoted)) + "'other /* '' \" $$'";
        case token_kind::bit_string:
            return std::string(t.text.substr(0, quoted)) + "'1001'";
        case token_kind::number:
            for (const char c : t.text)
                out += c >= '0' && c <= '9' ? static_cast<char>('1' + (c - '0') % 9) : c;
            return out;
        default:  // 0b101 must stay one
            for (std::size_t i = 0; i < t.text.size(); ++i) {
                const char c = t.text[i];
                const bool value = i >= 2 || (c >= '1' && c <= '9');
                out += value && c != '_' && std::isxdigit(static_cast<unsigned char>(c)) != 0 ? '1'
                                                                                              : c;
            }
            return out;
    }
}

/// Other literals, other gaps, other case of words: by the lexer alone.
std::string altered(std::string_view sql) {
    std::string out;
    bool part_of_name = false;  // the literal behind UESCAPE
    lexer in(sql);
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        if (t.spaced) out += " /* ' */\t";
        if (t.is_literal() && !part_of_name) {
            out += other_literal(t);
        } else if (t.kind == token_kind::word) {
            for (const char c : t.text)
                out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        } else {
            out += t.text;
        }
        part_of_name = t.is_word("uescape");
    }
    return out;
}

TEST(digest_cases, have_the_text_that_PostgreSQLs_lexer_implies) {
    const auto cases = read_cases();
    ASSERT_GE(cases.size(), 300u);
    for (const digest_case& c : cases)
        EXPECT_EQ(digest_text(c.statement, 10000), c.text) << "digest_cases.txt:" << c.line << "\n"
                                                           << c.statement;
}

TEST(digest_cases, are_the_same_with_other_literals_gaps_and_case) {
    for (const digest_case& c : read_cases()) {
        const std::string other = altered(c.statement);
        EXPECT_EQ(compute_digest(other), compute_digest(c.statement)) << c.statement << "\n"
                                                                      << other;
        EXPECT_EQ(digest_text(other, 10000), c.text) << other;
    }
}

TEST(digest_cases, with_equal_texts_have_equal_digests_and_only_those) {
    const auto cases = read_cases();
    const auto without_gaps = [](std::string text) {
        std::erase(text, ' ');
        return text;
    };
    std::size_t equal = 0;
    for (std::size_t i = 0; i < cases.size(); ++i)
        for (std::size_t k = i + 1; k < cases.size(); ++k) {
            const bool same =
                compute_digest(cases[i].statement) == compute_digest(cases[k].statement);
            if (cases[i].text == cases[k].text && cases[i].text.find('?') == std::string::npos) {
                EXPECT_TRUE(same) << cases[i].statement << "\n" << cases[k].statement;
            }
            if (without_gaps(cases[i].text) != without_gaps(cases[k].text)) {
                EXPECT_FALSE(same) << cases[i].statement << "\n" << cases[k].statement;
            }
            equal += same;
        }
    EXPECT_GT(equal, 100u);
}

std::vector<std::string> sql_files() {
    std::vector<std::string> folders{"/usr/share/postgresql"};
    if (const char* more = std::getenv("HOWDAH_SQL_CORPUS")) {
        std::istringstream list(more);
        for (std::string folder; std::getline(list, folder, ':');)
            folders.push_back(folder);
    }
    std::vector<std::string> files;
    for (const std::string& folder : folders) {
        std::error_code missing;
        for (const auto& entry : fs::recursive_directory_iterator(folder, missing))
            if (entry.is_regular_file() && entry.path().extension() == ".sql")
                files.push_back(entry.path().string());
    }
    return files;
}

/// Each statement, and the whole. Scripts of psql are more than SQL; any bytes have a digest.
std::vector<std::string_view> pieces_of(std::string_view script) {
    std::vector<std::string_view> pieces{script};
    lexer in(script);
    std::size_t begin = 0;
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        if (!t.is(';')) continue;
        const auto end = static_cast<std::size_t>(t.text.data() - script.data()) + 1;
        pieces.push_back(script.substr(begin, end - begin));
        begin = end;
    }
    pieces.push_back(script.substr(begin));
    // What a quote that psql reads otherwise has hidden.
    while (!script.empty()) {
        const std::size_t end = std::min(script.find(";\n"), script.size());
        pieces.push_back(script.substr(0, end));
        script.remove_prefix(std::min(end + 2, script.size()));
    }
    return pieces;
}

TEST(digests, of_real_scripts_do_not_depend_on_their_literals) {
    std::vector<std::string> scripts;
    for (const digest_case& c : read_cases())
        scripts.push_back(c.statement + ";\n");
    for (const std::string& path : sql_files()) {
        std::ifstream file(path, std::ios::binary);
        scripts.emplace_back(std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>());
    }
    std::size_t statements = 0, changed = 0, failures = 0;
    for (const std::string& script : scripts) {
        for (const std::string_view piece : pieces_of(script)) {
            const std::string other = altered(piece);
            ++statements;
            changed += other != piece;
            if (compute_digest(other) == compute_digest(piece)) continue;
            ADD_FAILURE() << piece << "\n--- other digest as ---\n" << other;
            if (++failures == 5) return;
        }
    }
    EXPECT_GE(changed, 300u);
    RecordProperty("statements", static_cast<int>(statements));
    std::cout << statements << " statements of " << scripts.size() << " scripts\n";
}

}  // namespace
}  // namespace howdah::proxy::sql
