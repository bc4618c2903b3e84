// SPDX-License-Identifier: BSD-3-Clause
// What came of reading a configuration and the files that it names.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/error.hpp"
#include "common/base/stamp.hpp"
#include "control/policy/policy.hpp"
#include "control/serve/backend.hpp"

namespace sekisho::reconcile {

struct Reading {
  tl::expected<std::shared_ptr<const policy::Policy>, base::Error> policy;
  serve::Sources sources{};          // what was read, as far as it got
  std::vector<base::Stamp> files{};  // those that were to be looked at beside it
  std::optional<base::Error>
      hook{};  // why the program of [hook] cannot be run; none: it can, or there is none
};

// The policy of `config`, for a daemon; and `beside`, looked at. Waits for the files.
[[nodiscard]] auto read_policy(const std::filesystem::path& config,
                               const std::vector<std::filesystem::path>& beside,
                               const policy::InterfaceAddresses& addresses) -> Reading;

}  // namespace sekisho::reconcile
