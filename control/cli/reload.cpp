#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

void print_reload(const Json& result) {
  if (result["applied"] == true) {
    fmt::print("applied as transaction {}\n", result["transaction"].get<std::uint64_t>());
    for (const auto* what : {"ports_changed", "next_hops_changed", "adjacencies_changed", "zones_changed",
                             "routes_added", "routes_changed", "routes_removed"}) {
      const auto count = result[what].get<std::uint64_t>();
      std::string words{what};
      std::replace(words.begin(), words.end(), '_', ' ');
      fmt::print("{:>10}  {}\n", count, words);
    }
  } else {
    fmt::print("read and kept; the dataplane is not connected and gets it when it is\n");
  }
  for (const auto& port : result["failed_ports"]) {
    fmt::print("{}\n", toned(fmt::format("port {} ({}) is not running: {}", port["name"].get<std::string>(),
                                         port["device"].get<std::string>(), port["error"].get<std::string>()),
                             Tone::bad));
  }
  for (const auto& warning : result["warnings"]) {
    fmt::print("warning: {}\n", warning.get<std::string>());
  }
}

}  // namespace

void add_reload(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "reload", "Read the configuration and its route files again and apply them as one transaction");
  command->footer(
      "What does not change is not touched, not even for an instant. A file with an error changes nothing: "
      "the error names\n"
      "file, line and reason. `sekisho check` tells beforehand.\n\n"
      "Example:\n"
      "  sekisho check && sekisho reload\n");
  command->callback([&context] {
    context.run = [&context]() -> Outcome {
      const auto result = ask(context, {{"command", "reload"}});
      if (!result) {
        return tl::unexpected{result.error()};
      }
      context.json ? print_json(*result) : print_reload(*result);
      return {};
    };
  });
}

}  // namespace sekisho::cli
