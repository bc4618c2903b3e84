// SPDX-License-Identifier: BSD-3-Clause
// What a reader makes of a file, in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {

using Lines = std::vector<std::string>;

// "ORIGIN LABEL PREFIX TYPE-OR-NAME ADDRESSES"
inline auto line_of(const RouteFile& file, const FileRoute& route) -> std::string {
  const auto& hop = file.next_hops[route.next_hop];
  const auto& label = file.labels[route.label];
  auto text = std::string{route::to_string(route.origin)} + (label.empty() ? "" : " " + label) + " " +
              base::to_string(route.prefix) + " " + to_string(hop);
  if (hop.type != route::NextHopType::virtual_appliance &&
      hop.type != route::NextHopType::virtual_appliance_ecmp)
    for (const auto address : hop.addresses)
      text += " " + base::address_to_string(address);
  return text;
}

// A line for each route in force, each that is not ("not ..."), how many are IPv6 ("1 IPv6"), and what is found
// (":LINE: REASON"); or the reason alone for which it is refused.
inline auto told(std::string_view content) -> Lines {
  const test::TemporaryFolder folder;
  const auto path = folder.write("file", content);
  const auto without_name = [&](const std::string& text) { return text.substr(path.string().size()); };
  const auto file = read_routes(path);
  if (!file)
    return {"refused" + without_name(file.error().to_string())};
  Lines result;
  for (const auto& route : file->routes)
    result.push_back(line_of(*file, route));
  for (const auto& route : file->invalid)
    result.push_back("not " + line_of(*file, route));
  if (file->ipv6 != 0)
    result.push_back(std::to_string(file->ipv6) + " IPv6");
  for (const auto& finding : file->findings)
    result.push_back(without_name(finding.where.to_string()));
  return result;
}

}  // namespace sekisho::formats
