#pragma once
#include <string>
#include <string_view>

namespace howdah::conf {

/// A value after its reference was followed.
struct resolved_value {
    std::string text;
    std::string error;    ///< Empty on success. Never contains the value.
    std::string warning;  ///< E.g. a secret that everybody can read.
    bool from_elsewhere =
        false;  ///< Not written in the configuration: not to be shown in messages.
};

/// A value that is "${NAME}" as a whole is taken from the environment; an unset variable is an
/// error. "$${NAME}" means the text "${NAME}" itself; everything else means itself.
resolved_value resolve_environment(std::string_view written);

/// Inverse of resolve_environment for a text that means itself.
std::string escape_environment(std::string_view text);

/// The content of a file without its last line end. The warning names a file that everybody may
/// read.
resolved_value read_secret_file(const std::string& path);

enum class password_form { plain, md5_hash, scram_verifier, malformed_verifier };

/// What PostgreSQL would take the text for (pg_authid.rolpassword).
password_form form_of(std::string_view password);

}  // namespace howdah::conf
