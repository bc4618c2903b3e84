// SPDX-License-Identifier: BSD-3-Clause
// How far what one thread writes lies from what another reads or writes.
//
// A line that two cores write moves from one to the other at each write, for tens of nanoseconds. A line is 64 bytes, but x86 CPUs
// also fetch the other one of a pair: two lines apart, neither is taken from its owner by a neighbour's miss. Not
// std::hardware_destructive_interference_size, which is 64 here and, as gcc warns, another number with other options.
#pragma once

#include <cstddef>

namespace sekisho::base {

inline constexpr std::size_t apart = 128;  // bytes

}  // namespace sekisho::base
