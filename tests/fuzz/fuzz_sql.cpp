#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/sql/digest.hpp"
#include "proxy/sql/functions.hpp"
#include "proxy/sql/lexer.hpp"
#include "proxy/sql/nesting.hpp"
#include "proxy/sql/traits.hpp"

namespace {

using namespace howdah::proxy::sql;

void require(bool ok) {
    if (!ok) std::abort();
}

// The same statement with other values in its literals, other blanks and other case.
std::string rewritten(std::string_view sql) {
    std::string result;
    bool changeable = true;
    lexer in{sql};
    for (token t = in.next(); t.kind != token_kind::end; t = in.next()) {
        result += " /* */ ";
        // A literal after UESCAPE is part of a name.
        if (t.is_literal() && t.kind != token_kind::based_number && changeable) {
            result += t.kind == token_kind::number ? "42" : "'x'";
        } else if (t.kind == token_kind::word) {
            for (const char c : t.text)
                result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
        } else {
            result += t.text;
        }
        changeable = !t.is_word("uescape");
    }
    return result;
}

// What is cut off in the middle (a literal, a comment) cannot be rewritten.
bool is_closed(std::string_view sql) {
    const std::string probe = std::string{sql} + " ;";
    token last;
    lexer in{probe};
    for (token t = in.next(); t.kind != token_kind::end; t = in.next())
        last = t;
    return last.is(';') && last.text.data() + 1 == probe.data() + probe.size() && last.spaced;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
    const std::string_view sql{reinterpret_cast<const char*>(data), size};

    const digest id = compute_digest(sql, 7);
    require(id.hash == compute_digest(sql).hash);
    const std::string text = digest_text(sql, size * 2 + 16);
    require(digest_text(sql, 10) == text.substr(0, 10));
    (void)hostgroup_hint(sql);
    if (is_closed(sql)) require(compute_digest(rewritten(sql), 7) == id);

    const traits t = classify(sql, {.bytes = 1 << 16, .depth = 200});
    if (!t.parsed) require(!t.read_only && t.statements == 0 && t.pins == 0);
    if (t.read_only) require(t.statements > 0 && !t.begins_transaction && !t.ends_transaction);
    (void)harmless_on_standby(t, *function_catalog::built_in());
    return 0;
}
