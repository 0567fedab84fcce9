#include "protocol/wire/scram.hpp"

#include "protocol/wire/base64.hpp"
#include "protocol/wire/md5.hpp"
#include "protocol/wire/scram_detail.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::protocol {
namespace {

constexpr std::string_view binding_type = "tls-server-end-point";

}  // namespace

scram_server::scram_server(scram_verifier verifier, std::string channel_binding_data,
                           std::string server_nonce)
    : verifier_(std::move(verifier)),
      channel_binding_data_(std::move(channel_binding_data)),
      server_nonce_(std::move(server_nonce)) {}

scram_server::action scram_server::fail(std::string_view sqlstate, std::string message,
                                        std::string detail) {
    state_ = state::failed;
    return {action::kind::failed, {}, {sqlstate, std::move(message), std::move(detail)}};
}

scram_server::action scram_server::malformed(std::string detail) {
    return fail(sqlstate::protocol_violation, "malformed SCRAM message", std::move(detail));
}

scram_server::action scram_server::on_initial(std::string_view mechanism,
                                              std::optional<std::string_view> data) {
    if (state_ != state::initial || mechanism_chosen_)
        return fail(sqlstate::protocol_violation, "invalid SCRAM exchange state");
    mechanism_chosen_ = true;
    plus_ = mechanism == scram_sha_256_plus && !channel_binding_data_.empty();
    if (!plus_ && mechanism != scram_sha_256)
        return fail(sqlstate::protocol_violation,
                    "client selected an invalid SASL authentication mechanism");
    if (!data) return {action::kind::continue_, {}, {}};
    return on_client_first(*data);
}

scram_server::action scram_server::on_client_first(std::string_view data) {
    if (data.empty()) return malformed("The message is empty.");
    if (data.size() > scram_max_message) return malformed("The message is too long.");
    if (data.find('\0') != std::string_view::npos)
        return malformed("Message length does not match input length.");

    // gs2-header: channel binding flag, then an authorization identity, which must be absent.
    const char flag = data.front();
    std::size_t next = 1;
    switch (flag) {
        case 'n':
        case 'y':
            if (plus_)
                return malformed(
                    "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not "
                    "include channel binding data.");
            if (flag == 'y' && !channel_binding_data_.empty())
                return fail(sqlstate::invalid_authorization_specification,
                            "SCRAM channel binding negotiation error",
                            "The client supports SCRAM channel binding but thinks the server does "
                            "not.  However, this server does support channel binding.");
            break;
        case 'p': {
            if (!plus_)
                return malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM "
                    "message includes channel binding data.");
            scram_detail::attributes attributes(data);
            const auto type = attributes.value('p');
            if (!attributes.ok()) return malformed(attributes.detail());
            if (type != binding_type)
                return fail(sqlstate::protocol_violation,
                            "unsupported SCRAM channel-binding type \"" +
                                scram_detail::for_message(type) + "\"");
            next = attributes.position() - 1;
            break;
        }
        default:
            return malformed("Unexpected channel-binding flag \"" +
                             scram_detail::for_message(flag) + "\".");
    }
    const auto at = [&](std::size_t i) { return i < data.size() ? data[i] : '\0'; };
    if (at(next) != ',')
        return malformed("Comma expected, but found character \"" +
                         scram_detail::for_message(at(next)) + "\".");
    ++next;
    if (at(next) == 'a')
        return fail(sqlstate::feature_not_supported,
                    "client uses authorization identity, but it is not supported");
    if (at(next) != ',')
        return malformed("Unexpected attribute \"" + scram_detail::for_message(at(next)) +
                         "\" in client-first-message.");
    ++next;
    gs2_header_ = data.substr(0, next);
    client_first_bare_ = data.substr(next);

    scram_detail::attributes attributes(client_first_bare_);
    if (attributes.next() == 'm')
        return fail(sqlstate::feature_not_supported,
                    "client requires an unsupported SCRAM extension");
    (void)attributes.value('n');
    const auto client_nonce = attributes.value('r');
    if (!attributes.ok()) return malformed(attributes.detail());
    if (!scram_detail::is_printable(client_nonce))
        return fail(sqlstate::protocol_violation, "non-printable characters in SCRAM nonce");
    if (client_nonce.size() > scram_max_nonce) return malformed("The nonce is too long.");
    while (attributes.ok() && !attributes.at_end())
        attributes.any();
    if (!attributes.ok()) return malformed(attributes.detail());

    nonce_ = std::string(client_nonce) + server_nonce_;
    server_first_ = "r=" + nonce_ + ",s=" + base64_encode(verifier_.salt) +
                    ",i=" + std::to_string(verifier_.iterations);
    state_ = state::response;
    return {action::kind::continue_, server_first_, {}};
}

scram_server::action scram_server::on_response(std::string_view data) {
    if (state_ == state::initial && mechanism_chosen_) return on_client_first(data);
    if (state_ != state::response)
        return fail(sqlstate::protocol_violation, "invalid SCRAM exchange state");
    if (data.empty()) return malformed("The message is empty.");
    if (data.size() > scram_max_message) return malformed("The message is too long.");
    if (data.find('\0') != std::string_view::npos)
        return malformed("Message length does not match input length.");

    scram_detail::attributes attributes(data);
    const auto binding = attributes.value('c');
    const auto nonce = attributes.value('r');
    scram_detail::attributes::attribute last;
    std::size_t proof_position = 0;
    while (attributes.ok() && last.name != 'p') {
        proof_position = attributes.position();
        last = attributes.any();
    }
    if (!attributes.ok()) return malformed(attributes.detail());

    const auto expected_binding = scram_detail::channel_binding_value(
        gs2_header_, plus_ ? std::string_view(channel_binding_data_) : std::string_view{});
    if (!constant_time_equal(binding, expected_binding))
        return plus_ ? fail(sqlstate::invalid_authorization_specification,
                            "SCRAM channel binding check failed")
                     : fail(sqlstate::protocol_violation,
                            "unexpected SCRAM channel-binding attribute in client-final-message");
    const auto proof_bytes = base64_decode(last.value);
    const auto proof = proof_bytes ? scram_detail::to_key(*proof_bytes) : std::nullopt;
    if (!proof) return malformed("Malformed proof in client-final-message.");
    if (!attributes.at_end()) return malformed("Garbage found at the end of client-final-message.");
    if (!constant_time_equal(nonce, nonce_))
        return fail(sqlstate::protocol_violation, "invalid SCRAM response",
                    "Nonce does not match.");

    // The comma before the proof belongs to neither side of it.
    const std::string auth_message = client_first_bare_ + "," + server_first_ + "," +
                                     std::string(data.substr(0, proof_position - 1));
    const auto signature =
        scram_detail::hmac(scram_detail::view(verifier_.stored_key), auth_message);
    const auto client_key = scram_detail::exclusive_or(*proof, signature);
    if (!scram_detail::equal(scram_detail::hash(scram_detail::view(client_key)),
                             verifier_.stored_key))
        return fail(sqlstate::invalid_password, {});

    client_key_ = client_key;
    state_ = state::done;
    const auto server_signature =
        scram_detail::hmac(scram_detail::view(verifier_.server_key), auth_message);
    return {action::kind::done, "v=" + base64_encode(scram_detail::view(server_signature)), {}};
}

}  // namespace howdah::protocol
