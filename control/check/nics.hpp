// SPDX-License-Identifier: BSD-3-Clause
// The appliance's NICs as Azure has them: what `az network nic show`, `az network nic list`, Get-AzNetworkInterface or REST
// say. A file that holds anything else is refused by its place.
#pragma once

#include <filesystem>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/check/facts.hpp"

namespace sekisho::check {

[[nodiscard]] auto read_nics(const std::filesystem::path& file)
    -> tl::expected<std::vector<Nic>, base::Error>;

}  // namespace sekisho::check
