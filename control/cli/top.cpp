// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/screen.hpp"
#include "control/cli/top_rates.hpp"

namespace sekisho::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct TopOptions {
  double interval = 1;
  bool once = false;

  [[nodiscard]] Clock::duration pause() const {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval));
  }
};

void print_line(const Json& document) {
  fmt::print("{}\n", document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Outcome print_once(Context& context, const TopOptions& options) {
  const auto before = take_sample(context);
  if (!before.problem.empty()) {
    return tl::unexpected{before.problem};
  }
  std::this_thread::sleep_until(before.taken + options.pause());
  const auto now = take_sample(context);
  if (!now.problem.empty()) {
    return tl::unexpected{now.problem};
  }
  const auto result = rates(before, now);
  if (context.json) {
    print_line(result);
  } else {
    fmt::print("{}", rates_text(result));
  }
  context.status = result.at("dataplane_connected") == true ? 0 : 1;
  return {};
}

// Until the reader goes away or a signal ends it.
Outcome print_lines(const Context& context, const TopOptions& options) {
  for (auto before = take_sample(context);;) {
    std::this_thread::sleep_until(before.taken + options.pause());
    auto now = take_sample(context);
    print_line(rates(before, now));
    if (const auto written = finish_output(); !written) {
      return written;
    }
    before = std::move(now);
  }
}

Outcome watch(const Context& context, const TopOptions& options) {
  if (!Screen::is_terminal()) {
    return tl::unexpected{
        std::string{"top needs a terminal on standard output; --once and --json print without one"}};
  }
  Screen screen;
  const auto page = [&](const Json& document) {
    return fmt::format("{}   every {:g} s, \"q\" quits\n{}", toned("sekisho top", Tone::heading),
                       options.interval, rates_text(document));
  };
  auto before = take_sample(context);
  auto shown = rates(before, before);
  for (auto next = before.taken + options.pause();;) {
    screen.show(page(shown));
    const auto event = screen.wait_until(next);
    if (event == Screen::Event::quit) {
      return {};
    }
    if (event == Screen::Event::timeout) {
      auto now = take_sample(context);
      shown = rates(before, now);
      next = now.taken + options.pause();
      before = std::move(now);
    }
  }
}

Outcome top(Context& context, const TopOptions& options) {
  if (options.once) {
    return print_once(context, options);
  }
  return context.json ? print_lines(context, options) : watch(context, options);
}

}  // namespace

void add_top(CLI::App& app, Context& context) {
  auto options = std::make_shared<TopOptions>();
  auto* command =
      app.add_subcommand("top", "Show the traffic of ports, zones and next hops, and drops, live");
  command
      ->add_option("--interval", options->interval, "Seconds between two looks, over which rates are taken")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0).description(""))
      ->capture_default_str();
  command->add_flag("--once", options->once, "Look twice, print, and end");
  command->footer(
      "Packets (PPS) and bits (BPS) a second; bits are of whole Ethernet frames without their checksum. A "
      "rate is \"-\" "
      "while\n"
      "there is none: the dataplane has started again, or is not there. \"q\" and ctrl-C quit. --json prints "
      "an object a "
      "line,\n"
      "one each interval.\n\n"
      "Examples:\n"
      "  sekisho top\n"
      "  sekisho top --once --interval 5\n"
      "  sekisho top --json | jq -c '.ports[] | [.name, .rx.packets_per_second]'\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return top(context, *options); }; });
}

}  // namespace sekisho::cli
