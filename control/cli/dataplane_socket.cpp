// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/dataplane_socket.hpp"

#include <filesystem>
#include <system_error>

namespace sekisho::cli {

std::string dataplane_socket(const std::string& named) {
  if (!named.empty())
    return named;
  const std::string of_service = "/run/sekisho-dataplane/dataplane.sock";
  std::error_code unknown;  // what cannot be looked at is not there for this user
  return std::filesystem::exists(of_service, unknown) ? of_service : "/run/sekisho/dataplane.sock";
}

void add_dataplane_socket(CLI::App& command, std::string& named) {
  command
      .add_option("--dataplane-socket", named,
                  "Where the dataplane listens; by default /run/sekisho-dataplane/dataplane.sock if that is "
                  "there, otherwise /run/sekisho/dataplane.sock")
      ->type_name("PATH");
}

}  // namespace sekisho::cli
