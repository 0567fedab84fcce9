#include "protocol/io/tls.hpp"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <functional>

#include "protocol/io/gather.hpp"
#include "protocol/io/stream.hpp"
#include "protocol/io/task_gate.hpp"
#include "tests/unit/io/certificate.hpp"
#include "tests/unit/io/sockets.hpp"

namespace howdah::protocol {
namespace {

namespace asio = boost::asio;
using test::make_certificate;
using test::pattern;

/// An authority, a server certificate from it, and their files.
struct authority {
    authority() {
        test::write_pem(folder.file("ca.pem"), ca.get());
        test::write_pem(folder.file("server.pem"), server.get());
        test::write_pem(folder.file("server.key"), key.get());
        test::write_pem(folder.file("other-ca.pem"), other_ca.get());
        test::write_pem(folder.file("other.key"), ca_key.get());
    }
    [[nodiscard]] tls_files server_files() const {
        return {folder.file("server.pem"), folder.file("server.key"), {}, {}};
    }
    [[nodiscard]] tls_files client_files(const char* trusted = "ca.pem") const {
        return {{}, {}, folder.file(trusted), {}};
    }

    test::temporary_folder folder;
    test::private_key ca_key = test::make_ec_key();
    test::certificate ca = make_certificate(ca_key.get(), "test authority", EVP_sha256());
    test::private_key key = test::make_ec_key();
    test::certificate server =
        make_certificate(key.get(), "db.example", EVP_sha256(), "DNS:db.example,IP:127.0.0.1",
                         ca.get(), ca_key.get());
    test::certificate other_ca = make_certificate(ca_key.get(), "stranger", EVP_sha256());
};

class Tls : public ::testing::Test {
protected:
    static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }

    /// Lets both sides of a connection shake hands as far as they come.
    static std::pair<io_result, io_result> shake(test::stream_pair& pair) {
        io_result client;
        io_result server;
        client.what = server.what = io_result::status::want_read;
        for (int i = 0; i < 20 && (client.blocked() || server.blocked()); ++i) {
            if (client.blocked()) client = pair.near.handshake();
            if (server.blocked()) server = pair.far.handshake();
            if (client.closed()) pair.near.close();
            if (server.closed()) pair.far.close();
            if (!pair.near.is_open() || !pair.far.is_open()) break;
        }
        return {client, server};
    }
    test::stream_pair secured(int send_buffer = 0) {
        auto pair = test::connected_pair(io_, send_buffer);
        EXPECT_TRUE(pair.near.start_tls(client_, stream::role::client, "db.example", true));
        EXPECT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
        const auto [client, server] = shake(pair);
        EXPECT_TRUE(client.ok()) << pair.near.tls_error();
        EXPECT_TRUE(server.ok()) << pair.far.tls_error();
        return pair;
    }
    static std::string read_while_ok(stream& from) { return test::read_available(from); }

    asio::io_context io_;
    authority files_;
    tls_context server_ = make_server_tls(files_.server_files());
    tls_context client_ = make_client_tls(files_.client_files(), sslmode::verify_full);
};

TEST_F(Tls, shakes_hands_and_agrees_on_postgresql) {
    auto pair = secured();
    EXPECT_TRUE(pair.near.is_tls() && pair.far.is_tls());
    for (stream* s : {&pair.near, &pair.far}) {
        const unsigned char* chosen = nullptr;
        unsigned length = 0;
        SSL_get0_alpn_selected(s->ssl(), &chosen, &length);
        EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(chosen), length), "postgresql");
    }
    EXPECT_GE(SSL_version(pair.near.ssl()), TLS1_2_VERSION);
    EXPECT_STREQ(SSL_get_servername(pair.far.ssl(), TLSEXT_NAMETYPE_host_name), "db.example");
}

TEST_F(Tls, a_client_without_alpn_is_served_and_one_with_another_protocol_is_not) {
    {
        auto pair = test::connected_pair(io_);
        const auto plain = make_client_tls({}, sslmode::require);
        SSL_CTX_set_alpn_protos(plain.get(), nullptr, 0);
        ASSERT_TRUE(pair.near.start_tls(plain, stream::role::client, {}, false));
        ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
        const auto [client, server] = shake(pair);
        EXPECT_TRUE(client.ok() && server.ok());
    }
    auto pair = test::connected_pair(io_);
    const auto web = make_client_tls({}, sslmode::require);
    SSL_CTX_set_alpn_protos(web.get(), reinterpret_cast<const unsigned char*>("\x02h2"), 3);
    ASSERT_TRUE(pair.near.start_tls(web, stream::role::client, {}, false));
    ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
    const auto [client, server] = shake(pair);
    EXPECT_TRUE(server.closed());
    EXPECT_FALSE(pair.far.tls_error().empty());
}

