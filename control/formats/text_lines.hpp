// SPDX-License-Identifier: BSD-3-Clause
// Text that other programs print, a line at a time, for readers that need not be as fast as that of text route files.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace sekisho::formats {

// Takes the next line off `text`, without its end; "\r\n" ends one, too.
constexpr auto next_line(std::string_view& text) -> std::string_view {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r'))
    line.remove_suffix(1);
  return line;
}

// What stands between blanks.
[[nodiscard]] inline auto words_of_line(std::string_view line) -> std::vector<std::string_view> {
  constexpr std::string_view blanks = " \t";
  std::vector<std::string_view> words;
  for (auto begin = line.find_first_not_of(blanks); begin != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(blanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(blanks, end);
  }
  return words;
}

// As much as tells what a text is: a file of one line may have a gigabyte of words.
[[nodiscard]] constexpr auto beginning_of(std::string_view text) -> std::string_view {
  constexpr std::size_t most = 1 << 16;
  return text.substr(0, most);
}

// The words of the first line that is neither empty nor a comment.
[[nodiscard]] inline auto first_words(std::string_view text) -> std::vector<std::string_view> {
  text = beginning_of(text);
  while (!text.empty()) {
    auto words = words_of_line(next_line(text));
    if (!words.empty() && !words.front().starts_with('#'))
      return words;
  }
  return {};
}

// Whether a line near the beginning has such words: a text may open with what is of no interest to its reader.
template <typename Predicate>
[[nodiscard]] bool any_line(std::string_view text, Predicate holds) {
  text = beginning_of(text);
  while (!text.empty()) {
    if (holds(words_of_line(next_line(text))))
      return true;
  }
  return false;
}

}  // namespace sekisho::formats
