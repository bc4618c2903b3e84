// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "control/cli/map.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

constexpr std::size_t columns = 80;

Tone tone_of(Box::State state) {
  return state == Box::State::good ? Tone::good : state == Box::State::bad ? Tone::bad : Tone::plain;
}

// In lines of what is left of 80 columns behind an indent; a word that is longer stands alone.
std::string wrapped(std::string_view text, std::size_t indent, std::string_view margin) {
  std::string result;
  std::string line;
  const auto end_line = [&] {
    result += fmt::format("{}{}{}\n", margin, std::string(indent - margin.size(), ' '), line);
    line.clear();
  };
  while (!text.empty()) {
    // A list breaks behind its commas, too.
    const auto end = std::min(text.find_first_of(" ,"), text.size() - 1) + 1;
    if (!line.empty() && indent + line.size() + end > columns) {
      end_line();
    }
    line += text.substr(0, end);
    text.remove_prefix(end);
  }
  end_line();
  return result;
}

std::string head(const Box& box) {
  const auto state = box.state == Box::State::good ? "[ok]  " : box.state == Box::State::bad ? "[BAD] " : "";
  return fmt::format("{} {} {}", box_words[static_cast<std::size_t>(box.kind)], box.name,
                     toned(state, tone_of(box.state)));
}

void trim(std::string& text) {
  while (text.ends_with(' ')) {
    text.pop_back();
  }
}

// A box, its lines, and beneath it the boxes that it leads to: those by name only that have a place of their own.
void draw(std::string& text, const Map& map, const Box& box, std::string_view margin,
          std::string_view branch) {
  auto first = fmt::format("{}{}", branch, head(box));
  trim(first);
  text += first + "\n";
  for (const auto& line : box.lines) {
    text += wrapped(line, margin.size() + 4, margin);
  }
  if (box.kind != Box::Kind::next_hop) {
    return;
  }
  for (std::size_t i = 0; i < box.leads_to.size(); ++i) {
    const auto& below = map.boxes[box.leads_to[i]];
    if (below.kind == Box::Kind::member) {
      const bool is_last = i + 1 == box.leads_to.size();
      draw(text, map, below, is_last ? "    " : " |  ", is_last ? " `- " : " |- ");
    }
  }
}

}  // namespace

std::string map_text(const Map& map) {
  std::string text;
  for (const auto line = wrapped(map.title, 0, ""); text.empty();) {
    text = toned(line.substr(0, line.size() - 1), tone_of(map.verdict)) + "\n";
  }
  for (const auto kind : {Box::Kind::zone, Box::Kind::port, Box::Kind::next_hop, Box::Kind::peer}) {
    for (const auto& box : map.boxes) {
      if (box.kind != kind) {
        continue;
      }
      text += "\n";
      draw(text, map, box, "", "");
      std::string leads;
      for (const auto to : box.leads_to) {
        const auto& other = map.boxes[to];
        if (other.kind != Box::Kind::member && other.kind != box.kind) {
          leads += fmt::format("{}{} {}", leads.empty() ? "" : ", ",
                               box_words[static_cast<std::size_t>(other.kind)], other.name);
        }
      }
      text += leads.empty() ? "" : wrapped("-> " + leads, 4, "");
    }
  }
  return text;
}

}  // namespace sekisho::cli
