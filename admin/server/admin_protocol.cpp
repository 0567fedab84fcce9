#include "admin/server/admin_protocol.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include "protocol/wire/error_message.hpp"
#include "protocol/wire/message_views.hpp"
#include "protocol/wire/messages.hpp"
#include "protocol/wire/reader.hpp"
#include "protocol/wire/sqlstate.hpp"
#include "protocol/wire/writer.hpp"

namespace howdah::admin {
namespace {

namespace sqlstate = protocol::sqlstate;

/// OIDs of pg_type.
namespace oid {
constexpr std::uint32_t boolean = 16;
constexpr std::uint32_t int8 = 20;
constexpr std::uint32_t int2 = 21;
constexpr std::uint32_t int4 = 23;
constexpr std::uint32_t text = 25;
constexpr std::uint32_t object = 26;
constexpr std::uint32_t float4 = 700;
constexpr std::uint32_t float8 = 701;
}  // namespace oid

std::uint32_t oid_of(column_type type) {
    switch (type) {
        case column_type::integer:
            return oid::int8;
        case column_type::real:
            return oid::float8;
        case column_type::boolean:
            return oid::boolean;
        case column_type::text:
            break;
    }
    return oid::text;
}

std::int16_t size_of(column_type type) {
    if (type == column_type::text) return -1;
    return type == column_type::boolean ? 1 : 8;
}

bool is_binary(const std::vector<std::int16_t>& formats, std::size_t i) {
    if (formats.empty()) return false;
    return formats[formats.size() == 1 ? 0 : i] == 1;
}

void append_row_description(std::string& out, const std::vector<column>& columns,
                            const std::vector<std::int16_t>& formats) {
    protocol::message_writer message(out, 'T');
    message.u16(static_cast<std::uint16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        message.cstring(columns[i].name);
        message.i32(0);  // table
        message.i16(0);  // column of the table
        message.u32(oid_of(columns[i].type));
        message.i16(size_of(columns[i].type));
        message.i32(-1);  // type modifier: none
        message.i16(is_binary(formats, i) ? 1 : 0);
    }
}

std::string big_endian(std::uint64_t bits, int bytes) {
    std::string out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(bits >> shift));
    return out;
}

std::string encoded(const value& v, column_type type, bool binary) {
    if (type == column_type::real) {
        const auto* integer = std::get_if<std::int64_t>(&v);
        const double number =
            integer != nullptr ? static_cast<double>(*integer) : std::get<double>(v);
        return binary ? big_endian(std::bit_cast<std::uint64_t>(number), 8) : to_text(number);
    }
    if (type == column_type::boolean) {
        const bool on = std::get<std::int64_t>(v) != 0;
        return binary ? std::string(1, on ? '\1' : '\0') : on ? "t" : "f";
    }
    if (type == column_type::integer && binary)
        return big_endian(static_cast<std::uint64_t>(std::get<std::int64_t>(v)), 8);
    return to_text(v);
}

void append_data_row(std::string& out, const row& r, const std::vector<column>& columns,
                     const std::vector<std::int16_t>& formats) {
    protocol::message_writer message(out, 'D');
    message.u16(static_cast<std::uint16_t>(columns.size()));
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i >= r.size() || std::holds_alternative<std::monostate>(r[i])) {
            message.i32(-1);
            continue;
        }
        const std::string bytes = encoded(r[i], columns[i].type, is_binary(formats, i));
        message.i32(static_cast<std::int32_t>(bytes.size()));
        message.bytes(bytes);
    }
}

std::int64_t signed_of(std::string_view bytes) {
    std::uint64_t bits = (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0 ? ~0ULL : 0;
    for (const char c : bytes)
        bits = bits << 8U | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(bits);
}

/// A parameter as the client sent it; nothing: not in a form that its type has.
std::optional<value> decoded(std::string_view bytes, std::uint32_t type, bool binary) {
    const auto refused = std::optional<value>();
    if (!binary) {
        if (type == oid::int2 || type == oid::int4 || type == oid::int8 || type == oid::object) {
            std::int64_t number = 0;
            const auto [end, ec] =
                std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
            if (ec != std::errc() || end != bytes.data() + bytes.size()) return refused;
            return value(number);
        }
        if (type == oid::float4 || type == oid::float8) {
            double number = 0;
            const auto [end, ec] =
                std::from_chars(bytes.data(), bytes.data() + bytes.size(), number);
            if (ec != std::errc() || end != bytes.data() + bytes.size()) return refused;
            return value(number);
        }
        if (type == oid::boolean) return value(std::int64_t{bytes == "t" || bytes == "true"});
        return value(std::string(bytes));
    }
    switch (type) {
        case oid::int2:
            return bytes.size() == 2 ? value(signed_of(bytes)) : refused;
        case oid::int4:
        case oid::object:
            return bytes.size() == 4 ? value(signed_of(bytes)) : refused;
        case oid::int8:
            return bytes.size() == 8 ? value(signed_of(bytes)) : refused;
        case oid::boolean:
            return bytes.size() == 1 ? value(std::int64_t{bytes[0] != 0}) : refused;
        case oid::float4:
            if (bytes.size() != 4) return refused;
            return value(
                double{std::bit_cast<float>(static_cast<std::uint32_t>(signed_of(bytes)))});
        case oid::float8:
            if (bytes.size() != 8) return refused;
            return value(std::bit_cast<double>(signed_of(bytes)));
        default:
            return value(std::string(bytes));
    }
}

}  // namespace

