#include "proxy/ha_client/text_table.hpp"

#include <algorithm>

namespace howdah::proxy::ha_client {
namespace {

/// Characters of UTF-8: bytes that begin one.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

/// The last one of a line is not padded.
std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string out;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        out += cells[i];
        out.append(widths[i] - std::min(widths[i], width(cells[i])) + 2, ' ');
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
}

}  // namespace

std::string printable(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7F ? ' ' : c;
    }
    return out;
}

std::string as_table(const answer& what) {
    std::vector<std::vector<std::string>> lines(what.rows.size() + 1);
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < what.columns.size(); ++i) {
        if (std::ranges::none_of(what.rows, [i](const auto& row) { return row[i].has_value(); }))
            continue;
        lines[0].push_back(printable(what.columns[i]));
        widths.push_back(width(lines[0].back()));
        for (std::size_t row = 0; row < what.rows.size(); ++row) {
            lines[row + 1].push_back(printable(what.rows[row][i].value_or("")));
            widths.back() = std::max(widths.back(), width(lines[row + 1].back()));
        }
    }
    std::string out;
    for (const auto& cells : lines)
        out += line_of(cells, widths);
    return out;
}

std::string as_facts(const answer& what) {
    std::size_t longest = 0;
    for (const auto& name : what.columns)
        longest = std::max(longest, width(name));
    std::string out;
    for (const auto& row : what.rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            if (row[i]) out += line_of({what.columns[i], printable(*row[i])}, {longest, 0});
    return out;
}

std::string as_lines(const answer& what) {
    std::string out;
    for (const auto& row : what.rows)
        out += printable(row.at(0).value_or("")) + "\n";
    return out;
}

}  // namespace howdah::proxy::ha_client