TEST_F(Tls, verifies_as_much_as_the_mode_says) {
    struct row {
        sslmode mode;
        const char* trusted;
        const char* name;
        bool accepted;
    };
    const row rows[] = {
        {sslmode::require, "ca.pem", "db.example", true},
        {sslmode::require, "other-ca.pem", "elsewhere", true},
        {sslmode::verify_ca, "ca.pem", "elsewhere", true},
        {sslmode::verify_ca, "other-ca.pem", "db.example", false},
        {sslmode::verify_full, "ca.pem", "db.example", true},
        {sslmode::verify_full, "ca.pem", "127.0.0.1", true},
        {sslmode::verify_full, "ca.pem", "elsewhere", false},
        {sslmode::verify_full, "ca.pem", "127.0.0.2", false},
        {sslmode::verify_full, "other-ca.pem", "db.example", false},
    };
    for (const row& r : rows) {
        SCOPED_TRACE(std::to_string(static_cast<int>(r.mode)) + " " + r.trusted + " " + r.name);
        auto pair = test::connected_pair(io_);
        const auto context = make_client_tls(files_.client_files(r.trusted), r.mode);
        ASSERT_TRUE(pair.near.start_tls(context, stream::role::client, r.name,
                                        r.mode == sslmode::verify_full));
        ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
        const auto [client, server] = shake(pair);
        EXPECT_EQ(client.ok(), r.accepted) << pair.near.tls_error();
        EXPECT_EQ(pair.near.tls_error().empty(), r.accepted);
        const char* sni = SSL_get_servername(pair.far.ssl(), TLSEXT_NAMETYPE_host_name);
        EXPECT_EQ(sni == nullptr, std::string_view(r.name).starts_with("127.")) << "RFC 6066";
    }
}

TEST_F(Tls, garbage_in_place_of_a_handshake_fails_with_a_reason) {
    auto pair = test::connected_pair(io_);
    ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
    iovec part{const_cast<char*>("GET / HTTP/1.0\r\n\r\n"), 18};
    (void)pair.near.write(&part, 1);
    const io_result outcome = pair.far.handshake();
    EXPECT_EQ(outcome.what, io_result::status::failed);
    EXPECT_FALSE(pair.far.tls_error().empty());
}

TEST_F(Tls, a_peer_that_goes_away_during_the_handshake_is_an_end) {
    auto pair = test::connected_pair(io_);
    ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
    EXPECT_EQ(pair.far.handshake().what, io_result::status::want_read);
    pair.near.close();
    EXPECT_TRUE(pair.far.handshake().closed());
}

TEST_F(Tls, reads_and_writes_never_block) {
    auto pair = secured();
    char byte;
    EXPECT_EQ(pair.near.read(&byte, 1).what, io_result::status::want_read);
    EXPECT_EQ(pair.far.read(&byte, 1).what, io_result::status::want_read);
}

// As PostgreSQL's: nobody resumes a session, and unread tickets turn a client's close into a reset
// that destroys what it sent last.
TEST_F(Tls, offers_no_session_tickets) {
    auto pair = secured();
    char byte;
    EXPECT_EQ(pair.near.peek(&byte, 1).what, io_result::status::want_read);
}

TEST_F(Tls, small_parts_share_a_record) {
    auto pair = secured();
    const std::string text = "abcdef";
    iovec parts[] = {{const_cast<char*>(text.data()), 2},
                     {const_cast<char*>(text.data()) + 2, 1},
                     {const_cast<char*>(text.data()) + 3, 3}};
    EXPECT_EQ(pair.near.write(parts, 3).bytes, 6U);
    char bytes[16];
    EXPECT_EQ(pair.far.read(bytes, sizeof bytes).bytes, 6U) << "one record is one read";
}

TEST_F(Tls, decrypted_bytes_that_no_event_announces_are_known) {
    auto pair = secured();
    iovec part{const_cast<char*>("0123456789"), 10};
    ASSERT_EQ(pair.near.write(&part, 1).bytes, 10U);
    char bytes[4];
    EXPECT_FALSE(pair.far.has_buffered_input());
    EXPECT_EQ(pair.far.read(bytes, 4).bytes, 4U);
    EXPECT_TRUE(pair.far.has_buffered_input());
    EXPECT_EQ(test::read_available(pair.far), "456789");
    EXPECT_FALSE(pair.far.has_buffered_input());
}

