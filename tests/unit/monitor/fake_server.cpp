#include "tests/unit/monitor/fake_server.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <optional>

namespace howdah::monitor::test {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using cells = std::vector<std::optional<std::string>>;

std::string number(std::uint32_t value, int bytes) {
    std::string out;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xff);
    return out;
}

std::string message(char type, const std::string& body) {
    return type + number(static_cast<std::uint32_t>(body.size()) + 4, 4) + body;
}

std::string text(const std::string& value) {
    return value + '\0';
}

std::string ready() {
    return message('Z', "I");
}

std::string error(const std::string& severity, const std::string& sqlstate) {
    return message('E', "S" + text(severity) + "V" + text(severity) + "C" + text(sqlstate) + "M" +
                            text("scripted refusal") + '\0');
}

std::string row_of(const cells& row) {
    std::string values = number(static_cast<std::uint32_t>(row.size()), 2);
    for (const auto& cell : row)
        values += cell ? number(static_cast<std::uint32_t>(cell->size()), 4) + *cell
                       : number(0xffffffff, 4);
    return message('D', values);
}

std::string columns(std::uint32_t width) {
    std::string out = number(width, 2);
    for (std::uint32_t i = 0; i < width; ++i)
        out += text("c") + number(0, 4) + number(0, 2) + number(25, 4) + number(0xffff, 2) +
               number(0xffffffff, 4) + number(0, 2);
    return message('T', out);
}

std::string table(const cells& row) {
    return columns(static_cast<std::uint32_t>(row.size())) + row_of(row) +
           message('C', text("SELECT 1"));
}

std::string table(const std::vector<std::vector<std::string>>& rows, std::uint32_t width) {
    std::string out = columns(width);
    for (const auto& row : rows)
        out += row_of(cells(row.begin(), row.end()));
    return out + message('C', text("SELECT"));
}

}  // namespace

class fake_server::session : public std::enable_shared_from_this<session> {
public:
    session(fake_server& owner, tcp::socket socket) : owner_(&owner), socket_(std::move(socket)) {}

    void start() { read_message(0); }

    void close() {
        owner_ = nullptr;
        boost::system::error_code ignored;
        socket_.close(ignored);
    }

private:
    /// `type_bytes`: 0 for the startup message, 1 for all that follow.
    void read_message(std::size_t type_bytes) {
        asio::async_read(socket_, asio::buffer(head_, type_bytes + 4),
                         [self = shared_from_this(), type_bytes](auto failed, std::size_t) {
                             if (failed || !self->owner_) return;
                             std::size_t length = 0;
                             for (std::size_t i = 0; i < 4; ++i)
                                 length = length << 8 |
                                          static_cast<unsigned char>(self->head_[type_bytes + i]);
                             self->read_body(type_bytes, length - 4);
                         });
    }

    void read_body(std::size_t type_bytes, std::size_t length) {
        body_.resize(length);
        asio::async_read(socket_, asio::buffer(body_),
                         [self = shared_from_this(), type_bytes](auto failed, std::size_t) {
                             if (failed || !self->owner_) return;
                             if (type_bytes == 0) return self->log_in();
                             if (self->head_[0] == 'Q') return self->answer();
                             self->extended();
                         });
    }

    /// Parse, Bind, Describe, Execute, Sync of one statement with one parameter.
    void extended() {
        if (head_[0] == 'P') {
            const auto begin = body_.find('\0') + 1;
            statement_ = body_.substr(begin, body_.find('\0', begin) - begin);
        } else if (head_[0] == 'B') {
            // portal, statement, no formats, one value, one result format
            const auto value = body_.find('\0', body_.find('\0') + 1) + 1 + 2 + 2 + 4;
            parameter_ = body_.substr(value, body_.size() - value - 4);
        } else if (head_[0] == 'S') {
            return answer_parameter();
        }
        read_message(1);
    }

