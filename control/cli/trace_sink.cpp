// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/trace_sink.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <string_view>

#include "common/base/prefix.hpp"
#include "control/capture/frame.hpp"
#include "control/cli/output.hpp"
#include "control/serve/json.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {
namespace {

struct FateWords {
  std::string_view name;
  std::string_view sentence;
};

FateWords words_of_fate(ipc::Judgement::Fate fate) {
  switch (fate) {
    case ipc::Judgement::FORWARDED:
      return {"forwarded", "forwarded"};
    case ipc::Judgement::IN_FRAGMENTS:
      return {"in_fragments", "forwarded in fragments"};
    case ipc::Judgement::TO_KERNEL:
      return {"to_kernel", "given to this appliance's kernel, whose it is"};
    case ipc::Judgement::TO_EXIT:
      return {"to_exit", "given to the kernel, which sends it out by the exit"};
    case ipc::Judgement::TO_EXIT_IN_FRAGMENTS:
      return {"to_exit_in_fragments", "given in fragments to the kernel, which sends them out by the exit"};
    case ipc::Judgement::WAITS:
      return {"waits", "waits for its neighbour's MAC address"};
    case ipc::Judgement::IS_DROPPED:
      return {"dropped", "dropped"};
    default:
      return {"undecided", "undecided"};
  }
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string way_text(const ipc::Judgement& judgement) {
  std::string way;
  const auto add = [&](const std::string& part) { way += (way.empty() ? "" : ", ") + part; };
  const auto in_brackets = [](bool has, const ipc::Prefix& prefix) {
    return has ? fmt::format(" ({})", serve::prefix_text(prefix)) : std::string{};
  };
  if (!judgement.zone().empty()) {
    add(fmt::format("zone {}{}", judgement.zone(),
                    in_brackets(judgement.has_source_prefix(), judgement.source_prefix())));
  }
  if (!judgement.next_hop().empty()) {
    add(fmt::format("next hop {}{}", serve::policy_name(judgement.next_hop()),
                    in_brackets(judgement.has_route(), judgement.route())));
  }
  if (judgement.has_member()) {
    add(fmt::format("by {} to {}", judgement.member().port(),
                    base::address_to_string(judgement.member().address())));
  }
  return way.empty() ? way : way + ": ";
}

std::string end_text(const ipc::CapturedPacket& packet) {
  const auto& judgement = packet.judgement();
  auto end = std::string{words_of_fate(judgement.fate()).sentence};
  if (!packet.reason().empty()) {
    end += fmt::format(" as {}: {}", packet.reason(), serve::sentence_of(packet.reason()));
  }
  if (!judgement.told().empty()) {
    end += fmt::format("; its sender is told {}", judgement.told());
  }
  return end;
}

class Traces : public CaptureSink {
 public:
  explicit Traces(bool json) : json_{json} {}

  void add(const ipc::CapturedPacket& packet, const std::string& port) override {
    const auto& bytes = packet.frame();
    const auto frame = capture::read_frame(
        {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, packet.size());
    json_ ? print_object(packet, port, to_text(frame)) : print_lines(packet, port, to_text(frame));
  }
  Outcome flush() override { return finish_output(); }
  std::uint64_t bytes() const override { return 0; }
  int descriptor() const override { return STDOUT_FILENO; }

 private:
  static void print_object(const ipc::CapturedPacket& packet, const std::string& port,
                           const std::string& text) {
    const auto& judgement = packet.judgement();
    const auto prefix_or_null = [](bool has, const ipc::Prefix& prefix) {
      return has ? Json(serve::prefix_text(prefix)) : Json(nullptr);
    };
    const Json member = judgement.has_member()
                            ? Json{{"port", judgement.member().port()},
                                   {"address", base::address_to_string(judgement.member().address())}}
                            : Json(nullptr);
    const auto next_hop =
        judgement.next_hop().empty() ? Json(nullptr) : Json(serve::policy_name(judgement.next_hop()));
    const Json line{
        {"unix_ns", packet.unix_ns()},
        {"port", port},
        {"generated", judgement.generated()},
        {"size", packet.size()},
        {"packet", text},
        {"stage", judgement.stage()},
        {"verdict", words_of_fate(judgement.fate()).name},
        {"reason", text_or_null(packet.reason())},
        {"told", text_or_null(judgement.told())},
        {"zone", text_or_null(judgement.zone())},
        {"source_prefix", prefix_or_null(judgement.has_source_prefix(), judgement.source_prefix())},
        {"next_hop", next_hop},
        {"route", prefix_or_null(judgement.has_route(), judgement.route())},
        {"member", member}};
    fmt::print("{}\n", line.dump());
  }
  static void print_lines(const ipc::CapturedPacket& packet, const std::string& port,
                          const std::string& text) {
    const auto seconds = static_cast<std::time_t>(packet.unix_ns() / 1'000'000'000);
    const auto microseconds = packet.unix_ns() / 1'000 % 1'000'000;
    const auto& judgement = packet.judgement();
    fmt::print("{:%H:%M:%S}.{:06} {:<8} {}{}\n  {:<8} {}{}\n", fmt::localtime(seconds), microseconds, port,
               text, judgement.generated() ? " (from this appliance's kernel)" : "", judgement.stage(),
               way_text(judgement), end_text(packet));
  }

  bool json_;
};

}  // namespace

auto trace_sink(bool json) -> std::unique_ptr<CaptureSink> {
  return std::make_unique<Traces>(json);
}

}  // namespace sekisho::cli
