// SPDX-License-Identifier: BSD-3-Clause
// What is asked of FRR and told to it; and both at once, for who has no loop and waits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/frr/vtysh.hpp"

namespace sekisho::advertise {

inline constexpr auto show_config = "show running-config no-header";

// The commands that add and take away `network` statements.
[[nodiscard]] auto commands(std::uint32_t asn, const std::vector<base::Prefix>& take_away,
                            const std::vector<base::Prefix>& add) -> std::vector<std::string>;

// The default and its halves: ours in FRR whoever told it.
[[nodiscard]] auto ours_always() -> std::vector<base::Prefix>;

// What of the default, its halves and `prefixes` FRR originates, waiting for its answer. Nothing where bgpd does not run.
[[nodiscard]] auto originated_now(const std::string& instance, const std::vector<base::Prefix>& prefixes)
    -> frr::Result<std::vector<base::Prefix>>;
// Withdraws it. The result is what was withdrawn.
[[nodiscard]] auto withdraw_now(const std::string& instance, const std::vector<base::Prefix>& prefixes)
    -> frr::Result<std::vector<base::Prefix>>;

}  // namespace sekisho::advertise