    void answer_parameter() {
        owner_->queries.push_back("$1=" + parameter_ + " " + statement_);
        if (owner_->behaviour == manner::hang_at_query) return;
        if (owner_->behaviour == manner::drop_at_query) return end();
        if (!owner_->query_sqlstate.empty())
            return send(error("ERROR", owner_->query_sqlstate) + ready(), false);
        std::string rows;
        std::uint32_t width = 2;
        for (const auto& row : owner_->passwords[parameter_]) {
            width = static_cast<std::uint32_t>(row.size());
            rows += row_of(row);
        }
        send(message('1', "") + message('2', "") + columns(width) + rows +
                 message('C', text("SELECT")) + ready(),
             false);
    }

    void log_in() {
        ++owner_->logins;
        switch (owner_->behaviour) {
            case manner::hang_at_login:
                return;
            case manner::refuse_login:
                return send(error("FATAL", owner_->refusal_sqlstate), true);
            default:
                send(message('R', number(0, 4)) + ready(), false);
        }
    }

    void answer() {
        body_.pop_back();
        owner_->queries.push_back(body_);
        if (owner_->behaviour == manner::hang_at_query) return;
        if (owner_->behaviour == manner::drop_at_query) return end();
        if (body_.empty()) return send(message('I', "") + ready(), false);
        if (owner_->behaviour == manner::hang_at_role_check) return;
        if (body_.find("md5") != body_.npos)
            return send(table(cells{owner_->fingerprint}) + ready(), false);
        if (body_.find("pg_proc") != body_.npos)
            return send(table(owner_->functions, 3) + ready(), false);
        const std::string in_recovery = owner_->standby ? "t" : "f";
        if (body_ == "SELECT pg_catalog.pg_is_in_recovery()")
            return send(table(cells{in_recovery}) + ready(), false);
        if (!owner_->full_check_allowed) return send(error("ERROR", "42501") + ready(), false);
        const auto none = std::optional<std::string>();
        if (body_.find("pg_current_wal_flush_lsn") != body_.npos) {
            if (!owner_->sample_allowed) return send(error("ERROR", "42501") + ready(), false);
            const auto lsn = std::optional(std::to_string(owner_->lsn));
            return send(table(cells{in_recovery, std::to_string(owner_->timeline), lsn,
                                    owner_->standby ? none : lsn, none}) +
                            ready(),
                        false);
        }
        const auto position = std::optional<std::string>("1000");
        send(table(cells{in_recovery, std::to_string(owner_->timeline),
                         std::to_string(owner_->system_identifier),
                         owner_->standby ? none : position, owner_->standby ? position : none,
                         owner_->standby ? position : none, in_recovery, "off", "170000"}) +
                 ready(),
             false);
    }

    void send(std::string bytes, bool last) {
        out_ = std::move(bytes);
        asio::async_write(socket_, asio::buffer(out_),
                          [self = shared_from_this(), last](auto failed, std::size_t) {
                              if (failed || !self->owner_) return;
                              if (last) return self->end();
                              self->read_message(1);
                          });
    }

    void end() {
        owner_->sessions_.erase(shared_from_this());
        close();
    }

    fake_server* owner_;
    tcp::socket socket_;
    std::array<char, 5> head_{};
    std::string body_;
    std::string out_;
    std::string statement_;
    std::string parameter_;
};

fake_server::fake_server(asio::io_context& io) : io_(io) {
    revive();
}

fake_server::fake_server(asio::io_context& io, const fake_server& beside,
                         const std::string& address)
    : io_(io), address_(address), port_(beside.port_) {
    revive();
}

fake_server::~fake_server() {
    kill();
}

void fake_server::revive() {
    const tcp::endpoint address(asio::ip::make_address(address_), port_);
    acceptor_ = std::make_unique<tcp::acceptor>(io_, address, true);
    port_ = acceptor_->local_endpoint().port();
    accept();
}

void fake_server::accept() {
    acceptor_->async_accept([this](boost::system::error_code failed, tcp::socket socket) {
        if (failed) return;
        const auto one = std::make_shared<session>(*this, std::move(socket));
        sessions_.insert(one);
        one->start();
        accept();
    });
}

void fake_server::kill() {
    acceptor_.reset();
    end_sessions();
}

void fake_server::end_sessions() {
    for (const auto& one : std::exchange(sessions_, {}))
        one->close();
}

}  // namespace howdah::monitor::test
