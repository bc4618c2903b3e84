// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds a_look{1};
constexpr unsigned silent_looks = 3;   // until traffic has ceased
constexpr unsigned looks_a_line = 10;  // where no terminal shows one line again and again

// Packets that were sent to next hops, ever; nothing: no dataplane is there that forwards any.
auto forwarded(const Context& context) -> tl::expected<std::optional<std::uint64_t>, std::string> {
  return ask(context, {{"command", "show"}, {"what", "next-hops"}}).map([](const Json& next_hops) {
    std::optional<std::uint64_t> sum;
    for (const auto& next_hop : next_hops) {
      if (next_hop.contains("traffic")) {
        sum = sum.value_or(0) + next_hop.at("traffic").at("packets").get<std::uint64_t>();
      }
    }
    return sum;
  });
}

class Progress {
 public:
  explicit Progress(const Context& context) : json_(context.json) {}

  void show(std::uint64_t packets) {
    if (json_) {
      print({{"ceased", false}, {"packets_last_second", packets}});
    } else if (is_terminal_) {
      fmt::print("\r\033[K{}", text(packets));
    } else if (looks_++ % looks_a_line == 0) {
      fmt::print("{}\n", text(packets));
    }
    static_cast<void>(finish_output());
  }
  void end(bool ceased, std::uint64_t packets) const {
    if (json_) {
      print({{"ceased", ceased}, {"packets_last_second", packets}});
    } else {
      fmt::print("{}{}\n", is_terminal_ ? "\r\033[K" : "",
                 ceased ? fmt::format("traffic has ceased: no packet was forwarded for {} s", silent_looks)
                        : text(packets));
    }
  }

 private:
  static void print(const Json& line) { fmt::print("{}\n", line.dump()); }
  static std::string text(std::uint64_t packets) {
    return fmt::format("draining: {} packets were forwarded in the last second", packets);
  }

  bool json_;
  bool is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
  unsigned looks_ = 0;
};

Outcome wait_for_silence(const Context& context, double seconds) {
  const auto end =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  Progress progress{context};
  std::optional<std::uint64_t> before;
  unsigned silent = 0;
  for (auto next = Clock::now() + a_look;; next += a_look) {
    const auto now = forwarded(context);
    if (!now) {
      return tl::unexpected{now.error()};
    }
    if (!*now) {
      return tl::unexpected{
          std::string{"the appliance is being drained; no dataplane says what it forwards"}};
    }
    const auto packets = before && **now >= *before ? **now - *before : 0;
    silent = before && **now == *before ? silent + 1 : 0;
    if (silent == silent_looks) {
      progress.end(true, 0);
      return {};
    }
    if (Clock::now() >= end) {
      progress.end(false, packets);
      return tl::unexpected{fmt::format(
          "traffic has not ceased within {:g} s; the appliance goes on forwarding, and its health "
          "probes get 503 until `sekisho undrain`",
          seconds)};
    }
    if (before) {
      progress.show(packets);
    }
    before = **now;
    std::this_thread::sleep_until(next);
  }
}

// Why BGP peers may still be told to send traffic here; nothing: they are not.
auto why_not_withdrawn(const Json& bgp) -> std::optional<std::string> {
  constexpr auto sentence = "what BGP peers were told could not be withdrawn: {}";
  if (const auto& failure = bgp.at("frr").at("failure"); !failure.is_null()) {
    return fmt::format(sentence, failure.get<std::string>());
  }
  if (!bgp.at("originated").empty()) {
    return fmt::format(sentence, "FRR still originates it");
  }
  return std::nullopt;
}

// As it is by now: sekisho-control goes on trying.
Outcome look_at_bgp_again(const Context& context) {
  const auto bgp = ask(context, {{"command", "show"}, {"what", "bgp"}});
  if (!bgp) {
    return tl::unexpected{bgp.error()};
  }
  const auto why_not = bgp->at("configured") == true ? why_not_withdrawn(*bgp) : std::nullopt;
  return why_not ? tl::unexpected{*why_not} : Outcome{};
}

Outcome drain(const Context& context, double seconds) {
  const auto result = ask(context, {{"command", "drain"}});
  if (!result) {
    return tl::unexpected{result.error()};
  }
  const bool changed = result->at("changed").get<bool>();
  const auto why_not = result->contains("bgp") ? why_not_withdrawn(result->at("bgp")) : std::nullopt;
  if (context.json) {
    fmt::print("{}\n", result->dump());
  } else {
    if (result->contains("bgp") && !why_not) {
      fmt::print("BGP peers are told to send nothing here any more\n");
    }
    fmt::print("{}; everything that still comes is forwarded\n",
               changed ? "health probes get 503 from now on" : "health probes get 503 already");
  }
  if (seconds <= 0) {
    return why_not ? tl::unexpected{*why_not} : Outcome{};
  }
  if (why_not) {
    fmt::print(stderr, "sekisho: {}; it is tried again\n", *why_not);
  }
  auto waited = wait_for_silence(context, seconds);
  return waited && why_not ? look_at_bgp_again(context) : waited;
}

Outcome undrain(const Context& context) {
  const auto result = ask(context, {{"command", "undrain"}});
  if (!result) {
    return tl::unexpected{result.error()};
  }
  if (context.json) {
    fmt::print("{}\n", result->dump());
  } else {
    fmt::print("{}\n", result->at("changed").get<bool>() ? "the appliance is not drained any more"
                                                         : "the appliance was not being drained");
  }
  return {};
}

}  // namespace

void add_drain(CLI::App& app, Context& context) {
  auto seconds = std::make_shared<double>(300);
  auto* command = app.add_subcommand(
      "drain", "Ask BGP peers and load balancers to send no more traffic here, and wait until none comes");
  command
      ->add_option("--for", *seconds, "How long to wait for the end of traffic (default: 5m); 0: not at all")
      ->transform(in_seconds())
      ->option_text("DURATION");
  command->footer(
      "What BGP peers were told ([bgp]) is withdrawn first. Health probes ([health]) get 503, so that a load "
      "balancer sends\n"
      "new flows elsewhere. Whatever still comes is forwarded as before, for as long as it comes. Waits "
      "until "
      "no packet has\n"
      "been forwarded for 3 seconds, and shows how many are meanwhile; exit status 1 when traffic has not "
      "ceased in time, or\n"
      "FRR has not withdrawn what peers were told. Holds until `sekisho undrain`, also when sekisho-control "
      "is restarted or\n"
      "the wait is interrupted. --json prints an object a line: that it is drained, then each second "
      "\"ceased\" and\n"
      "\"packets_last_second\".\n\n"
      "Examples:\n"
      "  sekisho drain --for 5m && systemctl stop sekisho-control sekisho-dataplane\n"
      "  sekisho undrain\n"
      "  ExecStop=/usr/bin/sekisho drain --for 60s    in an override of a unit: stopping it drains first\n");
  command->callback(
      [&context, seconds] { context.run = [&context, seconds] { return drain(context, *seconds); }; });
  auto* back = app.add_subcommand(
      "undrain",
      "Take `sekisho drain` back: health probes are answered by the verdict, BGP peers told by it");
  back->callback([&context] { context.run = [&context] { return undrain(context); }; });
}

}  // namespace sekisho::cli
