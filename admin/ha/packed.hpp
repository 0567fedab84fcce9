#pragma once
#include <concepts>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "admin/ha/fields.hpp"

// Lists, maps and structs as JSON, as they stand inside a row. unpack() throws
// nlohmann::json::exception or std::runtime_error where the JSON is not what pack() made.
namespace howdah::admin {

using json = nlohmann::json;

/// JSON is UTF-8 and nothing else; what a server says may be any bytes. Those become numbers.
[[nodiscard]] json pack(const std::string& text);
void unpack(const json& in, std::string& out);
[[nodiscard]] json pack(ha::promotion_rule rule);
void unpack(const json& in, ha::promotion_rule& out);

template <class T>
concept plain = std::integral<T>;

template <plain T>
[[nodiscard]] json pack(T v) {
    return v;
}
template <plain T>
void unpack(const json& in, T& out) {
    in.get_to(out);
}

template <class T>
requires std::is_class_v<T>
[[nodiscard]] json pack(const T& v);
template <class T>
[[nodiscard]] json pack(const std::vector<T>& v);
template <class T>
[[nodiscard]] json pack(const std::set<T>& v);
template <class K, class V>
[[nodiscard]] json pack(const std::map<K, V>& v);
template <class T>
requires std::is_class_v<T>
void unpack(const json& in, T& out);
template <class T>
void unpack(const json& in, std::vector<T>& out);
template <class T>
void unpack(const json& in, std::set<T>& out);
template <class K, class V>
void unpack(const json& in, std::map<K, V>& out);

struct json_writer {
    json out = json::object();
    template <class T>
    void operator()(const char* name, T& v) {
        out[name] = pack(v);
    }
};

struct json_reader {
    const json& in;
    template <class T>
    void operator()(const char* name, T& v) {
        unpack(in.at(name), v);
    }
};

template <class T>
requires std::is_class_v<T> json pack(const T& v) {
    json_writer to;
    T copy = v;
    fields(to, copy);
    return to.out;
}

template <class T>
requires std::is_class_v<T>
void unpack(const json& in, T& out) {
    json_reader from{in};
    fields(from, out);
}

template <class T>
json pack(const std::vector<T>& v) {
    json out = json::array();
    for (const T& one : v)
        out.push_back(pack(one));
    return out;
}

template <class T>
json pack(const std::set<T>& v) {
    json out = json::array();
    for (const T& one : v)
        out.push_back(pack(one));
    return out;
}

/// A list of pairs: keys need not be text.
template <class K, class V>
json pack(const std::map<K, V>& v) {
    json out = json::array();
    for (const auto& [key, mapped] : v) {
        json pair = json::array();
        pair.push_back(pack(key));
        pair.push_back(pack(mapped));
        out.push_back(std::move(pair));
    }
    return out;
}

/// Iterating over anything else would silently give nothing or its only value.
[[nodiscard]] inline const json& list(const json& in) {
    if (!in.is_array()) throw std::runtime_error("a list was expected");
    return in;
}

template <class T>
void unpack(const json& in, std::vector<T>& out) {
    out.clear();
    for (const json& one : list(in))
        unpack(one, out.emplace_back());
}

template <class T>
void unpack(const json& in, std::set<T>& out) {
    out.clear();
    for (const json& one : list(in)) {
        T element;
        unpack(one, element);
        out.insert(std::move(element));
    }
}

template <class K, class V>
void unpack(const json& in, std::map<K, V>& out) {
    out.clear();
    for (const json& pair : list(in)) {
        K key;
        unpack(list(pair).at(0), key);
        unpack(pair.at(1), out[std::move(key)]);
    }
}

}  // namespace howdah::admin
