// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/applied.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "control/cli/output.hpp"

namespace sekisho::cli {

void print_applied(const Json& result) {
  if (result.at("applied") == true) {
    fmt::print("applied as transaction {}\n", result.at("transaction").get<std::uint64_t>());
    for (const auto* what : {"ports_changed", "next_hops_changed", "adjacencies_changed", "zones_changed",
                             "routes_added", "routes_changed", "routes_removed"}) {
      const auto count = result.at(what).get<std::uint64_t>();
      std::string words{what};
      std::replace(words.begin(), words.end(), '_', ' ');
      fmt::print("{:>10}  {}\n", count, words);
    }
  } else {
    fmt::print("read and kept; the dataplane is not connected and gets it when it is\n");
  }
  if (const auto dropped = result.at("overrides_dropped").get<std::uint64_t>(); dropped != 0) {
    fmt::print("{:>10}  overrides of `sekisho route` ended\n", dropped);
  }
  for (const auto& port : result.at("failed_ports")) {
    fmt::print("{}\n",
               toned(fmt::format("port {} ({}) is not running: {}", port.at("name").get<std::string>(),
                                 port.at("device").get<std::string>(), port.at("error").get<std::string>()),
                     Tone::bad));
  }
  for (const auto& warning : result.at("warnings")) {
    fmt::print("warning: {}\n", warning.get<std::string>());
  }
}

}  // namespace sekisho::cli
