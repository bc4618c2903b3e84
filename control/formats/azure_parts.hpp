// SPDX-License-Identifier: BSD-3-Clause
// What reads each of Azure's files once the document is parsed; azure.hpp is what the rest of the control plane sees.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <unordered_map>
#include <unordered_set>

#include "common/base/error.hpp"
#include "control/formats/json.hpp"
#include "control/formats/route_collector.hpp"
#include "control/formats/service_tags.hpp"

namespace sekisho::formats {

// Route tables and their routes, in whichever of Azure's shapes. What a template leaves to its deployment (see arm_scope.hpp)
// becomes a finding of Severity::error at its place.
class RouteTableReader {
 public:
  explicit RouteTableReader(RouteCollector& routes) : routes_(routes) {}

  // Answers the table's index in RouteFile::tables.
  auto table(const Json& table, const std::string& path) -> tl::expected<std::uint16_t, base::Error>;
  // A table that the file does not hold, of whose routes it holds some: one of them is at `path`.
  auto absent_table(const std::string& name, const std::string& path)
      -> tl::expected<std::uint16_t, base::Error>;
  // An element of a table's `routes`.
  auto route(const Json& route, const std::string& path, std::uint16_t table)
      -> tl::expected<void, base::Error>;
  // A resource of its own, "name" being that behind the table's. The portal's exports repeat in it what the table says
  // inline: that is no second route.
  auto child(const Json& route, const std::string& name, const std::string& path, std::uint16_t table)
      -> tl::expected<void, base::Error>;
  // Either, of a tool that has names of its own for Azure's properties: `members` has Azure's.
  auto read(const Members& members, const std::string* child_name, std::uint16_t table)
      -> tl::expected<void, base::Error>;

 private:
  struct Meaning {
    std::string text;  // destination and next hop, to be compared
    bool inline_route = false;
  };

  auto read(const Json& route, const std::string* name, const std::string& path, std::uint16_t table)
      -> tl::expected<void, base::Error>;
  auto is_repeated(const Members& members, const std::string& name, std::uint16_t table, Meaning meaning)
      -> tl::expected<bool, base::Error>;
  bool is_left_out(const Members& members, const std::string& what);

  RouteCollector& routes_;
  bool has_override_ = false;                          // found already
  std::unordered_map<std::string, Meaning> meanings_;  // by "table index/name", the name in small letters
};

// A list of rows, or the one that ConvertTo-Json and `az --query` print without a list.
[[nodiscard]] auto read_effective_routes(const Json& rows, const std::string& path, RouteCollector& routes)
    -> tl::expected<void, base::Error>;
// `parameters`: what its deployment passes (arm_parameters.hpp); null: nobody has said.
[[nodiscard]] auto read_template(const Json& document, const Json* parameters, RouteCollector& routes)
    -> tl::expected<void, base::Error>;
[[nodiscard]] auto service_tags_of(const Json& document, const std::filesystem::path& file)
    -> tl::expected<ServiceTags, base::Error>;

// A route table's `subnets`, each an object with its identifier or that alone.
[[nodiscard]] auto attached_subnets(const Json& list) -> std::vector<AttachedSubnet>;

// Azure's read-only members, and those that say nothing of routing.
[[nodiscard]] bool is_harmless_property(std::string_view key) noexcept;

}  // namespace sekisho::formats
