// SPDX-License-Identifier: BSD-3-Clause
// The first lock: the nftables table `inet sekisho`, whose forward chain drops what no rule accepts. It is there before
// any port starts and stays when we crash or stop; only `sekisho guard off` removes it.
//
// Without any lock, a kernel with ip_forward=1 and a default route takes transit traffic past the firewall the moment the
// dataplane dies.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "control/guard/guard.hpp"

namespace sekisho::guard {

// Installs the table, or brings it to this, in one nftables transaction: there is no instant without it. A link need not
// exist. Refused when there is a table of that name that is not ours.
[[nodiscard]] auto install(const Guard& guard) -> tl::expected<void, std::string>;
// No table is no error.
[[nodiscard]] auto remove() -> tl::expected<void, std::string>;
// What the kernel's table says now; an error when there is none, or when it does not do what it should.
[[nodiscard]] auto installed() -> tl::expected<Guard, std::string>;
// What it says of ports that were ever guarded, though it be damaged.
[[nodiscard]] auto remembered() -> Guard;

}  // namespace sekisho::guard
