#include "admin/server/local_peer.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace howdah::admin {

bool is_local(const protocol::stream_socket& socket) {
    boost::system::error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return false;
    const auto* address = static_cast<const sockaddr*>(peer.data());
    if (address->sa_family == AF_UNIX) return true;
    if (address->sa_family == AF_INET) {
        const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
        return boost::asio::ip::address_v4(ntohl(v4->sin_addr.s_addr)).is_loopback();
    }
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    boost::asio::ip::address_v6::bytes_type bytes;
    std::copy_n(v6->sin6_addr.s6_addr, bytes.size(), bytes.begin());
    const boost::asio::ip::address_v6 given(bytes);
    if (given.is_v4_mapped())
        return make_address_v4(boost::asio::ip::v4_mapped, given).is_loopback();
    return given.is_loopback();
}

}  // namespace howdah::admin