TEST_F(Tls, closing_is_an_end_of_file_for_the_peer) {
    auto pair = secured();
    iovec part{const_cast<char*>("bye"), 3};
    (void)pair.near.write(&part, 1);
    pair.near.close();
    EXPECT_EQ(test::read_available(pair.far), "bye");
    char byte;
    EXPECT_EQ(pair.far.read(&byte, 1).what, io_result::status::end_of_file);
}

TEST_F(Tls, a_connection_cut_without_a_goodbye_is_an_end_of_file_too) {
    auto pair = secured();
    ::shutdown(pair.near.socket().native_handle(), SHUT_RDWR);
    char byte;
    EXPECT_EQ(pair.far.read(&byte, 1).what, io_result::status::end_of_file);
}

TEST_F(Tls, bytes_arrive_intact_over_writes_that_are_refused_and_repeated) {
    auto pair = secured(1);
    gather out;
    backlog left;
    std::string expected;
    std::string received;
    for (unsigned turn = 0; turn < 60; ++turn) {
        const std::string range = pattern(turn * 777 + 1, turn);
        const std::string made = pattern(turn * 13 % 500 + 1, turn + 1000);
        out.add(std::string_view(range).substr(0, range.size() / 2));
        out.generated() += made;
        out.commit();
        out.add(std::string_view(range).substr(range.size() / 2));
        expected += range.substr(0, range.size() / 2) + made + range.substr(range.size() / 2);
        ASSERT_FALSE(out.flush(pair.near, left).closed()) << pair.near.tls_error();
        if (turn % 3 == 0) received += test::read_available(pair.far, 5000);
    }
    io_result rest;
    do {
        received += test::read_available(pair.far);
        rest = flush_backlog(pair.near, left);
        ASSERT_FALSE(rest.closed()) << pair.near.tls_error();
    } while (!rest.ok());
    received += test::read_available(pair.far);
    ASSERT_EQ(received.size(), expected.size());
    EXPECT_TRUE(received == expected);
}

TEST_F(Tls, a_part_larger_than_a_record_is_taken_in_pieces) {
    auto pair = secured();
    const std::string bytes = pattern(100000);
    iovec part{const_cast<char*>(bytes.data()), bytes.size()};
    const io_result sent = pair.near.write(&part, 1);
    ASSERT_TRUE(sent.ok());
    EXPECT_LE(sent.bytes, 16384U);
    EXPECT_EQ(test::read_available(pair.far), bytes.substr(0, sent.bytes));
}

asio::awaitable<void> serve(stream& s, std::size_t size, std::string& received, io_result& shaken) {
    shaken = co_await s.async_handshake();
    char chunk[2000];
    while (shaken.ok() && received.size() < size) {
        const io_result got = co_await s.async_read_some(chunk, sizeof chunk);
        if (!got.ok()) break;
        received.append(chunk, got.bytes);
    }
    s.close();
}
asio::awaitable<void> talk(stream& s, const std::string& bytes, io_result& shaken, io_result& sent,
                           io_result& end) {
    shaken = co_await s.async_handshake();
    if (!shaken.ok()) co_return;
    sent = co_await s.async_write_all(bytes);
    char byte;
    end = co_await s.async_read_some(&byte, 1);
}

