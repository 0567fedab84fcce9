#include "protocol/wire/scram.hpp"

#include "protocol/wire/base64.hpp"
#include "protocol/wire/scram_detail.hpp"
#include "protocol/wire/sqlstate.hpp"

namespace howdah::protocol {
namespace {

std::string_view gs2_header(bool use_plus, bool could_bind) noexcept {
    if (use_plus) return "p=tls-server-end-point,,";
    return could_bind ? "y,," : "n,,";
}

}  // namespace

scram_client::scram_client(std::string password, std::string channel_binding_data, bool use_plus,
                           std::string nonce)
    : password_(std::move(password)),
      channel_binding_data_(std::move(channel_binding_data)),
      use_plus_(use_plus),
      nonce_(std::move(nonce)),
      client_first_bare_("n=,r=" + nonce_) {}

std::string_view scram_client::mechanism() const noexcept {
    return use_plus_ ? scram_sha_256_plus : scram_sha_256;
}

scram_error scram_client::fail(std::string_view sqlstate, std::string message) {
    state_ = state::failed;
    return {sqlstate, std::move(message)};
}

std::string scram_client::initial() {
    if (state_ == state::initial) state_ = state::first_sent;
    return std::string(gs2_header(use_plus_, !channel_binding_data_.empty())) + client_first_bare_;
}

scram_client::result<std::string> scram_client::on_continue(std::string_view data) {
    if (state_ != state::first_sent)
        return fail(sqlstate::protocol_violation, "invalid SCRAM exchange state");
    if (data.size() > scram_max_message)
        return fail(sqlstate::protocol_violation, "malformed SCRAM message (too long)");

    scram_detail::attributes attributes(data);
    if (attributes.next() == 'm')
        return fail(sqlstate::feature_not_supported,
                    "server requires an unsupported SCRAM extension");
    const auto nonce = attributes.value('r');
    const auto salt_text = attributes.value('s');
    const auto iterations_text = attributes.value('i');
    while (attributes.ok() && !attributes.at_end())
        attributes.any();
    if (!attributes.ok())
        return fail(sqlstate::protocol_violation,
                    "malformed SCRAM message (" + attributes.detail() + ")");
    if (nonce.size() > scram_max_nonce || nonce.size() <= nonce_.size() ||
        !nonce.starts_with(nonce_) || !scram_detail::is_printable(nonce))
        return fail(sqlstate::protocol_violation, "invalid SCRAM response (nonce mismatch)");
    auto salt = base64_decode(salt_text);
    if (!salt || salt->empty() || salt->size() > scram_max_salt)
        return fail(sqlstate::protocol_violation, "malformed SCRAM message (invalid salt)");
    const auto iterations = scram_detail::parse_iterations(iterations_text, scram_max_iterations);
    if (!iterations)
        return fail(sqlstate::protocol_violation,
                    "malformed SCRAM message (invalid iteration count)");

    if (known_ && known_->salt == *salt && known_->iterations == *iterations)
        keys_ = *known_;
    else if (!password_.empty())
        keys_ = scram_detail::derive(password_, std::move(*salt), *iterations);
    else
        return fail(sqlstate::invalid_authorization_specification,
                    known_ ? "the server's SCRAM salt or iteration count differs from ours"
                           : "no password supplied");

    const std::string without_proof =
        "c=" +
        scram_detail::channel_binding_value(
            gs2_header(use_plus_, !channel_binding_data_.empty()),
            use_plus_ ? std::string_view(channel_binding_data_) : std::string_view{}) +
        ",r=" + std::string(nonce);
    auth_message_ = client_first_bare_ + "," + std::string(data) + "," + without_proof;
    const auto stored_key = scram_detail::hash(scram_detail::view(keys_.client_key));
    const auto signature = scram_detail::hmac(scram_detail::view(stored_key), auth_message_);
    const auto proof = scram_detail::exclusive_or(keys_.client_key, signature);
    state_ = state::final_sent;
    return without_proof + ",p=" + base64_encode(scram_detail::view(proof));
}

scram_client::result<void> scram_client::on_final(std::string_view data) {
    if (state_ != state::final_sent)
        return fail(sqlstate::protocol_violation, "invalid SCRAM exchange state");
    scram_detail::attributes attributes(data);
    if (attributes.next() == 'e') {
        const auto reason = attributes.value('e');
        return fail(
            sqlstate::invalid_authorization_specification,
            "error received from server in SCRAM exchange: " + scram_detail::for_message(reason));
    }
    const auto signature_text = attributes.value('v');
    while (attributes.ok() && !attributes.at_end())
        attributes.any();
    const auto bytes = base64_decode(signature_text);
    const auto signature = bytes ? scram_detail::to_key(*bytes) : std::nullopt;
    if (!attributes.ok() || !signature)
        return fail(sqlstate::protocol_violation,
                    "malformed SCRAM message (malformed server signature)");
    const auto expected = scram_detail::hmac(scram_detail::view(keys_.server_key), auth_message_);
    if (!scram_detail::equal(*signature, expected))
        return fail(sqlstate::invalid_authorization_specification,
                    "incorrect server signature: the server does not know the password");
    state_ = state::done;
    return {};
}

}  // namespace howdah::protocol
