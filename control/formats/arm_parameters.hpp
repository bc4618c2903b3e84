// SPDX-License-Identifier: BSD-3-Clause
// What a deployment passes to a template: a parameters file (schema deploymentParameters.json), held to what the template
// declares as Azure does. A name that the template does not have, a value of another type and one that it does not allow
// are refused with their place.
#pragma once

#include <filesystem>
#include <tl/expected.hpp>

#include "common/base/error.hpp"
#include "control/formats/json.hpp"

namespace sekisho::formats {

// The members of its `parameters`, each {"value": ..} or {"reference": ..}. `document`: the template.
[[nodiscard]] auto read_parameters(const std::filesystem::path& file, const Json& document)
    -> tl::expected<Json, base::Error>;

}  // namespace sekisho::formats
