// SPDX-License-Identifier: BSD-3-Clause
// Counters since a moment. The dataplane's counters only grow, for whoever else reads them: a moment is a copy of them, kept for the
// user who set it. So nobody's moment moves another's, whoever may only read may set one, and it outlives sekisho-control.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::int64_t dataplane_started_unix_ms = 0;  // not after it
  std::int64_t doubt_ms = 0;                   // and so much before it at most
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
  const auto asked = static_cast<std::int64_t>(base::now_unix_ms());
  const auto state = (*client)->ask({{"command", "show"}, {"what", "state"}});
  if (!state) {
    return tl::unexpected{state.error()};
  }
  Now now{.stats = std::move(*stats), .unix_ms = static_cast<std::int64_t>(base::now_unix_ms())};
  constexpr std::int64_t inexact = 1500;  // uptime is told in seconds
  now.doubt_ms = inexact + std::max<std::int64_t>(now.unix_ms - asked, 0);
  const auto& dataplane = state->at("dataplane");
  if (!dataplane.contains("uptime_seconds")) {
    return tl::unexpected{std::string{"the dataplane does not answer: since when it counts is not known"}};
  }
  now.dataplane_started_unix_ms = now.unix_ms - 1000 * dataplane.at("uptime_seconds").get<std::int64_t>();
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

// What is under way at this moment: it comes and goes, and no moment is taken from it.
bool is_gauge(const std::string& key) {
  return key == "held" || key == "waiting";
}

// Whether a counter is less than it was, which counts anew then: counters only grow.
bool has_shrunk(const Json& now, const Json& then) {
  if (now.is_object() && then.is_object()) {
    const auto items = now.items();
    return std::any_of(items.begin(), items.end(), [&](const auto& item) {
      return item.key() != "lcore" && !is_gauge(item.key()) && then.contains(item.key()) &&
             has_shrunk(item.value(), then.at(item.key()));
    });
  }
  return now.is_number_integer() && then.is_number_integer() &&
         now.get<std::int64_t>() < then.get<std::int64_t>();
}

// Numbers less what they were; what was not there counts from nothing.
Json difference(const Json& now, const Json& then) {
  if (now.is_object() && then.is_object()) {
    auto result = now;
    for (auto& [key, value] : result.items()) {
      if (key != "lcore" && !is_gauge(key) && then.contains(key)) {
        value = difference(value, then.at(key));
      }
    }
    return result;
  }
  return now.is_number_integer() && then.is_number_integer()
             ? Json(now.get<std::int64_t>() - then.get<std::int64_t>())
             : now;
}

// Whether a port was stopped and started: what it took and gave only grows. Others of its counters are read one after the other, and may
// be behind by a burst.
bool counts_anew(const Json& port, const Json& before) {
  constexpr std::array<const char*, 4> growing = {"rx", "tx", "rx_bytes", "tx_bytes"};
  return std::ranges::any_of(growing, [&](const char* key) {
    return port.contains(key) && before.contains(key) && has_shrunk(port.at(key), before.at(key));
  });
}

struct Since {
  Json stats;
  std::vector<std::string> anew;  // ports that count from nothing, for their counters shrank
  std::int64_t under_way = 0;  // packets that were held or waiting at the moment: they are of those that came
};

Since stats_since(const Json& now, const Json& then) {
  Since since{.stats = now, .anew = {}, .under_way = 0};
  auto& total = since.stats.at("total");
  for (auto& [key, value] : total.items()) {
    value = std::int64_t{0};
  }
  for (auto& port : since.stats.at("ports")) {
    const auto* before = same_in(then.at("ports"), port);
    if (before != nullptr && counts_anew(port, *before)) {
      since.anew.push_back(port.at("name").get<std::string>());
    } else if (before != nullptr) {
      since.under_way += before->value("held", std::int64_t{0}) + before->value("waiting", std::int64_t{0});
      port = difference(port, *before);
    }
    for (auto& [key, value] : total.items()) {
      value = value.get<std::int64_t>() + port.value(key, std::int64_t{0});
    }
  }
  for (auto& worker : since.stats.at("workers")) {
    if (const auto* before = same_in(then.at("workers"), worker)) {
      worker = difference(worker, *before);
    }
  }
  const auto sum = [&](std::initializer_list<const char*> keys) {
    std::int64_t result = 0;
    for (const auto* key : keys) {
      result += total.at(key).get<std::int64_t>();
    }
    return result;
  };
  const auto in = sum({"arrived", "generated"}) + since.under_way;
  const auto out = sum(
      {"tx", "host", "held", "waiting", "drops", "missed", "steer_passed", "steer_dropped", "steer_before"});
  since.stats["balance"] = {{"in", in}, {"out", out}, {"unaccounted", in - out}, {"adds_up", in == out}};
  return since;
}

// By when it was started, as far as that is known, in whichever direction clocks were set; and by workers that count anew.
bool is_restarted(const Now& now, const Json& moment) {
  const auto then = moment.at("dataplane_started_unix_ms").get<std::int64_t>();
  const auto doubt_then = moment.value("doubt_ms", now.doubt_ms);
  if (now.dataplane_started_unix_ms > then + now.doubt_ms ||
      then > now.dataplane_started_unix_ms + doubt_then) {
    return true;
  }
  const auto& workers = now.stats.at("workers");
  return std::any_of(workers.begin(), workers.end(), [&](const Json& worker) {
    const auto* before = same_in(moment.at("stats").at("workers"), worker);
    return before != nullptr && has_shrunk(worker, *before);
  });
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
                    {"doubt_ms", now->doubt_ms},
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
  const bool restarted = is_restarted(*now, moment);
  auto since = restarted ? Since{.stats = now->stats, .anew = {}, .under_way = 0}
                         : stats_since(now->stats, moment.at("stats"));
  const auto from = restarted ? Json(now->dataplane_started_unix_ms) : moment.at("unix_ms");
  if (context.json) {
    since.stats["since_unix_ms"] = from;
    since.stats["dataplane_restarted"] = restarted;
    since.stats["counted_anew"] = since.anew;
    since.stats["under_way_then"] = since.under_way;
    print_json(since.stats);
    return {};
  }
  fmt::print("since {}{}\n\n{}", date(from), restarted ? ", when the dataplane was started anew" : "",
             stats_text(since.stats));
  if (since.under_way != 0) {
    fmt::print("(held or waiting at that moment, and among those that came: {})\n", since.under_way);
  }
  for (const auto& port : since.anew) {
    fmt::print("port {} counts anew since: what is shown of it is not from that moment, but from its start\n",
               port);
  }
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
      "--since-clear counts from its start, and says so; so it does of a port that was stopped and started.\n"
      "HELD and WAITING are of now.\n\n"
      "Examples:\n"
      "  sekisho stats --clear && sleep 60 && sekisho stats --since-clear\n");
  command->callback([&context, clears, since] {
    context.run = [&context, clears, since] {
      return *clears ? clear(context) : *since ? show_since(context) : show(context);
    };
  });
}

}  // namespace sekisho::cli
