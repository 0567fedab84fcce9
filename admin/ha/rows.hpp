#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/ha/packed.hpp"
#include "admin/sql/value.hpp"

// Values of the HA store as rows of its tables.
namespace howdah::admin {

/// The schema's versions: each script leads from the version before. PRAGMA user_version is how
/// many have run.
[[nodiscard]] const std::vector<std::string_view>& store_versions();

/// Takes a value apart: names of columns, and what stands there. Numbers beyond 63 bits are text, a
/// server is two columns, everything that is a list is JSON.
class row_writer {
public:
    std::vector<std::string> names;
    row values;

    template <std::signed_integral T>
    void operator()(const char* name, const T& v) {
        put(name, std::int64_t{v});
    }
    void operator()(const char* name, bool v) { put(name, std::int64_t{v}); }
    void operator()(const char* name, std::uint32_t v) { put(name, std::int64_t{v}); }
    void operator()(const char* name, std::uint64_t v) { put(name, std::to_string(v)); }
    void operator()(const char* name, ha::intent_phase v);
    void operator()(const char* name, const std::string& v) { put(name, v); }
    void operator()(const char* name, const ha::endpoint& v);
    void operator()(const char* name, const std::optional<ha::endpoint>& v);
    void operator()(const char* name, const std::optional<std::uint64_t>& v);
    template <class T>
    void operator()(const char* name, const std::vector<T>& v) {
        put(name, pack(v).dump());
    }
    template <class K, class V>
    void operator()(const char* name, const std::map<K, V>& v) {
        put(name, pack(v).dump());
    }

private:
    void put(std::string name, value v) {
        names.push_back(std::move(name));
        values.push_back(std::move(v));
    }
};

/// Puts it together again. Throws std::runtime_error, naming the column, where the row is not what
/// row_writer made.
class row_reader {
public:
    explicit row_reader(const row& from) : from_(from) {}

    template <std::signed_integral T>
    void operator()(const char* name, T& v) {
        v = integer(name);
    }
    void operator()(const char* name, bool& v) { v = integer(name) != 0; }
    void operator()(const char* name, std::uint32_t& v);
    void operator()(const char* name, std::uint64_t& v);
    void operator()(const char* name, ha::intent_phase& v);
    void operator()(const char* name, std::string& v) { v = text(name); }
    void operator()(const char* name, ha::endpoint& v);
    void operator()(const char* name, std::optional<ha::endpoint>& v);
    void operator()(const char* name, std::optional<std::uint64_t>& v);
    template <class T>
    void operator()(const char* name, std::vector<T>& v) {
        unpack_from(name, v);
    }
    template <class K, class V>
    void operator()(const char* name, std::map<K, V>& v) {
        unpack_from(name, v);
    }

private:
    const value& next(const char* name);
    std::int64_t integer(const char* name);
    std::string text(const char* name);
    [[noreturn]] static void damaged(const char* name, std::string_view why);

    template <class T>
    void unpack_from(const char* name, T& v) {
        const std::string written = text(name);
        try {
            unpack(json::parse(written), v);
        } catch (const std::exception& e) {
            damaged(name, e.what());
        }
    }

    const row& from_;
    std::size_t at_ = 0;
};

}  // namespace howdah::admin
