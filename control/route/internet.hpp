// SPDX-License-Identifier: BSD-3-Clause
// The prefixes that stand for the Internet.
#pragma once

#include <array>

#include "common/base/prefix.hpp"

namespace sekisho::route {

inline constexpr base::Prefix default_route{0, 0};
// Both together: a VPN gateway hands them on, and the default not.
inline constexpr std::array halves{base::Prefix{0, 1}, base::Prefix{1U << 31, 1}};

}  // namespace sekisho::route
