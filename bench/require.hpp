// SPDX-License-Identifier: BSD-3-Clause
// A measurement goes on only from a state that was reached: anything else ends the program with the reason.
#pragma once

#include <stdexcept>
#include <string>
#include <tl/expected.hpp>

namespace sekisho::bench {

inline void require(const tl::expected<void, std::string>& outcome) {
  if (!outcome) {
    throw std::runtime_error{outcome.error()};
  }
}

}  // namespace sekisho::bench