admin_protocol::admin_protocol(sql_session& session) : session_(session) {}
admin_protocol::~admin_protocol() = default;

void admin_protocol::on_message(char type, std::string_view body, std::string& out) {
    if (type == 'X') {
        ended_ = true;
        return;
    }
    if (type == 'S') {
        sync(out);
        return;
    }
    if (skipping_ || type == 'H') return;
    switch (type) {
        case 'Q':
            if (const auto sql = protocol::parse_query(body)) {
                query(*sql, out);
            } else {
                violation("invalid message format", out);
                protocol::append_ready_for_query(out, session_.status());
                skipping_ = false;
            }
            break;
        case 'P':
            parse(body, out);
            break;
        case 'B':
            bind(body, out);
            break;
        case 'D':
            describe(body, out);
            break;
        case 'E':
            execute(body, out);
            break;
        case 'C':
            close(body, out);
            break;
        case 'd':
        case 'c':
        case 'f':
            break;  // of a COPY that has failed
        default:
            protocol::append_error(out, protocol::severity::fatal, sqlstate::protocol_violation,
                                   "invalid frontend message type " +
                                       std::to_string(static_cast<unsigned char>(type)));
            ended_ = true;
    }
}

void admin_protocol::fail(const sql_error& e, std::string& out) {
    session_.failed();
    const std::string position = e.position == 0 ? std::string() : std::to_string(e.position);
    protocol::append_error(out, {.sqlstate = e.sqlstate,
                                 .message = e.message,
                                 .detail = e.detail,
                                 .hint = e.hint,
                                 .position = position});
}

void admin_protocol::violation(std::string_view message, std::string& out) {
    fail({sqlstate::protocol_violation, std::string(message)}, out);
    skipping_ = true;
}

void admin_protocol::query(std::string_view sql, std::string& out) {
    prepared_.erase("");
    portals_.clear();
    statements_.clear();
    for (const std::string_view one : split_statements(sql))
        statements_.emplace_back(one);
    at_statement_ = 0;
    if (statements_.empty()) {
        protocol::append_empty_query_response(out);
        protocol::append_ready_for_query(out, session_.status());
        return;
    }
    busy_ = true;
    resume(out);
}

void admin_protocol::resume(std::string& out) {
    if (executing_) return resume_portal(out);
    const std::size_t begin = out.size();
    while (busy_ && out.size() - begin < step_bytes) {
        if (!rows_) {
            next_statement(out);
            continue;
        }
        const progress made = send_rows(*rows_, {}, 0, out);
        if (made == progress::more) return;
        if (made == progress::done) {
            protocol::append_command_complete(out, rows_->tag());
            rows_.reset();
            current_.reset();
        } else {
            finish_query(out);
        }
    }
}

void admin_protocol::next_statement(std::string& out) {
    if (at_statement_ == statements_.size()) {
        finish_query(out);
        return;
    }
    const std::string& text = statements_[at_statement_++];
    const auto refuse = [&](const sql_error& e) {
        fail(e, out);
        finish_query(out);
    };
    if (statements_.size() > 1) {
        if (auto begun = session_.begin_implicit(); !begun) return refuse(begun.error());
    }
    auto made = session_.prepare(text);
    if (!made) return refuse(made.error());
    current_ = std::move(*made);
    if (!current_) return;
    if (current_->parameter_count() > 0)
        return refuse({sqlstate::undefined_object, "there is no parameter $1"});
    auto opened = current_->open({});
    if (!opened) return refuse(opened.error());
    rows_ = std::move(*opened);
    for (const std::string& notice : rows_->notices())
        protocol::append_notice(out, protocol::severity::notice, "00000", notice);
    if (!rows_->columns().empty()) append_row_description(out, rows_->columns(), {});
}

