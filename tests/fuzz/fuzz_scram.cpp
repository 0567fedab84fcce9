#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "protocol/wire/base64.hpp"
#include "protocol/wire/saslprep.hpp"
#include "protocol/wire/scram.hpp"

using namespace howdah::protocol;

namespace {

/// A server whose verifier no password matches must let nobody in.
void attack_server(bool offers_plus, std::string_view mechanism, std::string_view first,
                   std::string_view second) {
    static const auto verifier = mock_verifier("user", "secret");
    scram_server server(verifier, offers_plus ? "hash" : "", "servernonce");
    (void)server.on_initial(mechanism, first);
    (void)server.on_response(second);
    if (server.current() == scram_server::state::done) std::abort();
}

/// A client must not believe a server that has not seen its password. Its keys are known for one
/// salt and count, so that no time goes into key derivation.
void attack_client(bool use_plus, std::string_view first, std::string_view second) {
    scram_client client({}, use_plus ? "hash" : "", use_plus, "nonce");
    scram_key secret;
    secret.fill(0x5a);
    client.set_known_keys({"salt", 4096, secret, secret});
    (void)client.initial();
    (void)client.on_continue(first);
    (void)client.on_continue(second);
    (void)client.on_final(second);
    if (client.verified()) std::abort();
}

}  // namespace

/// First byte: options. Then two messages, parted by the first newline.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) return 0;
    const auto options = static_cast<unsigned char>(input[0]);
    input.remove_prefix(1);
    const auto end = input.find('\n');
    const auto first = input.substr(0, end);
    const auto second = end == std::string_view::npos ? std::string_view{} : input.substr(end + 1);

    const bool plus = (options & 1) != 0;
    attack_server(plus, (options & 2) != 0 ? scram_sha_256_plus : scram_sha_256, first, second);
    attack_client(plus, first, second);
    attack_client(plus, "r=nonce" + std::string(first) + ",s=c2FsdA==,i=4096", second);
    if (const auto verifier = parse_verifier(input);
        verifier && format_verifier(*verifier) != input)
        if (parse_verifier(format_verifier(*verifier))->salt != verifier->salt) std::abort();
    if (const auto bytes = base64_decode(input);
        bytes && base64_decode(base64_encode(*bytes)) != bytes)
        std::abort();
    (void)saslprep(input);
    return 0;
}
