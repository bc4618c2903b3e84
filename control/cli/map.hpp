// SPDX-License-Identifier: BSD-3-Clause
// A picture of the appliance: what stands in it, and what leads to what. Asked of control; drawn as text, SVG or DOT.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/cli/context.hpp"

namespace sekisho::cli {

struct Box {
  enum class Kind : std::uint8_t { zone, port, next_hop, member, peer };
  enum class State : std::uint8_t { plain, good, bad };
  Kind kind = Kind::zone;
  State state = State::plain;
  std::string name;
  std::vector<std::string> lines;  // what is to be said of it
  std::vector<std::size_t> leads_to;
};

inline constexpr std::array<std::string_view, 5> box_words{"zone", "port", "next hop", "member",
                                                           "BGP peer"};  // as Kind

struct Map {
  std::string title;  // the verdict and why
  Box::State verdict = Box::State::plain;
  std::vector<Box> boxes;
};

[[nodiscard]] std::string map_text(const Map& map);
[[nodiscard]] std::string map_svg(const Map& map);
[[nodiscard]] std::string map_dot(const Map& map);
[[nodiscard]] Json map_json(const Map& map);

}  // namespace sekisho::cli
