// SPDX-License-Identifier: BSD-3-Clause
// A table of the TOML file, read key by key: every key known, every value of its type, every complaint with
// its line.
#pragma once

#include <toml++/toml.h>
#include <array>
#include <chrono>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.hpp"

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
  // `name` as in messages: "[port.lan]". `unsupported` are keys that a later version will know.
  Section(const toml::table& table, unsigned line, std::string name, Problems& problems,
          std::initializer_list<std::string_view> known,
          std::initializer_list<std::string_view> unsupported = {});

  [[nodiscard]] unsigned line() const { return line_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  [[nodiscard]] auto node(std::string_view key) const -> const toml::node* { return table_.get(key); }
  [[nodiscard]] unsigned line_of_key(std::string_view key) const;

  // Nothing when the key is missing or (a problem) of another type.
  [[nodiscard]] auto text(std::string_view key) const -> std::optional<Located<std::string>>;
  [[nodiscard]] auto integer(std::string_view key) const -> std::optional<Located<std::int64_t>>;
  [[nodiscard]] auto boolean(std::string_view key) const -> std::optional<Located<bool>>;
  // A time as people write it, "500ms", within these bounds, which are good times too.
  [[nodiscard]] auto time(std::string_view key, std::chrono::milliseconds least,
                          std::chrono::milliseconds most) const -> std::optional<std::chrono::milliseconds>;
  [[nodiscard]] auto texts(std::string_view key) const -> std::vector<Located<std::string>>;
  [[nodiscard]] auto array(std::string_view key, std::string_view of) const -> const toml::array*;
  template <typename T, std::size_t N>
  [[nodiscard]] auto choice(std::string_view key, const std::array<Word<T>, N>& words) const
      -> std::optional<T> {
    std::array<std::string_view, N> texts;
    for (std::size_t i = 0; i < N; ++i)
      texts[i] = words[i].word;
    const auto index = choose(key, texts);
    return index ? std::optional{words[*index].meaning} : std::nullopt;
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
  void require(std::string_view key) const;
  [[nodiscard]] auto texts_of(const toml::array* values, std::string_view key) const
      -> std::vector<Located<std::string>>;
  [[nodiscard]] auto choose(std::string_view key, std::span<const std::string_view> words) const
      -> std::optional<std::size_t>;

  const toml::table& table_;
  unsigned line_;
  std::string name_;
  Problems& problems_;
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
