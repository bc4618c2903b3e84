// SPDX-License-Identifier: BSD-3-Clause
// Counters since a moment. The dataplane's counters only grow, for whoever else reads them: a moment is a copy of them, kept for the
// user who set it. So nobody's moment moves another's, whoever may only read may set one, and it outlives sekisho-control.
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/unix_time.hpp"
#include "common/base/write_whole.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/cli/user_state.hpp"

namespace sekisho::cli {
namespace {

struct Now {
  Json stats;
  std::int64_t unix_ms = 0;
  std::int64_t dataplane_started_unix_ms = 0;  // as exactly as seconds of uptime are
};

auto ask_now(const Context& context) -> tl::expected<Now, std::string> {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  auto stats = (*client)->ask({{"command", "show"}, {"what", "stats"}});
  if (!stats) {
    return tl::unexpected{stats.error()};
  }
  const auto state = (*client)->ask({{"command", "show"}, {"what", "state"}});
  if (!state) {
    return tl::unexpected{state.error()};
  }
  Now now{.stats = std::move(*stats), .unix_ms = static_cast<std::int64_t>(base::now_unix_ms())};
  const auto& dataplane = state->at("dataplane");
  now.dataplane_started_unix_ms = now.unix_ms - 1000 * dataplane.value("uptime_seconds", std::int64_t{0});
  return now;
}

// One a socket: two appliances on a machine have counters of their own.
auto moment_file(const Context& context) -> tl::expected<std::filesystem::path, std::string> {
  return user_state_folder().map([&](const std::filesystem::path& folder) {
    const auto place = std::filesystem::absolute(context.socket).lexically_normal().native();
    return folder / fmt::format("counters-{:016x}.json", std::hash<std::string>{}(place));
  });
}

// What a part of a list is known by.
const Json* same_in(const Json& list, const Json& entry) {
  for (const auto* key : {"name", "lcore"}) {
    if (entry.is_object() && entry.contains(key)) {
      for (const auto& other : list) {
        if (other.value(key, Json{}) == entry.at(key)) {
          return &other;
        }
      }
    }
  }
  return nullptr;
}

// Numbers less what they were; what was not there counts from nothing.
Json difference(const Json& now, const Json& then) {
  if (now.is_object() && then.is_object()) {
    auto result = now;
    for (auto& [key, value] : result.items()) {
      if (key != "lcore" && then.contains(key)) {
        value = difference(value, then.at(key));
      }
    }
    return result;
  }
  if (now.is_array() && then.is_array()) {
    auto result = now;
    for (auto& entry : result) {
      if (const auto* other = same_in(then, entry)) {
        entry = difference(entry, *other);
      }
    }
    return result;
  }
  return now.is_number_integer() && then.is_number_integer()
             ? Json(now.get<std::int64_t>() - then.get<std::int64_t>())
             : now;
}

Json stats_since(const Now& now, const Json& then) {
  auto result = difference(now.stats, then);
  auto& balance = result.at("balance");
  balance["adds_up"] = balance.at("in") == balance.at("out");
  return result;
}

Outcome clear(const Context& context) {
  const auto now = ask_now(context);
  const auto file = moment_file(context);
  if (!now || !file) {
    return tl::unexpected{now ? file.error() : now.error()};
  }
  const Json moment{{"socket", context.socket},
                    {"unix_ms", now->unix_ms},
                    {"dataplane_started_unix_ms", now->dataplane_started_unix_ms},
                    {"stats", now->stats}};
  if (auto written = base::write_whole(*file, moment.dump() + "\n"); !written) {
    return written;
  }
  if (context.json) {
    print_json({{"since_unix_ms", now->unix_ms}});
  } else {
    fmt::print("`sekisho stats --since-clear` counts from {} on\n", date(now->unix_ms));
  }
  return {};
}

Outcome show_since(const Context& context) {
  const auto file = moment_file(context);
  if (!file) {
    return tl::unexpected{file.error()};
  }
  const auto text = base::read_file(*file);
  const auto moment = text ? Json::parse(*text, nullptr, false) : Json{};
  if (!moment.is_object() || !moment.contains("stats")) {
    return tl::unexpected{std::string{"no moment is known: `sekisho stats --clear` sets one"}};
  }
  const auto now = ask_now(context);
  if (!now) {
    return tl::unexpected{now.error()};
  }
  constexpr std::int64_t inexact = 2500;  // uptime is told in seconds
  const bool restarted =
      now->dataplane_started_unix_ms > moment.at("dataplane_started_unix_ms").get<std::int64_t>() + inexact;
  auto since = restarted ? now->stats : stats_since(*now, moment.at("stats"));
  const auto from = restarted ? Json(now->dataplane_started_unix_ms) : moment.at("unix_ms");
  if (context.json) {
    since["since_unix_ms"] = from;
    since["dataplane_restarted"] = restarted;
    print_json(since);
    return {};
  }
  fmt::print("since {}{}\n\n{}", date(from), restarted ? ", when the dataplane was started anew" : "",
             stats_text(since));
  return {};
}

Outcome show(const Context& context) {
  const auto stats = ask(context, {{"command", "show"}, {"what", "stats"}});
  if (!stats) {
    return tl::unexpected{stats.error()};
  }
  context.json ? print_json(*stats) : fmt::print("{}", stats_text(*stats));
  return {};
}

}  // namespace

void add_stats(CLI::App& app, Context& context) {
  auto clears = std::make_shared<bool>(false);
  auto since = std::make_shared<bool>(false);
  auto* command = app.add_subcommand("stats", "Counters as `show stats` has them, or since a moment");
  auto* clear_flag = command->add_flag("--clear", *clears, "Let --since-clear count from now on");
  command->add_flag("--since-clear", *since, "What was counted since --clear")->excludes(clear_flag);
  command->footer(
      "The dataplane's own counters are never reset: metrics and other people read them, too. --clear keeps "
      "a "
      "copy of\n"
      "them in ~/.local/state/sekisho, for the user who asks and this --socket. Where the dataplane was "
      "started since,\n"
      "--since-clear counts from its start, and says so.\n\n"
      "Examples:\n"
      "  sekisho stats --clear && sleep 60 && sekisho stats --since-clear\n");
  command->callback([&context, clears, since] {
    context.run = [&context, clears, since] {
      return *clears ? clear(context) : *since ? show_since(context) : show(context);
    };
  });
}

}  // namespace sekisho::cli
