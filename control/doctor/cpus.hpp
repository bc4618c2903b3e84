// SPDX-License-Identifier: BSD-3-Clause
// The kernel's lists of CPUs: "0-2,5".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sekisho::doctor {

// What is no number or range is left out: the kernel writes "(null)" for none.
[[nodiscard]] std::vector<unsigned> parse_cpus(std::string_view text);
[[nodiscard]] std::string cpus_text(const std::vector<unsigned>& cpus);

}  // namespace sekisho::doctor
