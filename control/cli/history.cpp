// SPDX-License-Identifier: BSD-3-Clause
// What ran before, and the way back to it.
#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/reload.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

void print_policy(const Json& policy) {
  fmt::print("policy {}, {} since {}\n", value_text(policy, "policy"), value_text(policy, "cause"),
             date(policy.at("ran_unix_ms")));
  const auto folder = policy.at("folder").get<std::string>();
  for (const auto& file : policy.at("files")) {
    const auto name = file.get<std::string>();
    fmt::print("  {}\n    as it was: {}{}\n", name, folder, name);
  }
}

std::string state_of(const Json& policy, const Json& history) {
  const auto& number = policy.at("policy");
  if (number == history.at("runs")) {
    return history.at("confirm_until_unix_ms").is_null() ? "runs" : "runs, on trial";
  }
  return number == history.at("starts_with") ? "is put back" : "";
}

// What is not as the table's last column would have one think; empty: nothing.
std::string note_of(const Json& history) {
  const auto policy = value_text(history, "starts_with");
  if (policy.empty()) {
    return {};
  }
  if (!history.at("confirm_until_unix_ms").is_null()) {
    return fmt::format("policy {} is put back at {} unless `sekisho confirm` comes", policy,
                       date(history.at("confirm_until_unix_ms")));
  }
  if (!history.at("why_not_back").is_null()) {
    return fmt::format("policy {} is not put back yet: {}", policy, value_text(history, "why_not_back"));
  }
  return fmt::format("policy {} is started instead of {}: `sekisho reload` ends that", policy,
                     value_text(history, "configuration"));
}

void print_history(const Json& history) {
  Table table{{{"policy", true}, {"ran since"}, {"by"}, {"files", true}, {"now"}}};
  for (const auto& policy : history.at("policies")) {
    table.add({value_text(policy, "policy"), date(policy.at("ran_unix_ms")), value_text(policy, "cause"),
               std::to_string(policy.at("files").size()), Cell{state_of(policy, history), Tone::good}});
  }
  fmt::print("{}", table.render());
  if (!history.at("why_none").is_null()) {
    fmt::print("{}\n",
               toned("what runs is not in the history: " + value_text(history, "why_none"), Tone::bad));
  }
  if (const auto note = note_of(history); !note.empty()) {
    fmt::print("{}\n", toned(note, Tone::bad));
  }
}

Outcome history(const Context& context, std::uint64_t number) {
  const auto result = ask(context, {{"command", "history"}});
  if (!result) {
    return tl::unexpected{result.error()};
  }
  if (number == 0) {
    context.json ? print_json(*result) : print_history(*result);
    return {};
  }
  for (const auto& policy : result->at("policies")) {
    if (policy.at("policy") == number) {
      context.json ? print_json(policy) : print_policy(policy);
      return {};
    }
  }
  return tl::unexpected{fmt::format("policy {} is not in the history: `sekisho history` lists it", number)};
}

Outcome confirm(const Context& context) {
  const auto result = ask(context, {{"command", "confirm"}});
  if (!result) {
    return tl::unexpected{result.error()};
  }
  if (context.json) {
    print_json(*result);
  } else {
    fmt::print("confirmed: {} stays\n",
               result->at("runs").is_null() ? "what runs" : "policy " + value_text(*result, "runs"));
  }
  return {};
}

void add_rollback(CLI::App& app, Context& context) {
  auto number = std::make_shared<std::uint64_t>(0);
  auto only_plan = std::make_shared<bool>(false);
  auto force = std::make_shared<bool>(false);
  auto* command =
      app.add_subcommand("rollback", "Run a policy of the history again, with its files as they were");
  command
      ->add_option("policy", *number,
                   "Its number, as `sekisho history` has it (default: the one before the one that runs)")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  command->add_flag("--dry-run", *only_plan, "Change nothing; print what would change, routes one a line");
  command->add_flag("--force", *force, "Apply also what would break something that works now");
  command->footer(
      "The configuration and its files stay as they are: what runs, and is started after a restart, is the "
      "policy\n"
      "of the history, until `sekisho reload` reads them again. `sekisho show state` says so meanwhile. "
      "Refused as\n"
      "a reload is, and overrides of `sekisho route` end. A reload on trial (`sekisho reload --confirm`) is "
      "taken\n"
      "back by a rollback without a number: at once, and whatever that breaks.\n\n"
      "Examples:\n"
      "  sekisho rollback --dry-run\n"
      "  sekisho rollback\n"
      "  sekisho rollback 12\n");
  command->callback([&context, number, only_plan, force] {
    context.run = [&context, number, only_plan, force] {
      Json request{{"force", *force}, {"policy", *number}};
      return *only_plan ? dry_run(context, std::move(request)) : reload(context, std::move(request));
    };
  });
}

}  // namespace

void add_history(CLI::App& app, Context& context) {
  auto number = std::make_shared<std::uint64_t>(0);
  auto* command = app.add_subcommand("history", "List the policies that ran, or the files of one");
  command->add_option("policy", *number, "Its files, and where their copies lie")
      ->check(CLI::PositiveNumber)
      ->option_text("N");
  command->footer(
      "The newest 20 policies are kept over restarts, each with its configuration and route files as they "
      "were: as\n"
      "many as fit 1 GiB, and two at least. A file that did not change is kept once. An override (`sekisho "
      "route`)\n"
      "makes no policy of its own.\n\n"
      "Examples:\n"
      "  sekisho history\n"
      "  sekisho history 17\n"
      "  sekisho history --json | jq .runs\n");
  command->callback(
      [&context, number] { context.run = [&context, number] { return history(context, *number); }; });
  add_rollback(app, context);
  auto* stay = app.add_subcommand("confirm", "Keep what `sekisho reload --confirm` applied");
  stay->footer("Exit status 1 when nothing is on trial, or it is too late.\n");
  stay->callback([&context] { context.run = [&context] { return confirm(context); }; });
}

}  // namespace sekisho::cli
