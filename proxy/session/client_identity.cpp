#include "proxy/session/client_identity.hpp"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bit>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "proxy/late_result.hpp"
#include "proxy/worker.hpp"

namespace howdah::proxy {
namespace {

/// Longer than any directory service should take; connect_timeout_client ends it before.
constexpr std::chrono::seconds look_up_limit{60};

std::optional<std::string> name_of(uid_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    std::vector<char> buffer(4096);
    int failed = 0;
    while ((failed = ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found)) == ERANGE &&
           buffer.size() < (1U << 20))
        buffer.resize(buffer.size() * 2);
    if (failed != 0 || found == nullptr) return std::nullopt;
    return std::string(entry.pw_name);
}

std::optional<conf::ip_address> to_address(const sockaddr* from) {
    if (from == nullptr) return std::nullopt;
    if (from->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, from, sizeof v4);
        return conf::ip_from_bytes(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr), false);
    }
    if (from->sa_family == AF_INET6) {
        sockaddr_in6 v6{};
        std::memcpy(&v6, from, sizeof v6);
        return conf::ip_from_bytes(v6.sin6_addr.s6_addr, true);
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::string> certificate_owner(SSL* ssl) {
    if (ssl == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
    return protocol::common_name(SSL_get0_peer_certificate(ssl));
}

boost::asio::awaitable<std::optional<std::string>> peer_user(worker& w,
                                                             protocol::stream_socket& socket) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
        co_return std::nullopt;
    late_result<std::optional<std::string>> name(w.io);
    boost::asio::post(w.shared.helpers,
                      [uid = who.uid, answer = name.answer()] { answer(name_of(uid)); });
    std::optional<std::optional<std::string>> found = co_await name.wait(look_up_limit);
    co_return found ? std::move(*found) : std::nullopt;
}

conf::ip_address peer_address(const protocol::stream_socket& socket) {
    boost::system::error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return {};
    return to_address(reinterpret_cast<const sockaddr*>(peer.data())).value_or(conf::ip_address{});
}

own_networks local_networks() {
    own_networks result;
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0)
        throw std::runtime_error(
            std::string("hba_rules: samehost and samenet need the addresses of "
                        "this host, which cannot be read: ") +
            std::strerror(errno));
    for (const ifaddrs* one = all; one != nullptr; one = one->ifa_next) {
        const auto address = to_address(one->ifa_addr);
        if (!address) continue;
        conf::ip_range network{*address, address->v6 ? 128 : 32};
        if (one->ifa_netmask != nullptr) {
            network.prefix = 0;
            // A mask may lack the family of its address.
            sockaddr_storage copy{};
            std::memcpy(&copy, one->ifa_netmask,
                        address->v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
            copy.ss_family = one->ifa_addr->sa_family;
            const auto mask = to_address(reinterpret_cast<const sockaddr*>(&copy));
            for (std::size_t i = 0; i < (address->v6 ? 16U : 4U); ++i)
                network.prefix += std::popcount(mask->bytes[i]);
        }
        result.push_back(network);
    }
    ::freeifaddrs(all);
    return result;
}

}  // namespace howdah::proxy
