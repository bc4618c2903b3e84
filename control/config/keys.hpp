// SPDX-License-Identifier: BSD-3-Clause
// Every key of sekisho.toml: what the reader takes is what stands here, and so is what `sekisho keys`, sekisho.toml(5) and
// doc/configuration.md say of it. A key that is not here cannot be read (config/section.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace sekisho::config {

enum class KeyType : std::uint8_t {
  string,
  string_or_false,
  integer,
  auto_or_integer,
  boolean,
  time,  // "500ms", "30s", "5m", "1h"
  strings,
  string_or_strings,
  table,
  tables,
  strings_and_tables,
};
// "list of strings"
[[nodiscard]] std::string_view to_string(KeyType type) noexcept;

// Both belong to it. Of a time in milliseconds; of a list how many entries it has.
struct KeyRange {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

// Texts are Markdown of one line. Values are written as in TOML.
struct Key {
  std::string_view name;
  KeyType type = KeyType::string;
  std::string_view meaning;
  std::string_view example;
  std::string_view fallback = {};  // what a missing key means; empty: nothing, or what the meaning says
  bool required = false;
  std::optional<KeyRange> range = {};
  std::span<const std::string_view> words = {};  // of which the value is one; empty: any
};

struct KeyTable {
  std::string_view
      name;  // as its header is written: "[port.NAME]", "[[bgp.peer]]"; of a key without a table its name
  std::string_view what;
  std::span<const Key> keys;

  // Null: it has no such key.
  [[nodiscard]] const Key* find(std::string_view key) const noexcept;
};

namespace keys {
extern const KeyTable top;  // the tables themselves
extern const KeyTable include;
extern const KeyTable port;
extern const KeyTable neighbour;
extern const KeyTable next_hop;
extern const KeyTable member;
extern const KeyTable probe;
extern const KeyTable internet;
extern const KeyTable exit;
extern const KeyTable zone;
extern const KeyTable route;
extern const KeyTable assertion;
extern const KeyTable azure;
extern const KeyTable azure_next_hop;
extern const KeyTable bgp;
extern const KeyTable peer;
extern const KeyTable advertised_file;
extern const KeyTable metrics;
extern const KeyTable health;
extern const KeyTable web;
extern const KeyTable hook;
extern const KeyTable guard;
extern const KeyTable icmp;
extern const KeyTable ip_options;
}  // namespace keys

// All but the first, in the order in which people read them.
[[nodiscard]] std::span<const KeyTable* const> key_tables() noexcept;

}  // namespace sekisho::config
