#include "proxy/pool/server_connection.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>

namespace howdah::proxy {

void reported_parameters::set(std::string_view name, std::string_view value) {
    const auto it =
        std::find_if(all_.begin(), all_.end(), [&](const auto& p) { return p.first == name; });
    if (it != all_.end()) {
        it->second = value;
    } else {
        all_.emplace_back(name, value);
    }
}

const std::string* reported_parameters::find(std::string_view name) const {
    const auto it =
        std::find_if(all_.begin(), all_.end(), [&](const auto& p) { return p.first == name; });
    return it == all_.end() ? nullptr : &it->second;
}

using protocol::stream;

server_connection::server_connection(parts p, protocol::buffer_pool& buffers, server_owner& owner)
    : in(buffers), parts_(std::move(p)), owner_(&owner) {}

void server_connection::want_read() {
    if (reading_ || closed_) return;
    reading_ = true;
    parts_.stream.wait(stream::wait_type::wait_read,
                       [self = server_ptr(this)](const boost::system::error_code& ec) {
                           self->reading_ = false;
                           if (!self->closed_ && ec != boost::asio::error::operation_aborted)
                               self->owner_->on_server_readable(*self);
                       });
}

void server_connection::want_write() {
    if (writing_ || closed_) return;
    writing_ = true;
    parts_.stream.wait(stream::wait_type::wait_write,
                       [self = server_ptr(this)](const boost::system::error_code& ec) {
                           self->writing_ = false;
                           if (!self->closed_ && ec != boost::asio::error::operation_aborted)
                               self->owner_->on_server_writable(*self);
                       });
}

void server_connection::close() {
    if (closed_) return;
    closed_ = true;
    end_use();
    parts_.stream.close();
}

}  // namespace howdah::proxy
