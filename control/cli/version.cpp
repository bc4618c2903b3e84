// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include "common/base/version.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {

void add_version(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("version", "Print the version of this command");
  command->callback([&context] {
    context.run = [&context]() -> Outcome {
      if (context.json) {
        print_json({{"version", base::version()}});
      } else {
        fmt::print("sekisho {}\n", base::version());
      }
      return {};
    };
  });
}

}  // namespace sekisho::cli
