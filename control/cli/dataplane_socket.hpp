// SPDX-License-Identifier: BSD-3-Clause
// Where the dataplane listens, for commands that ask it without sekisho-control.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace sekisho::cli {

// `named` by --dataplane-socket; if it is empty, the socket of the package's service, or where that is not there, of a dataplane
// that was started by hand without --socket.
[[nodiscard]] std::string dataplane_socket(const std::string& named);

// Adds --dataplane-socket, which leaves `named` empty unless it is given. `named` has to outlive the command.
void add_dataplane_socket(CLI::App& command, std::string& named);

}  // namespace sekisho::cli