void admin_protocol::finish_query(std::string& out) {
    rows_.reset();
    current_.reset();
    statements_.clear();
    busy_ = false;
    if (auto ended = session_.end_implicit(true); !ended) fail(ended.error(), out);
    protocol::append_ready_for_query(out, session_.status());
}

admin_protocol::progress admin_protocol::send_rows(cursor& rows,
                                                   const std::vector<std::int16_t>& formats,
                                                   std::size_t limit, std::string& out) {
    const std::size_t begin = out.size();
    row r;
    for (std::size_t n = 0; limit == 0 || n < limit; ++n) {
        if (out.size() - begin >= step_bytes) {
            if (limit > 0) rows_left_ = limit - n;
            return progress::more;
        }
        const auto more = rows.next(r);
        if (!more) {
            fail(more.error(), out);
            return progress::failed;
        }
        if (!*more) return progress::done;
        if (!rows.columns().empty()) append_data_row(out, r, rows.columns(), formats);
    }
    return progress::suspended;
}

void admin_protocol::parse(std::string_view body, std::string& out) {
    const auto p = protocol::parse_parse(body);
    if (!p) return violation("invalid message format", out);
    const auto refuse = [&](const sql_error& e) {
        fail(e, out);
        skipping_ = true;
    };
    if (!p->name.empty() && prepared_.contains(p->name))
        return refuse({sqlstate::duplicate_prepared_statement,
                       "prepared statement \"" + std::string(p->name) + "\" already exists"});
    if (split_statements(p->sql).size() > 1)
        return refuse(
            {sqlstate::syntax_error, "cannot insert multiple commands into a prepared statement"});
    auto made = session_.prepare(p->sql);
    if (!made) return refuse(made.error());
    auto fresh = std::make_shared<prepared>();
    fresh->sql = std::move(*made);
    protocol::reader types(p->oids_bytes);
    const std::uint16_t given = types.u16();
    for (std::uint16_t i = 0; i < given && types.ok(); ++i)
        fresh->types.push_back(types.u32());
    if (fresh->sql)
        fresh->types.resize(std::max(fresh->types.size(), fresh->sql->parameter_count()));
    for (std::uint32_t& type : fresh->types)
        if (type == 0) type = oid::text;
    prepared_.insert_or_assign(std::string(p->name), std::move(fresh));
    protocol::append_parse_complete(out);
}

void admin_protocol::bind(std::string_view body, std::string& out) {
    const auto names = protocol::parse_bind(body);
    if (!names) return violation("invalid message format", out);
    const auto found = prepared_.find(names->statement);
    if (found == prepared_.end()) {
        fail({sqlstate::invalid_sql_statement_name,
              names->statement.empty()
                  ? "unnamed prepared statement does not exist"
                  : "prepared statement \"" + std::string(names->statement) + "\" does not exist"},
             out);
        skipping_ = true;
        return;
    }
    portal fresh;
    fresh.of = found->second;
    protocol::reader in(body.substr(names->header_size));
    std::vector<std::int16_t> formats(in.u16());
    for (std::int16_t& f : formats)
        f = in.i16();
    const std::uint16_t count = in.u16();
    const std::size_t wanted = fresh.of->types.size();
    if (!in.ok() || (formats.size() > 1 && formats.size() != count))
        return violation("invalid message format", out);
    if (count != wanted)
        return violation("bind message supplies " + std::to_string(count) +
                             " parameters, but prepared statement \"" +
                             std::string(names->statement) + "\" requires " +
                             std::to_string(wanted),
                         out);
    for (std::uint16_t i = 0; i < count; ++i) {
        const std::int32_t length = in.i32();
        if (length < 0) {
            fresh.parameters.emplace_back();
            continue;
        }
        const std::string_view bytes = in.bytes(static_cast<std::size_t>(length));
        if (!in.ok()) return violation("invalid message format", out);
        auto given = decoded(bytes, fresh.of->types[i], is_binary(formats, i));
        if (!given) {
            fail({"22P03", "incorrect data in bind parameter " + std::to_string(i + 1)}, out);
            skipping_ = true;
            return;
        }
        fresh.parameters.push_back(std::move(*given));
    }
    fresh.formats.resize(in.u16());
    for (std::int16_t& f : fresh.formats)
        f = in.i16();
    if (!in.at_end()) return violation("invalid message format", out);
    const std::size_t columns = fresh.of->sql ? fresh.of->sql->columns().size() : 0;
    if (fresh.formats.size() > 1 && fresh.formats.size() != columns && columns != 0)
        return violation("bind message has " + std::to_string(fresh.formats.size()) +
                             " result formats but query has " + std::to_string(columns) +
                             " columns",
                         out);
    portals_.insert_or_assign(std::string(names->portal), std::move(fresh));
    protocol::append_bind_complete(out);
}

