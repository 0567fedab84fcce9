#pragma once
#include <string>

namespace howdah::conf {

/// conf/howdah.yaml: every option and column with its documentation, default and bounds, as
/// comments that become a working configuration when the examples are uncommented.
/// `howdah --print-default-config > conf/howdah.yaml` renews the file.
std::string render_annotated_yaml();

/// docs/options.md. `howdah --print-options-markdown > docs/options.md` renews the file.
std::string render_markdown();

}  // namespace howdah::conf
