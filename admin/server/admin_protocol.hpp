#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "admin/sql/sql_session.hpp"

namespace howdah::admin {

/// The server's side of PostgreSQL's protocol behind the login, over one sql_session: messages in,
/// messages out, no I/O. Simple and extended queries, text and binary formats, portals with row
/// limits. Used by one thread at a time.
class admin_protocol {
public:
    /// `session` must outlive it.
    explicit admin_protocol(sql_session& session);
    ~admin_protocol();
    admin_protocol(const admin_protocol&) = delete;
    admin_protocol& operator=(const admin_protocol&) = delete;

    /// More output than this is made in several steps.
    static constexpr std::size_t step_bytes = 64 << 10;

    /// Takes one message of the client and appends what it is answered. While busy(), resume() must
    /// be called, and no further message given.
    void on_message(char type, std::string_view body, std::string& out);
    [[nodiscard]] bool busy() const { return busy_; }
    void resume(std::string& out);
    /// The client has said Terminate, or breaks the protocol.
    [[nodiscard]] bool ended() const { return ended_; }

private:
    struct prepared {
        std::unique_ptr<prepared_sql> sql;  ///< null: the empty statement
        std::vector<std::uint32_t> types;
    };
    struct portal {
        std::shared_ptr<prepared> of;
        std::vector<value> parameters;
        std::vector<std::int16_t> formats;
        std::unique_ptr<cursor> rows;
        bool finished = false;
    };

    void query(std::string_view sql, std::string& out);
    void next_statement(std::string& out);
    void resume_portal(std::string& out);
    void finish_query(std::string& out);
    void parse(std::string_view body, std::string& out);
    void bind(std::string_view body, std::string& out);
    void describe(std::string_view body, std::string& out);
    void execute(std::string_view body, std::string& out);
    void close(std::string_view body, std::string& out);
    void sync(std::string& out);
    /// Opens the portal's cursor where that has not happened yet; false: it failed.
    [[nodiscard]] bool run(portal& p, std::string& out);
    /// Sends rows until the end, `limit` of them (0: all), or a step's worth of bytes.
    enum class progress : std::uint8_t { more, suspended, done, failed };
    [[nodiscard]] progress send_rows(cursor& rows, const std::vector<std::int16_t>& formats,
                                     std::size_t limit, std::string& out);
    void fail(const sql_error& e, std::string& out);
    void violation(std::string_view message, std::string& out);

    sql_session& session_;
    bool busy_ = false;
    bool ended_ = false;
    bool skipping_ = false;  ///< until Sync

    // A simple query under way.
    std::vector<std::string> statements_;
    std::size_t at_statement_ = 0;
    std::unique_ptr<prepared_sql> current_;
    std::unique_ptr<cursor> rows_;

    // An Execute under way.
    portal* executing_ = nullptr;
    std::size_t rows_left_ = 0;  ///< 0: all

    std::map<std::string, std::shared_ptr<prepared>, std::less<>> prepared_;
    std::map<std::string, portal, std::less<>> portals_;
};

}  // namespace howdah::admin
