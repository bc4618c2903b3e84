// SPDX-License-Identifier: BSD-3-Clause
// What is advertised: both halves, or the default route.
#pragma once

#include "common/base/prefix.hpp"

namespace sekisho::advertise {

constexpr base::Prefix low{0, 1};
constexpr base::Prefix high{1U << 31, 1};
constexpr base::Prefix all{0, 0};

}  // namespace sekisho::advertise
