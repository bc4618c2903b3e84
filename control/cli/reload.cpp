// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "common/base/unix_time.hpp"
#include "control/cli/applied.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/plan.hpp"
#include "control/cli/reload.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

constexpr double longest_trial = 24 * 60 * 60;

// "it is put back in 60 s unless it is confirmed"
std::string trial_text(const Json& result) {
  const auto until = result.at("confirm_until_unix_ms").get<std::uint64_t>();
  const auto now = base::now_unix_ms();
  return fmt::format("on trial: what ran before is put back in {} s unless `sekisho confirm` comes",
                     until > now ? (until - now + 500) / 1000 : 0);
}

}  // namespace

Outcome dry_run(Context& context, Json request) {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  const bool force = request.value("force", false);
  request["command"] = "reload";
  request["dry_run"] = true;
  PlanPrinter printer{context.json, "a reload would change", "the files say what runs"};
  const auto asked = (*client)->ask_pages(request, [&](const Json& page) { printer.print(page); });
  if (asked) {
    printer.close();
    context.status = printer.is_refused() && !force ? 1 : 0;
  }
  return asked;
}

Outcome reload(Context& context, Json request) {
  request["command"] = "reload";
  const auto result = ask(context, request);
  if (!result) {
    return tl::unexpected{result.error()};
  }
  context.json ? print_json(*result) : print_applied(*result);
  // A sekisho-control that knows no trials tells of none.
  if (!context.json && !result->value("confirm_until_unix_ms", Json(nullptr)).is_null()) {
    fmt::print("{}\n", toned(trial_text(*result), Tone::bad));
  }
  context.status = result->at("applied") == true && result->at("failed_ports").empty() ? 0 : 1;
  return {};
}

void add_reload(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand(
      "reload", "Read the configuration and its route files again and apply them as one transaction");
  auto only_plan = std::make_shared<bool>(false);
  auto force = std::make_shared<bool>(false);
  auto config = std::make_shared<std::string>();
  auto confirm = std::make_shared<double>(0);
  auto* dry =
      command->add_flag("--dry-run", *only_plan,
                        "Change nothing; print what a reload would change at this moment, routes one a line");
  command
      ->add_option("--config", *config,
                   "With --dry-run: another configuration than the one that a reload reads")
      ->needs(dry)
      ->type_name("FILE")  // for completion
      ->option_text("FILE");
  command->add_flag("--force", *force, "Apply also what would break something that works now");
  command
      ->add_option("--confirm", *confirm,
                   "Put back what ran before unless `sekisho confirm` comes within this time")
      ->transform(in_seconds())
      ->check(CLI::Range(1.0, longest_trial))
      ->excludes(dry)
      ->option_text("DURATION");
  command->footer(
      "What does not change is not touched, not even for an instant. A file with an error changes nothing: "
      "the error names\n"
      "file, line and reason. `sekisho check` tells beforehand. A reload ends the overrides of `sekisho "
      "route`.\n\n"
      "Refused unless --force is given, exit status 1, nothing changed: a reload that\n"
      "  - would stop a port: it is no longer in the configuration, or has no device;\n"
      "  - would take the last living member of a next hop that is alive, after new members had five "
      "seconds\n"
      "    to answer;\n"
      "  - would leave a zone without routes that has some;\n"
      "  - would take away a zone whose sources no other zone has at its port.\n"
      "What is dead already refuses nothing. SIGHUP is a reload without --force. Exit status 1 also when a\n"
      "port does not run afterwards, or no dataplane is there to take what was read.\n\n"
      "A dry run prints + (added), - (removed) or ~ (changed), zone, prefix and next hop of each route; what "
      "only the\n"
      "dataplane can refuse, a device that cannot be opened say, it does not know. Where a reload would be "
      "refused, "
      "it says\n"
      "why: exit status 1.\n\n"
      "With --confirm what is applied is on trial: what ran before is put back, its overrides too, unless\n"
      "`sekisho confirm` comes in time, also when the session that asked for it is gone. A restart of\n"
      "sekisho-control or of the machine meanwhile starts what ran before. `sekisho history` lists what "
      "ran,\n"
      "`sekisho rollback` puts it back.\n"
      "--config names a file that sekisho-control can read: as the package runs it, neither one in /tmp nor "
      "in\n"
      "anybody's home.\n\n"
      "Examples:\n"
      "  sekisho check && sekisho reload\n"
      "  sekisho reload --confirm 60s && ping -c 3 192.0.2.1 && sekisho confirm\n"
      "  sekisho reload --dry-run --config /etc/sekisho/new.toml\n"
      "  sekisho reload --dry-run\n"
      "  sekisho reload --dry-run --json | jq .routes\n");
  command->callback([&context, only_plan, force, config, confirm] {
    context.run = [&context, only_plan, force, config, confirm]() -> Outcome {
      Json request{{"force", *force}};
      if (!config->empty()) {
        request["config"] = std::filesystem::absolute(*config).lexically_normal().native();
      }
      if (*confirm > 0) {
        request["confirm_seconds"] = static_cast<std::uint64_t>(*confirm);
      }
      return *only_plan ? dry_run(context, std::move(request)) : reload(context, std::move(request));
    };
  });
}

}  // namespace sekisho::cli
