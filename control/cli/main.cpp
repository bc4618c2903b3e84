// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <utility>

#include "common/base/detached_read.hpp"
#include "control/cli/command.hpp"
#include "control/cli/complete.hpp"
#include "control/cli/grammar.hpp"
#include "control/cli/output.hpp"
#include "control/cli/words.hpp"

namespace {

using sekisho::cli::Context;
using sekisho::cli::Outcome;

Outcome run_command(const Context& context) {
  try {
    auto outcome = context.run();
    const auto written = sekisho::cli::finish_output();
    return outcome ? written : outcome;
  } catch (const sekisho::cli::Json::exception& error) {
    return tl::unexpected{fmt::format(
        "sekisho-control at {} gave an answer that this version does not understand ({}): is it of another "
        "version? `systemctl restart sekisho-control` starts the one that is installed",
        context.socket, error.what())};
  } catch (const std::bad_alloc&) {
    return tl::unexpected{std::string{"out of memory"}};
  } catch (const std::exception& error) {
    return tl::unexpected{std::string{error.what()}};
  }
}

// On a thread of its own, which stays behind when a file does not answer. Signals are the command's: one that waits for
// sekisho-control or for a key ends by them.
Outcome run_within(const Context& context) {
  namespace base = sekisho::base;
  using Result = tl::expected<Outcome, base::Error>;
  base::DetachedRead<Result> command{
      "the command", [&context]() -> Result { return run_command(context); },
      [](base::Error error) -> Result { return tl::unexpected{std::move(error)}; }};
  sigset_t all{};
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
  auto result = command.wait(base::usual_patience);
  return result ? *result : tl::unexpected{result.error().to_string()};
}

int run(sekisho::cli::Words words, CLI::App& app, const Context& context) {
  auto whole = sekisho::cli::written_out(app, words);
  if (!whole) {
    fmt::print(stderr, "sekisho: {}\n", whole.error());
    return 2;
  }
  try {
    std::reverse(whole->begin(), whole->end());  // as the parser wants them
    app.parse(*std::move(whole));
  } catch (const CLI::RequiredError& error) {
    // A command with a slip in its name is what is wrong, not that there is no command.
    const auto unknown = app.remaining(true);
    static_cast<void>(unknown.empty() ? app.exit(error) : app.exit(CLI::ExtrasError{unknown}));
    return 2;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const auto outcome = run_within(context);
  if (!outcome) {
    fmt::print(stderr, "sekisho: {}\n", outcome.error());
    return context.status_of_failure;
  }
  return context.status;
}

}  // namespace

int main(int argc, char** argv) {
  // They outlive the thread of a command that is left behind.
  const auto grammar = sekisho::cli::new_app();
  auto& app = *grammar;
  Context context;
  sekisho::cli::add_commands(app, context);
  sekisho::cli::Words words{argv + std::min(argc, 1), argv + argc};
  // What shells ask while somebody types: everything behind it is what was typed, options too.
  if (!words.empty() && words.front() == "complete") {
    words.erase(words.begin());
    return sekisho::cli::print_completion(app, std::move(words), context.socket);
  }
  const int status = run(std::move(words), app, context);
  if (sekisho::base::threads_that_read() != 0) {
    std::fflush(nullptr);
    std::_Exit(status);
  }
  return status;
}
