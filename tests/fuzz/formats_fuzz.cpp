// SPDX-License-Identifier: BSD-3-Clause
// Whatever bytes a file holds, and whatever format somebody says it is in: routes that are well-formed, each in a table that there
// is, or a refusal with a reason. The tables of a file are the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "common/base/encoding.hpp"
#include "control/formats/format.hpp"
#include "control/formats/tables.hpp"

namespace {

namespace base = sekisho::base;
namespace formats = sekisho::formats;

void check(bool holds) {
  if (!holds)
    std::abort();
}

void check(const formats::RouteFile& file) {
  for (const auto* routes : {&file.routes, &file.invalid})
    for (const auto& route : *routes) {
      check(route.prefix.length <= 32 && (route.prefix.address & ~route.prefix.mask()) == 0);
      check(route.next_hop < file.next_hops.size() && route.label < file.labels.size());
      check(file.tables.empty() ? route.table == 0 : route.table < file.tables.size());
    }
  for (const auto& route : file.tag_routes)
    check(!route.tag.empty() && route.next_hop < file.next_hops.size() && route.label < file.labels.size());
  for (const auto& hop : file.next_hops) {
    using sekisho::route::NextHopType;
    check(hop.addresses.size() <= formats::most_ecmp);
    check(hop.type != NextHopType::virtual_appliance || hop.addresses.size() == 1);
    check(hop.type != NextHopType::virtual_appliance_ecmp || hop.addresses.size() >= formats::least_ecmp);
  }
  for (const auto& finding : file.findings)
    check(!finding.where.reason.empty());
}

void check_tables(const formats::RouteFile& file) {
  const auto tables = formats::each_table(file);
  check(tables.size() == std::max<std::size_t>(file.tables.size(), 1));
  std::size_t routes = 0;
  for (const auto& table : tables) {
    check(table);
    routes += table.routes.size();
  }
  check(routes == file.routes.size());
  for (const auto& table : file.tables)
    check(formats::choose_table(file, table.place).has_value());
}

void read(std::string_view bytes, const formats::Options& options) {
  const auto file = formats::parse_routes(bytes, "fuzz", options);
  if (!file) {
    check(!file.error().reason.empty());
    return;
  }
  check(*file);
  if (file->tables.size() < 100)
    check_tables(*file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  read(bytes, {});
  if (size == 0)
    return 0;
  // The last byte chooses.
  const auto rows = formats::formats();
  read(bytes, {.format = rows[data[size - 1] % rows.size()].format});
  if (const auto text = base::to_utf8(std::string{bytes}, "fuzz"))
    read(*text, {});
  return 0;
}
