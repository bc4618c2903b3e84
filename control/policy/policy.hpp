// What a configuration means, before the kernel is asked: each zone's route table, with every file read and
// every preset unfolded. Built whole or refused with file, line and reason; immutable afterwards, so that a
// refused reload leaves the running one as it was.
//
// A zone's table, as candidates:
//   System  with `internet = true`: the default or its halves to [internet].via, and Azure's None routes for
//           private space (10/8, 172.16/12, 192.168/16, 100.64/10)
//   User    the zone's `routes`, in order
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/config/config.hpp"
#include "control/load/error.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

inline constexpr std::string_view none = "None";  // the next hop that drops
inline constexpr std::string_view leave =
    "Internet";  // the next hop that leaves through this appliance's kernel

struct ZonePolicy {
  std::string name;
  std::vector<std::string> ports;
  std::vector<fib::Prefix> sources;
  route::RouteTable table;
};

struct Policy {
  config::Config config;
  route::Names names;
  std::vector<ZonePolicy> zones;  // as in config
  // What next hop `Internet` is for, in any zone: sorted, none covers another.
  std::vector<fib::Prefix> exceptions;
  std::vector<std::string> warnings;  // "routes.txt:12: 10.1.0.0/16 stands here again; the last one wins"

  [[nodiscard]] const ZonePolicy* zone(std::string_view name) const;
};

[[nodiscard]] auto build(config::Config config) -> tl::expected<std::shared_ptr<const Policy>, load::Error>;
// config::read, then build.
[[nodiscard]] auto read(const std::filesystem::path& file)
    -> tl::expected<std::shared_ptr<const Policy>, load::Error>;

}  // namespace sekisho::policy
