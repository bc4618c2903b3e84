// SPDX-License-Identifier: BSD-3-Clause
// Fills the facts: reads what only checks want to know (route tables of subnets, service tags, what is advertised) and asks
// for the kernel's interfaces. Refused, as reading any file, with file, line and reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "control/check/facts.hpp"
#include "control/formats/options.hpp"
#include "control/netlink/mirror.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::check {

// Whether this host reaches an address by its own default alone.
using ByDefault = std::function<bool(std::uint32_t address)>;

// Without a mirror nothing is known of the kernel's interfaces.
[[nodiscard]] auto gather(std::shared_ptr<const policy::Policy> policy, const netlink::Mirror* mirror,
                          const ByDefault& is_by_default = {}) -> tl::expected<Facts, base::Error>;

// What the policy alone tells. It has to live longer.
[[nodiscard]] auto gather(const policy::Policy& policy) -> Facts;

// Route tables without a configuration.
struct FilesAlone {
  struct File {
    std::filesystem::path file;
    std::string table;  // which of several; empty: all of them, each alone
  };
  std::vector<File> files;
  std::filesystem::path service_tags;  // empty: none
  formats::Options reading;            // of the files
  std::optional<std::string> cloud;
  config::Gateway gateway = config::Gateway::unknown;
};
[[nodiscard]] auto gather(const FilesAlone& alone) -> tl::expected<Facts, base::Error>;

// A configuration that is refused is one fact.
[[nodiscard]] auto gather(base::Error refusal) -> Facts;

}  // namespace sekisho::check
