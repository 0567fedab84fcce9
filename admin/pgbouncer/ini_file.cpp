#include "admin/pgbouncer/ini_file.hpp"

#include <optional>

namespace howdah::admin::pgbouncer {
namespace {

constexpr int deepest = 8;
constexpr int most_files = 64;
constexpr std::size_t most_entries = 100'000;
constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// The key at the beginning of the line, which is taken off; nothing: there is none.
std::optional<std::string> take_key(std::string_view& line) {
    std::string key;
    if (!line.starts_with('"')) {
        const std::size_t end = std::min(line.find_first_of("= \t"), line.size());
        key = line.substr(0, end);
        line.remove_prefix(end);
    } else {
        for (line.remove_prefix(1);; line.remove_prefix(1)) {
            if (line.empty()) return std::nullopt;
            if (line.front() == '"') {
                line.remove_prefix(1);
                if (!line.starts_with('"')) break;
            }
            key += line.front();
        }
    }
    if (key.empty()) return std::nullopt;
    return key;
}

class reading {
public:
    explicit reading(const file_reader& read) : read_(read) {}

    void file(const std::string& path, const place& named_at, int depth) {
        const place here = depth == 0 ? place{path, 0} : named_at;
        if (depth > deepest) return fail(here, "%include goes too deep");
        if (++files_ > most_files) return fail(here, "too many files are included");
        const conf::text_file content = read_(path);
        if (!content.error.empty())
            return fail(here, "cannot read \"" + path + "\": " + content.error);
        std::string_view rest = content.text;
        for (place at{path, 1}; !rest.empty() && !full_; ++at.line) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            line(trimmed(rest.substr(0, end)), at, depth);
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
    }

    ini_file result;

private:
    void fail(const place& where, std::string message) {
        result.problems.push_back({where, std::move(message)});
    }

    void line(std::string_view text, const place& at, int depth) {
        constexpr std::string_view include = "%include";
        if (text.empty() || text.front() == ';' || text.front() == '#') return;
        if (text.find('\0') != text.npos) return fail(at, "contains a NUL byte");
        if (text.front() == '[') {
            if (text.back() != ']' || text.size() < 3) return fail(at, "expected \"[section]\"");
            section_ = trimmed(text.substr(1, text.size() - 2));
        } else if (text.front() == '%') {
            const bool known = text.starts_with(include) && text.size() > include.size() &&
                               blanks.find(text[include.size()]) != blanks.npos;
            if (!known) return fail(at, "expected \"%include file\"");
            file(beside(at.file, trimmed(text.substr(include.size()))), at, depth + 1);
        } else {
            entry(text, at);
        }
    }

    void entry(std::string_view text, const place& at) {
        std::optional<std::string> key = take_key(text);
        text = trimmed(text);
        if (!key || !text.starts_with('=')) return fail(at, "expected \"name = value\"");
        if (section_.empty()) return fail(at, "stands before the first [section]");
        if (result.entries.size() >= most_entries) {
            full_ = true;
            return fail(at, "too many settings");
        }
        result.entries.push_back(
            {at, section_, std::move(*key), std::string(trimmed(text.substr(1)))});
    }

    const file_reader& read_;
    std::string section_;  // goes on behind an %include
    int files_ = 0;
    bool full_ = false;
};

}  // namespace

std::string place::to_string() const {
    return line == 0 ? file : file + ":" + std::to_string(line);
}

std::string beside(const std::string& file, std::string_view path) {
    if (path.starts_with('/')) return std::string(path);
    const std::size_t slash = file.rfind('/');
    return (slash == file.npos ? "" : file.substr(0, slash + 1)) + std::string(path);
}

ini_file read_ini(const std::string& path, const file_reader& read) {
    reading r(read);
    r.file(path, {}, 0);
    return std::move(r.result);
}

}  // namespace howdah::admin::pgbouncer
