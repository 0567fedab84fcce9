#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/system/result.hpp>

/// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; channel binding tls-server-end-point,
/// RFC 5929), in the dialect of PostgreSQL: the user name inside the SCRAM messages is ignored, no
/// authorization identity, no extensions. Pure state machines: no I/O; key derivation is CPU work
/// of some milliseconds on the calling thread.
namespace howdah::protocol {

inline constexpr std::string_view scram_sha_256 = "SCRAM-SHA-256";
inline constexpr std::string_view scram_sha_256_plus = "SCRAM-SHA-256-PLUS";

inline constexpr int scram_default_iterations = 4096;
/// What we let a server ask of us: about a second of CPU. PostgreSQL's default is 4096.
inline constexpr int scram_max_iterations = 1'000'000;
/// Bounds on what a peer may send; PostgreSQL's own nonces are 24 characters, its salts 16 bytes.
inline constexpr std::size_t scram_max_nonce = 512;
inline constexpr std::size_t scram_max_salt = 512;
inline constexpr std::size_t scram_max_message = 4096;

using scram_key = std::array<std::uint8_t, 32>;

/// What a server stores instead of a password (pg_authid.rolpassword).
struct scram_verifier {
    int iterations = scram_default_iterations;
    std::string salt;  ///< raw bytes
    scram_key stored_key{};
    scram_key server_key{};
};

/// Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`; nothing if it is not exactly
/// that. Use it also to tell a verifier from a password.
[[nodiscard]] std::optional<scram_verifier> parse_verifier(std::string_view text);
[[nodiscard]] std::string format_verifier(const scram_verifier& verifier);

/// Derives a verifier. `salt` is raw bytes; `iterations` at least 1. Throws std::runtime_error if
/// OpenSSL fails, as everything below that hashes.
[[nodiscard]] scram_verifier make_verifier(std::string_view password, std::string salt,
                                           int iterations = scram_default_iterations);
/// Whether this is the verifier's password (cleartext authentication).
[[nodiscard]] bool verifier_matches(const scram_verifier& verifier, std::string_view password);
/// A verifier for a user who does not exist: no password matches, the salt is always the same for
/// the same user and secret, so that an outsider cannot tell. `secret` is random, per process or
/// per installation.
[[nodiscard]] scram_verifier mock_verifier(std::string_view user, std::string_view secret);

/// 18 random bytes in base64, as PostgreSQL makes its nonces. Throws std::runtime_error if the
/// system has no randomness.
[[nodiscard]] std::string random_nonce();

/// Why an exchange failed. From scram_server it is meant for an ErrorResponse (FATAL) to the
/// client; an empty message with 28P01 means a wrong password, whose wording is the caller's
/// ("password authentication failed for user ..."). From scram_client it says what is wrong with
/// the server.
struct scram_error {
    scram_error() = default;
    scram_error(std::string_view state, std::string text, std::string more = {})
        : sqlstate(state), message(std::move(text)), detail(std::move(more)) {}

    std::string_view sqlstate;
    std::string message;
    std::string detail;
};

/// The server's side of one exchange.
class scram_server {
public:
    enum class state { initial, response, done, failed };

    struct action {
        enum class kind {
            continue_,  ///< send `data` as AuthenticationSASLContinue
            done,       ///< send `data` as AuthenticationSASLFinal; the client is authenticated
            failed      ///< see `error`
        };
        kind what;
        std::string data;
        scram_error error;
    };

    /// `channel_binding_data` is the tls-server-end-point hash of our certificate, empty where PLUS
    /// was not offered. `server_nonce` is fresh for every exchange: random_nonce().
    scram_server(scram_verifier verifier, std::string channel_binding_data,
                 std::string server_nonce);

    /// The client's SASLInitialResponse: mechanism and client-first-message. Without data the
    /// client is asked for it by an empty challenge.
    [[nodiscard]] action on_initial(std::string_view mechanism,
                                    std::optional<std::string_view> data);
    /// The client's SASLResponse: client-final-message.
    [[nodiscard]] action on_response(std::string_view data);

    [[nodiscard]] state current() const noexcept { return state_; }
    /// ClientKey recovered from the proof, with which a scram_client can log in to a server that
    /// has the same verifier. Meaningful only in state done.
    [[nodiscard]] const scram_key& client_key() const noexcept { return client_key_; }

private:
    action fail(std::string_view sqlstate, std::string message, std::string detail = {});
    action malformed(std::string detail);
    action on_client_first(std::string_view data);

    scram_verifier verifier_;
    std::string channel_binding_data_;
    std::string server_nonce_;
    std::string gs2_header_;
    std::string client_first_bare_;
    std::string server_first_;
    std::string nonce_;
    bool mechanism_chosen_ = false;
    bool plus_ = false;
    scram_key client_key_{};
    state state_ = state::initial;
};

/// Derived keys of one password under one salt and iteration count.
struct scram_keys {
    std::string salt;  ///< raw bytes
    int iterations = 0;
    scram_key client_key{};
    scram_key server_key{};
};

/// The keys of the verifier's password (cleartext authentication), for set_known_keys; nothing if
/// it is not the password, or if finding out would take more than scram_max_iterations.
[[nodiscard]] std::optional<scram_keys> keys_if_matches(const scram_verifier& verifier,
                                                        std::string_view password);

/// The client's side of one exchange.
class scram_client {
public:
    template <class T>
    using result = boost::system::result<T, scram_error>;

    /// `channel_binding_data` is the tls-server-end-point hash of the server's certificate.
    /// `use_plus`: the server offered SCRAM-SHA-256-PLUS and we take it. With data but without
    /// `use_plus` the server is told that we could have bound the channel and it did not offer to
    /// (gs2 flag "y"), which it refuses if it did offer; give empty data on plain connections and
    /// where binding is switched off. `nonce` is printable, without commas: random_nonce().
    scram_client(std::string password, std::string channel_binding_data, bool use_plus,
                 std::string nonce);

    /// Keys of an earlier exchange, or of a verifier and a scram_server's client_key(). Where the
    /// server's salt and iterations are the same they replace the key derivation and the password,
    /// which may then be empty.
    void set_known_keys(scram_keys keys) { known_ = std::move(keys); }

    /// The mechanism for SASLInitialResponse.
    [[nodiscard]] std::string_view mechanism() const noexcept;
    /// client-first-message.
    [[nodiscard]] std::string initial();
    /// Takes server-first-message, returns client-final-message.
    [[nodiscard]] result<std::string> on_continue(std::string_view data);
    /// Takes server-final-message and verifies that the server knows the verifier. Success is
    /// required before AuthenticationOk may be believed.
    [[nodiscard]] result<void> on_final(std::string_view data);

    [[nodiscard]] bool verified() const noexcept { return state_ == state::done; }
    /// For set_known_keys of the next exchange. Meaningful once verified().
    [[nodiscard]] const scram_keys& keys() const noexcept { return keys_; }

private:
    enum class state { initial, first_sent, final_sent, done, failed };
    scram_error fail(std::string_view sqlstate, std::string message);

    std::string password_;
    std::string channel_binding_data_;
    bool use_plus_;
    std::string nonce_;
    std::string client_first_bare_;
    std::string auth_message_;
    std::optional<scram_keys> known_;
    scram_keys keys_;
    state state_ = state::initial;
};

}  // namespace howdah::protocol
