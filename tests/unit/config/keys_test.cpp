// SPDX-License-Identifier: BSD-3-Clause
// The table of keys against the reader: each key is put into a configuration that is otherwise good.
#include "control/config/keys.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/duration.hpp"
#include "control/config/config.hpp"

namespace sekisho::config {
namespace {

using std::chrono::milliseconds;
using Lines =
    std::map<std::string, std::string, std::less<>>;  // keys with their values; an empty one: without it

// Tables of other keys, in which what is tested may be named.
const std::vector<std::pair<std::string, Lines>> surroundings{
    {"[port.lan]", {{"device", "\"net_null0\""}, {"address", "[\"10.0.1.4/24\"]"}}},
    {"[port.wan]", {{"device", "\"net_null1\""}, {"address", "[\"10.0.2.4/24\", \"10.0.3.10/24\"]"}}},
    {"[next_hop.firewall]", {{"members", "[\"10.0.2.10\"]"}}},
    {"[internet]", {{"via", "\"firewall\""}, {"exit", "{ port = \"wan\" }"}}},
    {"[zone.onprem]", {{"port", "[\"lan\"]"}, {"sources", "[\"172.16.0.0/12\"]"}, {"internet", "true"}}},
    {"[azure]", {{"service_tags", "\"tags.json\""}}},
    {"[bgp]", {{"asn", "65010"}}},
};

// What else stands in the table, for a key of this value to be good.
Lines needs(std::string_view table, std::string_view key, std::string_view value) {
  const auto is = [&](std::string_view in, std::initializer_list<std::string_view> of) {
    return table == in && std::ranges::find(of, key) != of.end();
  };
  if (is("[port.NAME]", {"device"}))
    return {{"address", ""}};  // the kernel's
  if (is("[port.NAME]", {"subnet_table"}))
    return {{"subnet_routes", "\"udr.json\""}};
  if (table == "[next_hop.NAME.probe]") {
    if (key == "path" || key == "status")
      return {{"type", "\"http\""}, {"port", "80"}};
    if (key == "timeout")
      return {{"interval", "\"1h\""}, {"port", "80"}};
    return {{"port", key == "through" || value == "\"icmp\"" ? "" : "80"}};
  }
  if (is("[zone.NAME]", {"follow_default"}))
    return {{"routes", "[\"bgp\"]"}};
  if (is("[zone.NAME]", {"vnet", "peerings"}) || (is("[zone.NAME]", {"system_routes"}) && value == "true"))
    return {{"system_routes", "true"}, {"vnet", "[\"10.1.0.0/16\"]"}};
  if (table == "[[zone.NAME.routes]]") {
    Lines lines{{"next_hop", "\"firewall\""}};
    if (is(table, {"cloud"}))
      lines["preset"] = "\"kms\"";
    else if (is(table, {"preset"}))
      lines["cloud"] = "\"public\"";
    else if (is(table, {"table", "format", "parameters", "peer", "allow_empty"}))
      lines["file"] = "\"routes.txt\"";
    else if (is(table, {"next_hop", "no_such_key"}))
      lines["prefix"] = "\"10.1.0.0/16\"";
    return lines;
  }
  if (is("[guard]", {"allow"}))
    return {{"scope", "\"ports\""}};
  if (is("[guard]", {"scope"}) && value == "\"ports\"")
    return {{"allow", "[\"docker0\"]"}};
  return {};
}

struct Document {
  std::string text;
  unsigned line = 0;  // of the key
};

std::string header_of(const KeyTable& table) {
  std::string header{table.name};
  const auto at = header.find("NAME");
  if (at != std::string::npos)
    header.replace(at, 4,
                   header.starts_with("[next_hop") || header.starts_with("[[next_hop") ? "firewall"
                   : header.find("zone") != std::string::npos                          ? "onprem"
                                                                                       : "lan");
  return header;
}

// Without a value there is a comment in the key's place: each line has its number all the same.
Document with(const KeyTable& table, const Key& key, const std::optional<std::string>& value) {
  const auto header = header_of(table);
  const auto last = header.rfind('.');
  Document document;
  unsigned line = 0;
  const auto add = [&](std::string_view text) {
    document.text += fmt::format("{}\n", text);
    ++line;
  };
  if (!table.name.starts_with('[')) {  // before all tables
    add(value ? fmt::format("{} = {}", key.name, *value) : "#");
    document.line = line;
  }
  Lines lines;
  for (const auto& each : table.keys)
    if (each.required)
      lines[std::string{each.name}] = each.example;
  for (const auto& [in, others] : surroundings) {
    if (in == header) {
      for (const auto& [name, other] : others)
        lines[name] = other;
      continue;
    }
    add(in);
    // A table's own key is not there twice.
    const bool is_parent = header.find(in.substr(1, in.size() - 2) + ".") != std::string::npos;
    for (const auto& [name, other] : others)
      if (!is_parent || last == std::string::npos ||
          header.substr(last + 1, header.find(']') - last - 1) != name)
        add(fmt::format("{} = {}", name, other));
  }
  for (const auto& [name, other] : needs(table.name, key.name, value.value_or("")))
    lines[name] = other;
  if (document.line != 0)
    return document;
  lines.erase(std::string{key.name});
  add(header);
  add(value ? fmt::format("{} = {}", key.name, *value) : "#");
  document.line = line;
  for (const auto& [name, other] : lines)
    if (!other.empty())
      add(fmt::format("{} = {}", name, other));
  if (table.name == "[[next_hop.NAME.members]]") {  // one of them takes flows
    add(header);
    add("address = \"10.0.2.12\"");
  }
  return document;
}

auto parsed(const Document& document) {
  return parse(document.text, "sekisho.toml");
}

void expect_refused(const Document& document, std::string_view containing = {}) {
  const auto config = parsed(document);
  ASSERT_FALSE(config) << document.text;
  EXPECT_NE(config.error().reason.find(containing), std::string::npos) << config.error().to_string();
}

std::string written(const Key& key, std::int64_t value) {
  return key.type == KeyType::time ? fmt::format("\"{}\"", base::to_string(milliseconds{value}))
                                   : std::to_string(value);
}

bool is_list(const Key& key) {
  return key.type == KeyType::strings_and_tables || key.type == KeyType::string_or_strings;
}

std::string list_of(const Key& key, std::int64_t size) {
  std::string result;
  for (std::int64_t i = 0; i < size; ++i)
    result += fmt::format("\"10.0.9.{}{}\", ", i + 1, key.name == "through" ? ":443" : "");
  return fmt::format("[{}]", result);
}

void for_each_key(const std::function<void(const KeyTable&, const Key&)>& check) {
  for (const auto* table : key_tables())
    for (const auto& key : table->keys) {
      SCOPED_TRACE(fmt::format("{} {}", table->name, key.name));
      check(*table, key);
    }
}

TEST(Keys, EachHasAMeaningAndAnExampleThatIsRead) {
  for_each_key([](const KeyTable& table, const Key& key) {
    EXPECT_TRUE(key.meaning.ends_with('.')) << key.meaning;
    EXPECT_EQ(key.meaning.find('\n'), std::string_view::npos);
    const auto document = with(table, key, std::string{key.example});
    const auto config = parsed(document);
    EXPECT_TRUE(config) << config.error().to_string() << "\n" << document.text;
  });
}

// A value of a type that no key has is refused where the key is, if somebody reads it.
TEST(Keys, EachIsRead) {
  for_each_key([](const KeyTable& table, const Key& key) {
    const auto document = with(table, key, "1979-05-27");
    const auto config = parsed(document);
    ASSERT_FALSE(config) << document.text;
    EXPECT_EQ(config.error().line, document.line) << config.error().to_string();
  });
  for (const auto& key : keys::top.keys) {
    const auto config = parse(fmt::format("{} = 1979-05-27\n", key.name), "sekisho.toml");
    ASSERT_FALSE(config) << key.name;
    EXPECT_EQ(config.error().line, 1U) << config.error().to_string();
  }
}

TEST(Keys, NoTableIsMissing) {
  std::set<std::string_view> tops;
  for (const auto* table : key_tables()) {
    const auto name = table->name.substr(table->name.find_first_not_of('['));
    tops.insert(name.substr(0, name.find_first_of(".]")));
  }
  std::set<std::string_view> known;
  for (const auto& key : keys::top.keys)
    known.insert(key.name);
  EXPECT_EQ(tops, known);
}

TEST(Keys, ARequiredOneIsMissed) {
  for_each_key([](const KeyTable& table, const Key& key) {
    if (!key.required)
      return;
    EXPECT_TRUE(key.fallback.empty());
    expect_refused(with(table, key, std::nullopt), fmt::format("\"{}\"", key.name));
  });
}

TEST(Keys, AMissingOneMeansItsDefault) {
  std::size_t checked = 0;
  for_each_key([&](const KeyTable& table, const Key& key) {
    if (key.fallback.empty())
      return;
    std::string fallback{key.fallback};
    if (const auto at = fallback.find("NAME"); at != std::string::npos)
      fallback.replace(at, 4, "lan");
    // What the default needs, the missing key has as well.
    const auto without = parsed(with(table, key, std::nullopt));
    const auto with_default = parsed(with(table, key, fallback));
    const auto with_example = parsed(with(table, key, std::string{key.example}));
    ASSERT_TRUE(without) << without.error().to_string();
    ASSERT_TRUE(with_default) << with_default.error().to_string();
    ASSERT_TRUE(with_example) << with_example.error().to_string();
    EXPECT_TRUE(*without == *with_default);
    EXPECT_FALSE(*without == *with_example) << "the example shows the default";
    ++checked;
  });
  EXPECT_GT(checked, 40U);
}

TEST(Keys, WhatIsOutOfRangeIsRefused) {
  for_each_key([](const KeyTable& table, const Key& key) {
    if (!key.range) {
      EXPECT_NE(key.type, KeyType::integer);
      EXPECT_NE(key.type, KeyType::time);
      return;
    }
    const auto [least, most] = *key.range;
    const auto value = [&](std::int64_t number) {
      return is_list(key) ? list_of(key, number) : written(key, number);
    };
    for (const auto good : {least, most}) {
      const auto config = parsed(with(table, key, value(good)));
      EXPECT_TRUE(config) << config.error().to_string();
    }
    if (least > 0 || key.type == KeyType::integer)
      expect_refused(with(table, key, value(least - 1)));
    expect_refused(with(table, key, value(most + 1)));
  });
}

TEST(Keys, EachOfItsWordsIsTakenAndNoOther) {
  for_each_key([](const KeyTable& table, const Key& key) {
    if (key.words.empty())
      return;
    for (const auto word : key.words) {
      const auto config = parsed(with(table, key, fmt::format("\"{}\"", word)));
      EXPECT_TRUE(config) << config.error().to_string();
      expect_refused(with(table, key, "\"no-such-word\""), fmt::format("\"{}\"", word));
    }
  });
}

TEST(Keys, AnotherOneIsRefused) {
  for (const auto* table : key_tables())
    if (table != &keys::azure_next_hop)  // its keys are words of Azure's
      expect_refused(with(*table, Key{.name = "no_such_key", .meaning = {}, .example = {}}, "1"),
                     "\"no_such_key\" is not a key of");
}

}  // namespace
}  // namespace sekisho::config
