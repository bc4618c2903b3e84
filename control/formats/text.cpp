// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/prefix.hpp"

namespace sekisho::formats {
namespace {

constexpr std::size_t max_line = 1000;

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
constexpr bool is_graphic(char c) {
  return c > ' ' && c < '\x7f';
}

// Whether a byte can stand in a word. As a table: every byte of a file is asked.
constexpr auto word_bytes = [] {
  std::array<bool, 256> result{};
  for (int c = 0; c < 0x80; ++c)
    result[static_cast<unsigned>(c)] = is_graphic(static_cast<char>(c)) && c != '#';
  return result;
}();

// What web pages and word processors put in the place of a blank, a dash or a dot.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> look_alikes{
    {{"\xc2\xa0", "U+00A0 (no-break space)"},
     {"\xe2\x80\xaf", "U+202F (narrow no-break space)"},
     {"\xe2\x80\x8b", "U+200B (zero width space)"},
     {"\xef\xbb\xbf", "U+FEFF (byte order mark)"},
     {"\xe2\x80\x90", "U+2010 (hyphen)"},
     {"\xe2\x80\x91", "U+2011 (non-breaking hyphen)"},
     {"\xe2\x80\x93", "U+2013 (en dash)"},
     {"\xe2\x80\x94", "U+2014 (em dash)"},
     {"\xe2\x88\x92", "U+2212 (minus sign)"},
     {"\xef\xbc\x8e", "U+FF0E (fullwidth full stop)"},
     {"\xef\xbc\x8f", "U+FF0F (fullwidth solidus)"},
     {"\xe3\x80\x80", "U+3000 (ideographic space)"}}};

// The character of two or three bytes in UTF-8 that a text begins with (RFC 3629, 3); 0: it begins with something else.
auto character_at(std::string_view text) -> unsigned {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
  if ((byte(0) & 0xe0U) == 0xc0U && follows(1))
    return (byte(0) & 0x1fU) << 6 | (byte(1) & 0x3fU);
  if ((byte(0) & 0xf0U) == 0xe0U && follows(1) && follows(2))
    return (byte(0) & 0x0fU) << 12 | (byte(1) & 0x3fU) << 6 | (byte(2) & 0x3fU);
  return 0;
}

// What the rest of a line begins with, which is not ASCII text; `line` is all of it.
auto describe(std::string_view rest, std::string_view line) -> std::string {
  const auto byte = static_cast<unsigned char>(rest.front());
  if (byte == 0)
    return "a NUL byte: this is not a text file";
  if (byte == '\r')
    return "a carriage return in the middle of a line";
  const auto column = line.size() - rest.size() + 1;
  for (const auto& [bytes, name] : look_alikes)
    if (rest.starts_with(bytes))
      return fmt::format("{}, which is not ASCII text, in column {}", name, column);
  if (const auto character = character_at(rest); character != 0)
    return fmt::format("U+{:04X}, which is not ASCII text, in column {}", character, column);
  return fmt::format("byte 0x{:02x}, which is not ASCII text, in column {}", byte, column);
}

// A file names few next hops, and most lines one that was named shortly before.
class Interned {
 public:
  auto intern(std::string_view word) -> tl::expected<std::uint32_t, std::string> {
    auto& recent = recent_[slot(word)];
    if (recent < words_.size() && words_[recent] == word)
      return recent;
    const auto [entry, added] =
        ids_.try_emplace(std::string{word}, static_cast<std::uint32_t>(words_.size()));
    if (added) {
      auto next_hop = parse_next_hop(word);
      if (!next_hop)
        return tl::unexpected(std::move(next_hop.error()));
      words_.emplace_back(word);
      next_hops_.push_back(std::move(*next_hop));
    }
    return recent = entry->second;
  }
  auto take() && -> std::vector<NextHop> { return std::move(next_hops_); }

 private:
  // Names of a kind differ in their last bytes: "gateway-1", "10.0.2.11".
  static auto slot(std::string_view word) -> std::size_t {
    unsigned hash = static_cast<unsigned>(word.size());
    for (const char byte : word.substr(word.size() - std::min<std::size_t>(word.size(), 3)))
      hash = 31 * hash + static_cast<unsigned char>(byte);
    return hash % slots;
  }

