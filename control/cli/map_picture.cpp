// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "control/cli/map.hpp"

namespace sekisho::cli {
namespace {

constexpr std::array<std::string_view, 5> keys{"zone", "port", "next_hop", "member", "peer"};

std::string_view word(Box::State state) {
  return state == Box::State::good ? "good" : state == Box::State::bad ? "bad" : "plain";
}

std::string_view stroke(Box::State state) {
  return state == Box::State::good ? "#1a7f37" : state == Box::State::bad ? "#cf222e" : "#57606a";
}

std::string xml(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result.push_back(c);
    }
  }
  return result;
}

std::string dot_quoted(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result.push_back('\\');
    }
    result.push_back(c);
  }
  return result;
}

std::string title_of(const Box& box) {
  const auto mark = box.state == Box::State::good ? " (ok)" : box.state == Box::State::bad ? " (BAD)" : "";
  return fmt::format("{} {}{}", box_words[static_cast<std::size_t>(box.kind)], box.name, mark);
}

// Where a box stands: zones, next hops, members and ports beside each other, peers under the zones.
struct BoxPlace {
  int x = 0;
  int y = 0;
  int height = 0;
};

constexpr int box_width = 300;
constexpr int gap = 60;
constexpr int line_height = 16;
constexpr int first_row = 48;
constexpr int column_of(Box::Kind kind) {
  switch (kind) {
    case Box::Kind::zone:
    case Box::Kind::peer:
      return 0;
    case Box::Kind::next_hop:
      return 1;
    case Box::Kind::member:
      return 2;
    case Box::Kind::port:
      return 3;
  }
  return 0;
}
constexpr std::size_t letters = 44;  // of a line in a box

// A long line is broken, not cut.
std::vector<std::string> lines_of(const Box& box) {
  std::vector<std::string> result;
  for (std::string_view line : box.lines) {
    while (line.size() > letters) {
      const auto blank = line.substr(0, letters).find_last_of(" ,");
      const auto end = blank == std::string_view::npos ? letters : blank + 1;
      result.emplace_back(line.substr(0, end));
      line.remove_prefix(end);
    }
    result.emplace_back(line);
  }
  return result;
}

}  // namespace

std::string map_svg(const Map& map) {
  std::array<int, 4> next{first_row, first_row, first_row, first_row};
  std::vector<BoxPlace> places;
  for (const auto& box : map.boxes) {
    const auto column = column_of(box.kind);
    auto& y = next[static_cast<std::size_t>(column)];
    const BoxPlace place{20 + column * (box_width + gap), y,
                         30 + line_height * static_cast<int>(lines_of(box).size())};
    y += place.height + 16;
    places.push_back(place);
  }
  const int width = 40 + 4 * box_width + 3 * gap;
  const int height = *std::ranges::max_element(next) + 8;
  auto text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"11\">\n"
      "<title>{2}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
      "<text x=\"20\" y=\"28\" font-size=\"15\" font-weight=\"bold\" fill=\"{3}\">{2}</text>\n",
      width, height, xml(map.title), stroke(map.verdict));
  for (std::size_t i = 0; i < map.boxes.size(); ++i) {
    for (const auto to : map.boxes[i].leads_to) {
      const auto& from = places[i];
      const auto& other = places[to];
      text += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#8c959f\"/>\n",
                          from.x + box_width, from.y + 14, other.x, other.y + 14);
    }
  }
  for (std::size_t i = 0; i < map.boxes.size(); ++i) {
    const auto& box = map.boxes[i];
    const auto& place = places[i];
    text += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"4\" fill=\"#f6f8fa\" stroke=\"{}\" "
        "stroke-width=\"2\"/>\n<text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text>\n",
        place.x, place.y, box_width, place.height, stroke(box.state), place.x + 8, place.y + 18,
        xml(title_of(box)));
    int y = place.y + 18;
    for (const auto& line : lines_of(box)) {
      y += line_height;
      text += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", place.x + 8, y, xml(line));
    }
  }
  return text + "</svg>\n";
}

std::string map_dot(const Map& map) {
  auto text = fmt::format(
      "digraph sekisho {{\n  label=\"{}\"; labelloc=t; rankdir=LR;\n  node [shape=box, fontname=monospace, "
      "fontsize=10];\n",
      dot_quoted(map.title));
  for (std::size_t i = 0; i < map.boxes.size(); ++i) {
    const auto& box = map.boxes[i];
    auto label = dot_quoted(title_of(box));
    for (const auto& line : box.lines) {
      label += "\\n" + dot_quoted(line);
    }
    text += fmt::format("  n{} [label=\"{}\", color=\"{}\"];\n", i, label, stroke(box.state));
  }
  for (std::size_t i = 0; i < map.boxes.size(); ++i) {
    for (const auto to : map.boxes[i].leads_to) {
      text += fmt::format("  n{} -> n{};\n", i, to);
    }
  }
  return text + "}\n";
}

Json map_json(const Map& map) {
  auto boxes = Json::array();
  for (const auto& box : map.boxes) {
    boxes.push_back({{"kind", keys[static_cast<std::size_t>(box.kind)]},
                     {"name", box.name},
                     {"state", word(box.state)},
                     {"lines", box.lines},
                     {"leads_to", box.leads_to}});
  }
  return {{"title", map.title}, {"state", word(map.verdict)}, {"boxes", std::move(boxes)}};
}

}  // namespace sekisho::cli