TEST_F(Tls, works_over_tcp_with_the_event_loop) {
    asio::ip::tcp::acceptor acceptor(io_, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(io_);
    client.connect(acceptor.local_endpoint());
    asio::ip::tcp::socket accepted = acceptor.accept();
    test::stream_pair pair{test::adopt(io_, client.release(), AF_INET),
                           test::adopt(io_, accepted.release(), AF_INET)};
    ASSERT_TRUE(pair.near.start_tls(client_, stream::role::client, "127.0.0.1", true));
    ASSERT_TRUE(pair.far.start_tls(server_, stream::role::server, {}, false));
    const std::string bytes = pattern(3 << 20);
    std::string received;
    io_result near_shaken;
    io_result far_shaken;
    io_result sent;
    io_result end;
    task_gate gate(io_, [](std::exception_ptr) { FAIL() << "a task threw"; });
    gate.spawn(serve(pair.far, bytes.size(), received, far_shaken));
    gate.spawn(talk(pair.near, bytes, near_shaken, sent, end));
    io_.run();
    EXPECT_TRUE(near_shaken.ok()) << pair.near.tls_error();
    EXPECT_TRUE(far_shaken.ok()) << pair.far.tls_error();
    EXPECT_EQ(sent.bytes, bytes.size());
    EXPECT_TRUE(received == bytes);
    EXPECT_EQ(end.what, io_result::status::end_of_file);
}

TEST_F(Tls, a_secured_stream_moves_to_another_io_context) {
    auto pair = secured();
    iovec part{const_cast<char*>("0123456789"), 10};
    (void)pair.near.write(&part, 1);
    char bytes[4];
    (void)pair.far.read(bytes, 4);
    asio::io_context other;
    stream moved = std::move(pair.far).move_to(other);
    EXPECT_TRUE(moved.is_tls());
    EXPECT_EQ(test::read_available(moved), "456789");
    (void)moved.write(&part, 1);
    EXPECT_EQ(test::read_available(pair.near), "0123456789");
}

TEST_F(Tls, bad_files_are_named) {
    const auto complaint = [](const std::function<void()>& make) -> std::string {
        try {
            make();
        } catch (const std::runtime_error& e) {
            return e.what();
        }
        return "accepted";
    };
    const auto has = [&](const tls_files& files, std::string_view part) {
        const std::string why = complaint([&] { (void)make_server_tls(files); });
        EXPECT_NE(why.find(part), std::string::npos) << why;
    };
    const auto good = files_.server_files();
    has({"/nonexistent.pem", good.key, {}, {}}, "certificate \"/nonexistent.pem\"");
    has({good.cert, "/nonexistent.key", {}, {}}, "private key \"/nonexistent.key\"");
    has({good.key, good.key, {}, {}}, "certificate \"" + good.key + "\"");
    has({good.cert, files_.folder.file("other.key"), {}, {}}, files_.folder.file("other.key"));
    has({good.cert, good.key, "/nonexistent.ca", {}}, "CA file \"/nonexistent.ca\"");
    has({good.cert, good.key, {}, "/nonexistent.crl"}, "CRL file \"/nonexistent.crl\"");
    const std::string why = complaint([] {
        (void)make_client_tls({{}, {}, "/nonexistent.ca", {}}, sslmode::verify_ca);
    });
    EXPECT_NE(why.find("CA file \"/nonexistent.ca\""), std::string::npos) << why;
}

TEST_F(Tls, an_encrypted_key_is_an_error_and_nobody_is_asked_for_its_passphrase) {
    const std::string path = files_.folder.file("encrypted.key");
    {
        const std::unique_ptr<std::FILE, test::openssl_deleter> f(std::fopen(path.c_str(), "w"));
        const auto* phrase = reinterpret_cast<const unsigned char*>("phrase");
        ASSERT_EQ(PEM_write_PrivateKey(f.get(), files_.key.get(), EVP_aes_128_cbc(), phrase, 6,
                                       nullptr, nullptr),
                  1);
    }
    tls_files encrypted = files_.server_files();
    encrypted.key = path;
    EXPECT_THROW((void)make_server_tls(encrypted), std::runtime_error);
}

TEST_F(Tls, a_client_may_show_a_certificate_which_then_must_be_valid) {
    tls_files asks = files_.server_files();
    asks.ca = files_.folder.file("ca.pem");
    const tls_context server = make_server_tls(asks);
    const auto shake_with = [&](const tls_files& mine) {
        auto pair = test::connected_pair(io_);
        EXPECT_TRUE(pair.near.start_tls(make_client_tls(mine, sslmode::require),
                                        stream::role::client, {}, false));
        EXPECT_TRUE(pair.far.start_tls(server, stream::role::server, {}, false));
        const auto [near, far] = shake(pair);
        if (!far.ok()) return "refused: " + pair.far.tls_error();
        return common_name(SSL_get0_peer_certificate(pair.far.ssl())).value_or("nobody");
    };
    const auto save = [&](const std::string& name, X509* cert, EVP_PKEY* key) {
        test::write_pem(files_.folder.file(name + ".pem"), cert);
        test::write_pem(files_.folder.file(name + ".key"), key);
        return tls_files{
            files_.folder.file(name + ".pem"), files_.folder.file(name + ".key"), {}, {}};
    };
    const auto key = test::make_ec_key();
    const auto anna =
        make_certificate(key.get(), "anna", EVP_sha256(), {}, files_.ca.get(), files_.ca_key.get());
    const auto stranger = make_certificate(key.get(), "anna", EVP_sha256());
    EXPECT_EQ(shake_with({}), "nobody");
    EXPECT_EQ(shake_with(save("anna", anna.get(), key.get())), "anna");
    EXPECT_EQ(shake_with(save("stranger", stranger.get(), key.get())),
              "refused: self-signed certificate");
}

TEST_F(Tls, the_oldest_version_can_be_raised) {
    tls_files strict = files_.server_files();
    strict.only_tls_1_3 = true;
    const auto old = make_client_tls(files_.client_files(), sslmode::require);
    SSL_CTX_set_max_proto_version(old.get(), TLS1_2_VERSION);
    for (const bool refused : {false, true}) {
        auto pair = test::connected_pair(io_);
        const auto server = make_server_tls(refused ? strict : files_.server_files());
        ASSERT_TRUE(pair.near.start_tls(old, stream::role::client, {}, false));
        ASSERT_TRUE(pair.far.start_tls(server, stream::role::server, {}, false));
        const auto [client, far] = shake(pair);
        EXPECT_EQ(far.ok(), !refused);
    }
}

TEST_F(Tls, contexts_are_told_apart_by_their_certificate) {
    const auto same = make_server_tls(files_.server_files());
    EXPECT_EQ(fingerprint(same), fingerprint(server_));
    EXPECT_EQ(fingerprint(same).size(), 64U);
    tls_files other = files_.server_files();
    other.cert = files_.folder.file("ca.pem");
    other.key = files_.folder.file("other.key");
    EXPECT_NE(fingerprint(make_server_tls(other)), fingerprint(server_));
    EXPECT_EQ(fingerprint(nullptr), "");
}

TEST(CommonName, is_the_first_one_and_none_with_a_nul_inside) {
    const auto key = test::make_ec_key();
    const auto cert = make_certificate(key.get(), "anna", EVP_sha256());
    EXPECT_EQ(common_name(cert.get()), "anna");
    EXPECT_EQ(common_name(nullptr), std::nullopt);
    X509_NAME* subject = X509_get_subject_name(cert.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("second"), -1, -1, 0);
    EXPECT_EQ(common_name(cert.get()), "anna");
    const test::certificate evil(X509_new());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(evil.get()), "CN", V_ASN1_UTF8STRING,
                               reinterpret_cast<const unsigned char*>("anna\0x"), 6, -1, 0);
    EXPECT_EQ(common_name(evil.get()), std::nullopt);
    const test::certificate nameless(X509_new());
    EXPECT_EQ(common_name(nameless.get()), std::nullopt);
}