bool admin_protocol::run(portal& p, std::string& out) {
    if (p.rows || p.finished) return true;
    auto opened = p.of->sql->open(p.parameters);
    if (!opened) {
        fail(opened.error(), out);
        skipping_ = true;
        return false;
    }
    p.rows = std::move(*opened);
    for (const std::string& notice : p.rows->notices())
        protocol::append_notice(out, protocol::severity::notice, "00000", notice);
    const std::size_t columns = p.rows->columns().size();
    if (p.formats.size() > 1 && p.formats.size() != columns) {
        violation("bind message has " + std::to_string(p.formats.size()) +
                      " result formats but query has " + std::to_string(columns) + " columns",
                  out);
        return false;
    }
    return true;
}

void admin_protocol::describe(std::string_view body, std::string& out) {
    const auto d = protocol::parse_describe(body);
    if (!d) return violation("invalid message format", out);
    const auto show = [&](const std::vector<column>& columns,
                          const std::vector<std::int16_t>& formats) {
        if (columns.empty()) {
            protocol::append_no_data(out);
        } else {
            append_row_description(out, columns, formats);
        }
    };
    if (d->kind == 'S') {
        const auto found = prepared_.find(d->name);
        if (found == prepared_.end()) {
            fail({sqlstate::invalid_sql_statement_name,
                  "prepared statement \"" + std::string(d->name) + "\" does not exist"},
                 out);
            skipping_ = true;
            return;
        }
        {
            protocol::message_writer message(out, 't');
            message.u16(static_cast<std::uint16_t>(found->second->types.size()));
            for (const std::uint32_t type : found->second->types)
                message.u32(type);
        }
        show(found->second->sql ? found->second->sql->columns() : std::vector<column>(), {});
        return;
    }
    const auto found = portals_.find(d->name);
    if (found == portals_.end()) {
        fail({sqlstate::invalid_cursor_name,
              "portal \"" + std::string(d->name) + "\" does not exist"},
             out);
        skipping_ = true;
        return;
    }
    portal& p = found->second;
    if (!p.of->sql) return show({}, {});
    // What it will show is known best when it has begun.
    if (!run(p, out)) return;
    show(p.rows ? p.rows->columns() : p.of->sql->columns(), p.formats);
}

void admin_protocol::execute(std::string_view body, std::string& out) {
    const auto e = protocol::parse_execute(body);
    if (!e) return violation("invalid message format", out);
    const auto found = portals_.find(e->portal);
    if (found == portals_.end()) {
        fail({sqlstate::invalid_cursor_name,
              "portal \"" + std::string(e->portal) + "\" does not exist"},
             out);
        skipping_ = true;
        return;
    }
    portal& p = found->second;
    if (!p.of->sql) {
        protocol::append_empty_query_response(out);
        return;
    }
    if (p.finished) {
        fail({sqlstate::object_not_in_prerequisite_state,
              "portal \"" + std::string(e->portal) + "\" cannot be run"},
             out);
        skipping_ = true;
        return;
    }
    if (!run(p, out)) return;
    rows_left_ = e->max_rows > 0 ? static_cast<std::size_t>(e->max_rows) : 0;
    executing_ = &p;
    busy_ = true;
    resume_portal(out);
}

void admin_protocol::resume_portal(std::string& out) {
    portal& p = *executing_;
    const progress made = send_rows(*p.rows, p.formats, rows_left_, out);
    if (made == progress::more) return;
    busy_ = false;
    executing_ = nullptr;
    if (made == progress::suspended) {
        protocol::append_message(out, 's', {});
        return;
    }
    if (made == progress::failed) {
        skipping_ = true;
    } else {
        protocol::append_command_complete(out, p.rows->tag());
        p.finished = true;
    }
    p.rows.reset();
}

void admin_protocol::close(std::string_view body, std::string& out) {
    const auto c = protocol::parse_close(body);
    if (!c) return violation("invalid message format", out);
    if (c->kind == 'S') {
        const auto found = prepared_.find(c->name);
        if (found != prepared_.end()) {
            std::erase_if(portals_, [&](const auto& p) { return p.second.of == found->second; });
            prepared_.erase(found);
        }
    } else {
        const auto found = portals_.find(c->name);
        if (found != portals_.end()) portals_.erase(found);
    }
    protocol::append_close_complete(out);
}

void admin_protocol::sync(std::string& out) {
    skipping_ = false;
    // Portals end with their transaction.
    if (session_.status() == 'I') portals_.clear();
    protocol::append_ready_for_query(out, session_.status());
}

}  // namespace howdah::admin
