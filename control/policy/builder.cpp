// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/error.hpp"
#include "common/base/prefix.hpp"
#include "control/config/presets.hpp"
#include "control/policy/exceptions.hpp"
#include "control/policy/system_routes.hpp"
#include "control/route/internet.hpp"

namespace sekisho::policy {

using base::Error;
using route::NextHopType;
using route::Origin;

auto Builder::build() -> std::optional<Error> {
  const auto& config = policy_.config;
  if (!config.azure.service_tags.empty()) {
    if (auto refused = files_.read_service_tags(config.azure.service_tags))
      return refused;
  }
  for (const auto& zone : config.zones) {
    if (auto refused = add_zone(zone))
      return refused;
  }
  if (auto refused = add_advertised())
    return refused;
  for (const auto& assertion : config.assertions) {
    if (auto refused = add_assertion(assertion))
      return refused;
  }
  policy_.exceptions = collect_exceptions(policy_);
  policy_.files = std::move(files_).take_loaded();
  return std::nullopt;
}

auto Builder::add_advertised() -> std::optional<Error> {
  const auto& config = policy_.config;
  auto& all = policy_.advertised;
  if (config.internet && config.internet->advertise == config::Advertise::default_route)
    all.push_back(route::default_route);
  if (config.internet && config.internet->advertise == config::Advertise::halves)
    all.insert(all.end(), route::halves.begin(), route::halves.end());
  for (const auto& spec : config.bgp ? config.bgp->advertise : std::vector<config::RouteSpec>{}) {
    if (spec.kind == config::RouteSpec::Kind::prefix) {
      all.push_back(spec.prefix);
      continue;
    }
    const auto file = files_.read(spec, policy_.config);
    if (!file)
      return file.error();
    std::ranges::transform((*file)->routes, std::back_inserter(all), &formats::FileRoute::prefix);
  }
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return std::nullopt;
}

auto Builder::add_assertion(const config::Assertion& assertion) -> std::optional<Error> {
  auto to = unfold(assertion.to);
  if (!to)
    return std::move(to.error());
  auto except = unfold(assertion.except);
  if (!except)
    return std::move(except.error());
  policy_.assertions.push_back({std::move(*to), std::move(*except)});
  return std::nullopt;
}

auto Builder::unfold(const std::vector<config::Destination>& written) -> tl::expected<Destinations, Error> {
  using Kind = config::Destination::Kind;
  Destinations result;
  auto& prefixes = result.prefixes;
  std::vector<std::pair<std::string, unsigned>> tags;  // with the line
  for (const auto& destination : written) {
    switch (destination.kind) {
      case Kind::internet:
        result.internet = true;
        break;
      case Kind::prefix:
        prefixes.push_back(destination.prefix);
        break;
      case Kind::preset: {
        const auto& preset = *config::find_preset(destination.name);
        const auto& cloud = policy_.config.azure.cloud;
        std::ranges::transform(preset.hosts_in(cloud), std::back_inserter(prefixes),
                               &config::PresetHost::prefix);
        for (const auto& tag : preset.tags)
          if (preset.is_routable(tag, cloud))
            tags.emplace_back(std::string{tag.name}, destination.line);
        break;
      }
      case Kind::tag:
        tags.emplace_back(destination.name, destination.line);
        break;
    }
  }
  for (const auto& [name, line] : tags) {
    const auto tag = files_.unfold(name, policy_.config.at(line));
    if (!tag)
      return tl::unexpected(tag.error());
    std::ranges::transform(tag->routes, std::back_inserter(prefixes), &formats::FileRoute::prefix);
  }
  return result;
}

auto Builder::add_zone(const config::Zone& zone) -> std::optional<Error> {
  ZonePolicy result{zone.name, zone.ports, zone.sources, {}, {}, zone.connected};
  if (auto refused = add_system_routes(result.table, policy_.config, zone, next_hops_, policy_.names))
    return refused;
  for (const auto& spec : zone.routes) {
    if (auto refused = add_spec(result.table, zone, spec))
      return refused;
  }
  result.table.finish();
  policy_.zones.push_back(std::move(result));
  return std::nullopt;
}

auto Builder::add_spec(route::RouteTable& table, const config::Zone& zone, const config::RouteSpec& spec)
    -> std::optional<Error> {
  switch (spec.kind) {
    case config::RouteSpec::Kind::prefix:
      return add_prefix(table, zone, spec);
    case config::RouteSpec::Kind::preset:
      return add_preset(table, spec);
    case config::RouteSpec::Kind::tag:
      return add_tag(table, spec, spec.tag, "service tag " + spec.tag);
    case config::RouteSpec::Kind::file:
      return add_file(table, spec);
  }
  return std::nullopt;
}

auto Builder::add_prefix(route::RouteTable& table, const config::Zone& zone, const config::RouteSpec& spec)
    -> std::optional<Error> {
  if (auto reason = refuse_exception(spec.prefix, spec.next_hop))
    return policy_.config.at(spec.line, std::move(*reason));
  const auto next_hop = next_hops_.named(spec.next_hop);
  const auto source = policy_.names.intern(fmt::format("zone.{}.routes", zone.name));
  table.add({spec.prefix, Origin::user, next_hop.type, next_hop.name, source, spec.line});
  return std::nullopt;
}

auto Builder::add_preset(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<Error> {
  const auto& preset = *config::find_preset(spec.preset);
  const auto next_hop = next_hops_.named(spec.next_hop);
  const auto name = fmt::format("preset {} {}", spec.preset, spec.cloud);
  const auto source = policy_.names.intern(name);
  for (const auto& host : preset.hosts_in(spec.cloud))
    table.add({host.prefix, Origin::user, next_hop.type, next_hop.name, source, spec.line});
  for (const auto& tag : preset.tags)
    if (preset.is_routable(tag, spec.cloud))
      if (auto refused =
              add_tag(table, spec, std::string{tag.name}, fmt::format("{}, service tag {}", name, tag.name)))
        return refused;
  return std::nullopt;
}

auto Builder::add_tag(route::RouteTable& table, const config::RouteSpec& spec, const std::string& tag,
                      const std::string& written) -> std::optional<Error> {
  const auto unfolded = files_.unfold(tag, policy_.config.at(spec.line));
  if (!unfolded)
    return unfolded.error();
  const auto next_hop = next_hops_.named(spec.next_hop);
  const auto source = policy_.names.intern(written);
  for (const auto& route : unfolded->routes) {
    if (auto reason = refuse_exception(route.prefix, spec.next_hop))
      return policy_.config.at(spec.line, std::move(*reason));
    table.add({route.prefix, route.origin, next_hop.type, next_hop.name, source, spec.line});
  }
  return std::nullopt;
}

auto Builder::add_file(route::RouteTable& table, const config::RouteSpec& spec) -> std::optional<Error> {
  const auto file = files_.read(spec, policy_.config);
  if (!file)
    return file.error();
  Source source{.file = **file, .spec = spec, .names = {}, .next_hops = {}, .left_out = {}, .maybe_own = {}};
  for (const auto& label : (*file)->labels)
    source.names.push_back(source_name(**file, label));
  source.next_hops.resize(2 * (*file)->next_hops.size());
  for (const auto& route : (*file)->routes) {
    if (auto refused = add_route(table, source, route))
      return refused;
  }
  for (auto& [kind, left_out] : source.left_out)
    policy_.oddities.left_out.push_back(std::move(left_out));
  if (source.maybe_own.count != 0)
    policy_.oddities.maybe_own.push_back(std::move(source.maybe_own));
  return std::nullopt;
}

auto Builder::add_route(route::RouteTable& table, Source& source, const formats::FileRoute& route)
    -> std::optional<Error> {
  const auto refuse = [&](const std::string& reason) {
    if (route.line != 0)
      return Error{source.file.file, route.line, reason};
    const auto& label = source.file.labels[route.label];
    return Error{source.file.file, 0,
                 fmt::format("route {}{}: {}", label.empty() ? "" : fmt::format("\"{}\" to ", label),
                             base::to_string(route.prefix), reason)};
  };
  const auto& written = source.file.next_hops[route.next_hop];
  const auto type = written.type;
  // Azure's own way out knows no firewall, nor does who advertises one; who wants it writes the route.
  const auto is_written = route::is_user(route.origin);
  const auto is_bgp = route.origin == Origin::bgp;
  const auto unbound = type != NextHopType::none && !next_hops_.is_bound(type);
  if (!is_written && (type == NextHopType::internet || (!is_bgp && unbound))) {
    auto& left_out = source.left_out[{type, to_string(route.origin)}];
    if (left_out.count++ == 0)
      left_out = {source.file.file, route.origin, type, route.prefix, 1};
    return std::nullopt;
  }
  auto& next_hop = source.next_hops[2 * route.next_hop + (is_bgp ? 1 : 0)];
  if (!next_hop) {
    const auto resolved = resolve(written, route.origin, source.spec.next_hop);
    if (!resolved)
      return refuse(resolved.error());
    next_hop = *resolved;
    if (is_bgp)
      note_if_unsure(source, route, *next_hop);
  }
  if (const auto reason = refuse_exception(route.prefix, policy_.names[next_hop->name]))
    return refuse(*reason);
  table.add(
      {route.prefix, route.origin, next_hop->type, next_hop->name, source.names[route.label], route.line});
  return std::nullopt;
}

auto Builder::resolve(const formats::NextHop& written, Origin origin, const std::string& otherwise)
    -> tl::expected<NextHop, std::string> {
  if (written.is_missing()) {
    if (otherwise.empty())
      return tl::unexpected(std::string{
          "names no next hop, and the configuration gives none for this file: write { file = \"...\", "
          "next_hop = \"...\" } in \"routes\""});
    return next_hops_.named(otherwise);
  }
  return next_hops_.resolve(written, origin == Origin::bgp ? otherwise : std::string{});
}

void Builder::note_if_unsure(Source& source, const formats::FileRoute& route, NextHop next_hop) {
  const auto& internet = policy_.config.internet;
  const auto address = next_hops_.possibly_own(source.file.next_hops[route.next_hop].addresses);
  if (!address || !internet || policy_.names[next_hop.name] == internet->via)
    return;
  if (source.maybe_own.count++ == 0)
    source.maybe_own = {.file = source.file.file,
                        .address = *address,
                        .prefix = route.prefix,
                        .next_hop = policy_.names[next_hop.name],
                        .interfaces = next_hops_.unknown_interfaces(),
                        .count = 1};
}

auto Builder::source_name(const formats::RouteFile& file, const std::string& label) -> route::NameId {
  const auto id = policy_.names.intern(label.empty() ? file.file.string() : file.file.string() + " " + label);
  policy_.file_sources.try_emplace(id, FileSource{file.file, label});
  return id;
}

}  // namespace sekisho::policy
