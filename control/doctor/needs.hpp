// SPDX-License-Identifier: BSD-3-Clause
// What the dataplane is to be started with, and what it then needs of the machine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/af_xdp_mtu.hpp"
#include "control/policy/policy.hpp"

namespace sekisho::doctor {

// The kernel's lists of CPUs: "0-2,5". What is no number or range is left out: the kernel writes "(null)" for none.
[[nodiscard]] std::vector<unsigned> parse_cpus(std::string_view text);
[[nodiscard]] std::string cpus_text(const std::vector<unsigned>& cpus);

struct DataplaneOptions {
  std::optional<std::vector<unsigned>> workers;  // none: the last CPU
  std::uint64_t memory_mb = 256;
  std::uint16_t mtu = base::usual_af_xdp_mtu;
};

// Of SEKISHO_DATAPLANE_OPTIONS in the text of dataplane.env; the dataplane's own defaults where it says nothing.
[[nodiscard]] DataplaneOptions parse_options(std::string_view environment);

// How much memory the tables of a policy take in the dataplane.
[[nodiscard]] std::uint64_t table_bytes(const policy::Policy& policy);

}  // namespace sekisho::doctor
