// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "common/base/text.hpp"
#include "control/config/addresses.hpp"
#include "control/config/presets.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

// What an entry of "routes" is about.
constexpr std::array<std::string_view, 4> subjects{"prefix", "file", "preset", "tag"};

}  // namespace

void Reader::read_routes(const Section& section, Zone& zone) {
  const auto* entries = section.array("routes", "tables and file names");
  if (entries == nullptr)
    return;
  for (const auto& entry : *entries) {
    if (const auto* table = entry.as_table()) {
      const Section inner{*table, line_of(entry), "an entry of \"routes\"", problems_, keys::route};
      if (auto spec = read_route(inner))
        zone.routes.push_back(std::move(*spec));
    } else if (const auto* word = entry.as_string(); word != nullptr && word->get() == "bgp") {
      if (zone.learned_routes)
        refuse(line_of(entry), "duplicate \"bgp\" in \"routes\"");
      zone.learned_routes = true;
    } else if (const auto* file = entry.as_string()) {  // short for { file = "..." }
      RouteSpec spec;
      spec.kind = RouteSpec::Kind::file;
      spec.line = line_of(entry);
      spec.file = resolve_file({file->get(), spec.line}, "file");
      zone.routes.push_back(std::move(spec));
    } else {
      section.wrong_type(entry, "routes", "an array of tables and file names only");
    }
  }
}

auto Reader::read_route(const Section& section) -> std::optional<RouteSpec> {
  RouteSpec spec;
  spec.line = section.line();
  if (std::ranges::count_if(subjects, [&](auto key) { return section.has(key); }) != 1) {
    refuse(section.line(),
           "an entry of \"routes\" has exactly one of \"prefix\", \"file\", \"preset\" and \"tag\"");
    return std::nullopt;
  }
  if (section.has("cloud") && !section.has("preset"))
    refuse(section.line_of_key("cloud"), "\"cloud\" belongs to a \"preset\" only");
  for (const auto* key : {"peer", "allow_empty", "table", "format", "parameters"})
    if (section.has(key) && !section.has("file"))
      refuse(section.line_of_key(key), fmt::format("\"{}\" belongs to a \"file\" only", key));

  if (const auto prefix = section.text("prefix"))
    read_route_prefix(*prefix, spec);
  else if (section.has("file"))
    read_route_file(section, spec);
  else if (section.has("preset"))
    read_route_preset(section, spec);
  else if (section.has("tag"))
    read_route_tag(section, spec);
  // The lines of a file may each name their own.
  if (const auto next_hop =
          section.has("file") ? section.text("next_hop") : section.required_text("next_hop"))
    spec.next_hop = resolve_next_hop(*next_hop);
  return spec;
}

void Reader::read_route_prefix(const Located<std::string>& prefix, RouteSpec& spec) {
  spec.kind = RouteSpec::Kind::prefix;
  if (const auto parsed = base::parse_prefix(prefix.value))
    spec.prefix = *parsed;
  else
    refuse(prefix.line, parsed.error());
}

void Reader::read_route_file(const Section& section, RouteSpec& spec) {
  spec.kind = RouteSpec::Kind::file;
  if (const auto file = section.text("file"))
    spec.file = resolve_file(*file, "file");
  if (const auto table = section.text("table"))
    spec.table = table->value;
  if (const auto format = section.text("format"))
    spec.format = format->value;
  if (const auto parameters = section.text("parameters"))
    spec.parameters = resolve_file(*parameters, "parameters");
  const auto allow_empty = section.boolean("allow_empty");
  spec.allow_empty = allow_empty && allow_empty->value;
  if (const auto peer = section.text("peer")) {
    if (const auto address = parse_host(peer->value))
      spec.peer = *address;
    else
      refuse(peer->line, address.error());
  }
}

void Reader::read_route_preset(const Section& section, RouteSpec& spec) {
  spec.kind = RouteSpec::Kind::preset;
  if (const auto preset = section.text("preset")) {
    spec.preset = preset->value;
    check_preset(*preset);
  }
  spec.cloud = section.required_choice("cloud", clouds).value_or("");
  const auto* known = find_preset(spec.preset);
  if (known == nullptr || spec.cloud.empty())
    return;
  if (known->is_empty_in(spec.cloud))
    refuse(section.line_of_key("preset"),
           fmt::format("preset \"{}\" has nothing that can be routed in cloud {}", spec.preset, spec.cloud));
  else if (known->has_tags_in(spec.cloud) && config_.azure.service_tags.empty())
    refuse(section.line_of_key("preset"),
           fmt::format("preset \"{}\" is of service tags, and what they mean, a file tells: write "
                       "service_tags = \"FILE\" in [azure]",
                       spec.preset));
}

void Reader::check_preset(const Located<std::string>& name) {
  std::vector<std::string_view> names;
  std::ranges::transform(route_presets(), std::back_inserter(names), &Preset::name);
  if (find_preset(name.value) == nullptr)
    refuse(name.line, fmt::format("there is no preset {}{}; `sekisho presets` lists them",
                                  base::in_quotes(name.value), base::suggestion(name.value, names)));
}

void Reader::read_route_tag(const Section& section, RouteSpec& spec) {
  spec.kind = RouteSpec::Kind::tag;
  const auto tag = section.text("tag");
  if (!tag)
    return;
  if (tag->value.empty())
    refuse(tag->line, "\"tag\" names no service tag");
  else if (config_.azure.service_tags.empty())
    refuse(tag->line, fmt::format("what {} means, a file tells: write service_tags = \"FILE\" in [azure]",
                                  base::in_quotes(tag->value)));
  spec.tag = tag->value;
}

}  // namespace sekisho::config
