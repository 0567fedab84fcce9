#pragma once
#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace howdah::admin {

/// Why a statement failed, as an ErrorResponse will say it.
struct sql_error {
    sql_error() = default;
    sql_error(std::string_view state, std::string text, std::string advice = {})
        : sqlstate(state), message(std::move(text)), hint(std::move(advice)) {}

    std::string sqlstate;
    std::string message;
    std::string hint;
    std::string detail;
    std::size_t position = 0;  ///< 1-based, in characters of the statement; 0: none
};

template <class T>
using sql_result = boost::system::result<T, sql_error>;

}  // namespace howdah::admin