std::string hash(X509* cert, const EVP_MD* digest) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(cert, &der);
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_Digest(der, static_cast<std::size_t>(size), out, &length, digest, nullptr);
    OPENSSL_free(der);
    return {reinterpret_cast<char*>(out), length};
}

// RFC 5929 section 4.1.
TEST(TlsServerEndPoint, is_the_hash_of_the_certificate_with_its_signatures_digest) {
    const auto ec = test::make_ec_key();
    const auto rsa = test::make_rsa_key();
    for (const auto& [signed_with, hashed_with] :
         {std::pair{EVP_sha256(), EVP_sha256()}, std::pair{EVP_sha384(), EVP_sha384()},
          std::pair{EVP_sha512(), EVP_sha512()}, std::pair{EVP_sha224(), EVP_sha224()},
          std::pair{EVP_sha1(), EVP_sha256()}}) {
        for (EVP_PKEY* key : {ec.get(), rsa.get()}) {
            const auto cert = make_certificate(key, "db", signed_with);
            EXPECT_EQ(tls_server_end_point(cert.get()), hash(cert.get(), hashed_with))
                << EVP_MD_get0_name(signed_with);
        }
    }
    const auto md5 = make_certificate(rsa.get(), "db", EVP_md5());
    EXPECT_EQ(tls_server_end_point(md5.get()), hash(md5.get(), EVP_sha256()));
}

TEST(TlsServerEndPoint, is_empty_where_there_is_no_digest) {
    EXPECT_EQ(tls_server_end_point(nullptr), "");
    const test::private_key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    const auto cert = make_certificate(key.get(), "db", nullptr);
    EXPECT_EQ(tls_server_end_point(cert.get()), "");
}

}  // namespace
}  // namespace howdah::protocol
