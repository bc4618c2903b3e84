// SPDX-License-Identifier: BSD-3-Clause
// A table of the TOML file, read key by key: every key known, every value of its type, every complaint with
// its line.
#pragma once

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"
#include "control/config/keys.hpp"

namespace sekisho::config {

// Reading goes on after a complaint; the one that stands first in the file is the one to report.
class Problems {
 public:
  void add(unsigned line, std::string reason) {
    if (!first_ || line < first_->line)
      first_ = base::Error{{}, line, std::move(reason)};
  }
  [[nodiscard]] const std::optional<base::Error>& first() const { return first_; }

 private:
  std::optional<base::Error> first_;
};

template <typename T>
struct Located {
  T value;
  unsigned line = 0;
};

// One of the words that a key takes, and what it means.
template <typename T>
struct Word {
  std::string_view word;
  T meaning;
};

[[nodiscard]] unsigned line_of(const toml::node& node);

class Section {
 public:
  // `name` as in messages: "[port.lan]". A key that is not among `known` is a problem where the file has it; a reader that asks
  // for one is wrong (std::logic_error).
  Section(const toml::table& table, unsigned line, std::string name, Problems& problems,
          const KeyTable& known);

  [[nodiscard]] unsigned line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(std::string_view key) const { return node(key) != nullptr; }
  [[nodiscard]] auto node(std::string_view key) const -> const toml::node*;
  // Of a key that has one in its table.
  [[nodiscard]] auto range(std::string_view key) const -> KeyRange;
  [[nodiscard]] unsigned line_of_key(std::string_view key) const;

  // Nothing when the key is missing or (a problem) of another type.
  [[nodiscard]] auto text(std::string_view key) const -> std::optional<Located<std::string>>;
  [[nodiscard]] auto integer(std::string_view key) const -> std::optional<Located<std::int64_t>>;
  // One within the key's range.
  [[nodiscard]] auto number(std::string_view key) const -> std::optional<std::int64_t>;
  [[nodiscard]] auto boolean(std::string_view key) const -> std::optional<Located<bool>>;
  // A time as people write it, "500ms", within the key's range.
  [[nodiscard]] auto time(std::string_view key) const -> std::optional<std::chrono::milliseconds>;
  [[nodiscard]] auto texts(std::string_view key) const -> std::vector<Located<std::string>>;
  [[nodiscard]] auto array(std::string_view key, std::string_view of) const -> const toml::array*;
  // One of the key's words; of each of these `words` says what it means.
  template <typename T, std::size_t N>
  [[nodiscard]] auto choice(std::string_view key, const std::array<Word<T>, N>& words) const
      -> std::optional<T> {
    const auto word = choose(key);
    if (!word)
      return std::nullopt;
    const auto found = std::ranges::find(words, *word, &Word<T>::word);
    return found != words.end() ? std::optional{found->meaning} : throw std::logic_error{std::string{*word}};
  }
  // A problem when the key is missing; an empty list is one too.
  template <typename T, std::size_t N>
  [[nodiscard]] auto required_choice(std::string_view key, const std::array<Word<T>, N>& words) const
      -> std::optional<T> {
    require(key);
    return choice(key, words);
  }
  [[nodiscard]] auto required_text(std::string_view key) const -> std::optional<Located<std::string>>;
  [[nodiscard]] auto required_integer(std::string_view key) const -> std::optional<Located<std::int64_t>>;
  [[nodiscard]] auto required_array(std::string_view key, std::string_view of) const -> const toml::array*;
  [[nodiscard]] auto required_texts(std::string_view key) const -> std::vector<Located<std::string>>;

  void wrong_type(const toml::node& node, std::string_view key, std::string_view wanted) const;

 private:
  [[nodiscard]] auto known(std::string_view key) const -> const Key&;
  void require(std::string_view key) const;
  [[nodiscard]] auto texts_of(const toml::array* values, std::string_view key) const
      -> std::vector<Located<std::string>>;
  [[nodiscard]] auto choose(std::string_view key) const -> std::optional<std::string_view>;

  const toml::table& table_;
  unsigned line_;
  std::string name_;
  Problems& problems_;
  const KeyTable& known_;
  bool strange_keys_ = false;  // one of them may be the missing one misspelt: that is the better complaint
};

// The one table of `key`, [internet] say; nothing when it is missing or (a problem) no table.
struct SingleTable {
  const toml::table* table = nullptr;
  unsigned line = 0;
};
[[nodiscard]] auto single_table(const toml::table& root, std::string_view key, Problems& problems)
    -> std::optional<SingleTable>;

// The sub-tables of `key`, [port.lan] and [port.egress] say, in the order of the file.
struct NamedTable {
  std::string name;
  const toml::table* table = nullptr;
  unsigned line = 0;
};
[[nodiscard]] auto named_tables(const toml::table& root, std::string_view key, Problems& problems)
    -> std::vector<NamedTable>;

}  // namespace sekisho::config
