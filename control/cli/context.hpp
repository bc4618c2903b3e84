// SPDX-License-Identifier: BSD-3-Clause
// What a command gets from the global options, and what it comes to.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "control/serve/json.hpp"

namespace sekisho::cli {

using serve::Json;

// Done, or one sentence that says why not.
using Outcome = tl::expected<void, std::string>;

inline constexpr const char* default_configuration = "/etc/sekisho/sekisho.toml";
inline constexpr const char* default_state_directory = "/var/lib/sekisho";
inline constexpr const char* default_socket = "/run/sekisho/control.sock";

struct Context {
  std::string socket = default_socket;
  bool json = false;
  int status = 0;                // when done: not 0 where an option asks for it (diff --exit-code)
  int status_of_failure = 1;     // of a command that is not done
  std::function<Outcome()> run;  // the command that was chosen
};

}  // namespace sekisho::cli
