// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/route_json.hpp"

#include <fmt/format.h>

#include <string>

#include "common/base/prefix.hpp"

namespace sekisho::serve {

std::string source_of(const sync::KernelRoute& route) {
  using Kind = sync::KernelRoute::Kind;
  switch (route.kind) {
    case Kind::own:
      return "own address";
    case Kind::connected:
      return fmt::format("connected prefix of port {}", route.port);
    case Kind::edge:
      return fmt::format("network or broadcast address on port {}", route.port);
    case Kind::host:
      return fmt::format("host on port {}", route.port);
  }
  return "?";
}

Json route_json(const policy::Policy& policy, const route::Route& route) {
  const auto file = policy.file_sources.find(route.source);
  const auto is_of_file = file != policy.file_sources.end();
  const auto type = route::to_string(route.type);
  Json result{{"prefix", base::to_string(route.prefix)},
              {"next_hop", policy.names[route.next_hop]},
              {"next_hop_type", type.empty() ? Json(nullptr) : Json(type)},
              {"origin", route::to_string(route.origin)},
              {"source", policy.names[route.source]},
              {"name", nullptr},
              {"file", nullptr},
              {"line", nullptr}};
  if (is_of_file && !file->second.label.empty()) {
    result["name"] = file->second.label;
  }
  // Everything else that has a line stands in the configuration.
  if (is_of_file || route.line != 0) {
    const auto place =
        is_of_file ? base::Error{file->second.file, route.line, {}} : policy.config.at(route.line);
    result["file"] = place.file.string();
    result["line"] = place.line != 0 ? Json(place.line) : Json(nullptr);
  }
  return result;
}

Json route_json(const sync::KernelRoute& route) {
  return {{"prefix", base::to_string(route.prefix)},
          {"next_hop", policy_name(std::string{route.next_hop})},
          {"next_hop_type", nullptr},
          {"origin", route::to_string(route::Origin::system)},
          {"source", source_of(route)},
          {"name", nullptr},
          {"file", nullptr},
          {"line", nullptr}};
}

}  // namespace sekisho::serve