  static constexpr std::size_t slots = 1024;
  std::array<std::uint32_t, slots> recent_{};
  std::vector<std::string> words_;
  std::vector<NextHop> next_hops_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

// Takes the next word off `rest`: empty at the end of the line or at a comment. Nothing but a word, blanks
// and the comment's '#' can stand where it looks, so the first byte that is none of these ends it.
auto next_word(std::string_view& rest) -> std::string_view {
  std::size_t begin = 0;
  while (begin < rest.size() && is_blank(rest[begin]))
    ++begin;
  std::size_t end = begin;
  while (end < rest.size() && word_bytes[static_cast<unsigned char>(rest[end])])
    ++end;
  const auto word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

// Why the bytes behind a line's words are not the end of a route: nothing, or the reason.
auto refuse_rest(std::string_view rest, std::string_view line) -> std::optional<std::string> {
  if (rest.empty())
    return std::nullopt;
  if (rest.front() == '#') {
    // A comment may be in any language; it may not hide the bytes of a binary file.
    const auto control = std::find_if(rest.begin(), rest.end(), [](char c) {
      return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f';
    });
    return control == rest.end() ? std::nullopt : std::optional{describe({control, rest.end()}, line)};
  }
  if (!is_graphic(rest.front()) && !is_blank(rest.front()))
    return describe(rest, line);
  return "more than a prefix and a next hop";
}

// "default", which is 0.0.0.0/0; and a prefix and its next hop with nothing but a comma between, as spreadsheets have them.
auto other_prefix(std::string_view word, std::string_view& next_hop)
    -> std::optional<tl::expected<base::Prefix, std::string>> {
  if (word == "default")
    return base::Prefix{};
  const auto comma = word.find(',');
  if (comma == std::string_view::npos || !next_hop.empty())
    return std::nullopt;
  auto prefix = base::parse_prefix(word.substr(0, comma));
  if (prefix)
    next_hop = word.substr(comma + 1);
  return prefix;
}

}  // namespace

auto parse_text(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<RouteFile, base::Error> {
  if (text.size() > base::max_bytes)
    return tl::unexpected(base::Error{file, 0, fmt::format("holds more than {} bytes", base::max_bytes)});
  RouteFile result{.file = file, .format = Format::text};
  // A route of a public table takes about 20 bytes.
  result.routes.reserve(text.size() / 16);
  Interned next_hops;
  unsigned line_number = 0;

  while (!text.empty()) {
    ++line_number;
    const auto refuse = [&](std::string reason) {
      return tl::unexpected(base::Error{file, line_number, std::move(reason)});
    };
    const auto* newline =
        static_cast<const char*>(std::memchr(text.data(), '\n', std::min(text.size(), max_line + 2)));
    if (newline == nullptr && text.size() > max_line + 1)
      return refuse(fmt::format("is longer than {} bytes", max_line));
    auto line =
        text.substr(0, newline == nullptr ? text.size() : static_cast<std::size_t>(newline - text.data()));
    text.remove_prefix(line.size() + (newline == nullptr ? 0 : 1));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.size() > max_line)
      return refuse(fmt::format("is longer than {} bytes", max_line));

    const auto whole = line;
    const auto prefix_word = next_word(line);
    auto next_hop_word = prefix_word.empty() ? std::string_view{} : next_word(line);
    while (!line.empty() && is_blank(line.front()))
      line.remove_prefix(1);
    if (const auto reason = refuse_rest(line, whole))
      return refuse(*reason);
    if (prefix_word.empty())
      continue;
    auto prefix = base::parse_prefix(prefix_word);
    if (!prefix)
      prefix = other_prefix(prefix_word, next_hop_word).value_or(std::move(prefix));
    if (!prefix)
      return refuse(prefix.error());
    const auto next_hop = next_hops.intern(next_hop_word.empty() ? "-" : next_hop_word);
    if (!next_hop)
      return refuse(next_hop.error());
    result.routes.push_back({.prefix = *prefix, .next_hop = *next_hop, .line = line_number});
  }
  result.next_hops = std::move(next_hops).take();
  return result;
}

}  // namespace sekisho::formats
