#pragma once
#include <string_view>

namespace howdah::fuzz {

/// Plays a client of the admin interface: any text as one Query, or any messages. Aborts where the
/// answers are not what the protocol wants, or who may only look has changed something.
void play_admin(std::string_view input);

}  // namespace howdah::fuzz
