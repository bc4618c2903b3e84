// SPDX-License-Identifier: BSD-3-Clause
// A configuration on the disk as a reload would read it: with the addresses that this machine's interfaces have now.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/netlink/mirror.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::cli {

struct ReadConfiguration {
  std::shared_ptr<const policy::Policy> policy;
  std::optional<netlink::Mirror> mirror;  // links and their addresses; none: the kernel did not tell
};

// The error is a sentence with file and line.
[[nodiscard]] auto read_configuration(const std::filesystem::path& file)
    -> tl::expected<ReadConfiguration, std::string>;

}  // namespace sekisho::cli
