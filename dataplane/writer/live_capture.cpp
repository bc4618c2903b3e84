// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/live_capture.hpp"

#include <fmt/format.h>
#include <pcap/pcap.h>
#include <rte_bpf.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <map>
#include <new>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/writer/describe.hpp"
#include "dataplane/writer/publish.hpp"

namespace sekisho::writer {
namespace {

using forward::Capture;
using Filter = std::shared_ptr<const rte_bpf>;

constexpr std::size_t most_instructions = 4'096;  // as Linux has it

// rte_bpf_convert() believes its program, and writes behind its own memory when a jump leaves it: bpf_validate() goes first. It refuses jumps
// that leave the program, a program that does not end, unknown instructions, and a division by zero.
auto load_filter(const ipc::Capture& wanted) -> tl::expected<Filter, std::string> {
  if (wanted.filter().empty()) {
    return Filter{};
  }
  if (static_cast<std::size_t>(wanted.filter_size()) > most_instructions) {
    return tl::unexpected(fmt::format("a filter has at most {} instructions", most_instructions));
  }
  std::vector<bpf_insn> instructions;
  for (const auto packed : wanted.filter()) {
    instructions.push_back({.code = static_cast<u_short>(packed >> 48),
                            .jt = static_cast<u_char>(packed >> 40),
                            .jf = static_cast<u_char>(packed >> 32),
                            .k = static_cast<bpf_u_int32>(packed)});
  }
  const bpf_program program{.bf_len = static_cast<u_int>(instructions.size()),
                            .bf_insns = instructions.data()};
  const bool is_valid = bpf_validate(instructions.data(), static_cast<int>(instructions.size())) != 0;
  const std::unique_ptr<rte_bpf_prm, decltype(&rte_free)> converted{
      is_valid ? rte_bpf_convert(&program) : nullptr, &rte_free};
  auto* const loaded = converted == nullptr ? nullptr : rte_bpf_load(converted.get());
  if (loaded == nullptr) {
    return tl::unexpected(std::string{"the filter is no valid BPF program"});
  }
  return Filter{loaded, [](const rte_bpf* filter) { rte_bpf_destroy(const_cast<rte_bpf*>(filter)); }};
}

auto to_direction(Capture::Direction direction) -> ipc::CapturedPacket::Direction {
  switch (direction) {
    case Capture::Direction::received:
      return ipc::CapturedPacket::RECEIVED;
    case Capture::Direction::sent:
      return ipc::CapturedPacket::SENT;
    case Capture::Direction::judged:
      return ipc::CapturedPacket::JUDGED;
    case Capture::Direction::dropped:
      break;
  }
  return ipc::CapturedPacket::DROPPED;
}

constexpr std::size_t all_packets = std::numeric_limits<std::size_t>::max();
// Workers go on while slots are emptied: what comes meanwhile is for the next look.
constexpr std::size_t most_slots = Capture::memory / 64;

// Empty: none is named. An error: there is none of that name.
auto reason_named(const std::string& name)
    -> tl::expected<std::optional<decide::DropReason>, std::monostate> {
  if (name.empty()) {
    return std::nullopt;
  }
  const auto* const found = std::ranges::find(decide::drop_reason_texts, name, &decide::DropReasonText::name);
  if (found == decide::drop_reason_texts.end()) {
    return tl::unexpected(std::monostate{});
  }
  return static_cast<decide::DropReason>(found - decide::drop_reason_texts.begin());
}

// Of a moment of the time stamp counter.
class UnixTime {
 public:
  [[nodiscard]] std::uint64_t of(std::uint64_t tsc) const {
    const auto ago = static_cast<double>(now_ - std::min(tsc, now_)) / static_cast<double>(rte_get_tsc_hz());
    return unix_ns_ - static_cast<std::uint64_t>(ago * 1e9);
  }

 private:
  std::uint64_t now_ = rte_rdtsc();
  std::uint64_t unix_ns_ = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                          std::chrono::system_clock::now().time_since_epoch())
                                                          .count());
};

void show_to_workers(Live& live, const Capture* capture) {
  auto next = *live.state;
  next.capture = capture;
  publish_state(live, next);
}

}  // namespace

auto LiveCapture::start(Live& live, const ipc::Capture& wanted)
    -> tl::expected<std::unique_ptr<LiveCapture>, std::string> {
  const std::set<std::string> ports{wanted.ports().begin(), wanted.ports().end()};
  for (const auto& port : ports) {
    if (!live.ports.contains(port)) {
      return tl::unexpected(fmt::format("port {} is not among the ports", port));
    }
  }
  if (!wanted.received() && !wanted.sent() && !wanted.dropped() && !wanted.judged()) {
    return tl::unexpected(
        std::string{"nothing is wanted: neither received nor sent nor dropped nor judged frames"});
  }
  const auto only = reason_named(wanted.judged_reason());
  if (!only) {
    return tl::unexpected(fmt::format("no reason is called {}", wanted.judged_reason()));
  }
  auto filter = load_filter(wanted);
  if (!filter) {
    return tl::unexpected(filter.error());
  }
  auto capture =
      Capture::create({.workers = static_cast<unsigned>(live.workers.size()),
                       .snap_length = wanted.snap_length(),
                       .wanted = {wanted.received(), wanted.sent(), wanted.dropped(), wanted.judged()},
                       .filter = std::move(*filter),
                       .only = *only});
  if (!capture) {
    return tl::unexpected(capture.error());
  }
  std::unique_ptr<LiveCapture> running{new LiveCapture{live, ports, std::move(*capture)}};
  running->follow_ports();
  show_to_workers(live, running->capture_.get());
  return running;
}

LiveCapture::~LiveCapture() {
  try {
    show_to_workers(live_, nullptr);
  } catch (const std::bad_alloc&) {
    // Workers may still write into it.
    spdlog::error("there is no memory to end a capture: its slots stay allocated");
    capture_->set_ports(0);
    (void)capture_.release();
  }
}

void LiveCapture::follow_ports() {
  forward::PortMask mask = 0;
  for (const auto& [name, port] : live_.ports) {
    if (ports_.empty() || ports_.contains(name)) {
      mask |= forward::PortMask{1} << port.index;
    }
  }
  capture_->set_ports(mask);
}

ipc::Captured LiveCapture::read(std::size_t most) {
  ipc::Captured result;
  if (settled_.empty()) {
    take(most, all_packets, result);
  } else {
    result = std::move(settled_.front());
    settled_.pop_front();
    settled_packets_ -= static_cast<std::size_t>(result.packets_size());
  }
  return result;
}

// Whoever waits for the transaction, a firewall's death say, waits for this: it takes a thousandth of a second or two. A packet in words
// takes ten times its slot, so that of those too there is a bound.
void LiveCapture::settle() {
  constexpr std::size_t most_at_once = 1'024;
  constexpr std::size_t most_settled = 16'384;
  try {
    ipc::Captured taken;
    take(Capture::memory, std::min(most_at_once, most_settled - settled_packets_), taken);
    if (!taken.packets().empty()) {
      settled_packets_ += static_cast<std::size_t>(taken.packets_size());
      settled_.push_back(std::move(taken));
    }
  } catch (const std::bad_alloc&) {
    // They are lost, like those for which there is no time.
  }
  lost_ += capture_->read(most_slots, [](const Capture::Packet&) {});
}

void LiveCapture::take(std::size_t most, std::size_t most_packets, ipc::Captured& result) {
  follow_ports();
  std::map<forward::PortIndex, std::uint32_t> ports;
  for (const auto& [name, port] : live_.ports) {
    if (ports_.empty() || ports_.contains(name)) {
      ports.emplace(port.index, static_cast<std::uint32_t>(result.port_names_size()));
      result.add_port_names(name);
    }
  }
  const UnixTime time;
  const auto visit = [&](const Capture::Packet& packet) {
    const auto port = ports.find(packet.port);
    if (port == ports.end()) {
      return;  // it has gone meanwhile
    }
    auto& message = *result.add_packets();
    message.set_unix_ns(time.of(packet.at));
    message.set_port(port->second);
    message.set_direction(to_direction(packet.direction));
    const bool is_judged = packet.direction == Capture::Direction::judged;
    if (is_judged) {
      describe(live_, packet, *message.mutable_judgement());
    }
    if (packet.direction == Capture::Direction::dropped ||
        (is_judged && packet.judgement.fate == forward::Judgement::Fate::dropped)) {
      const auto reason = static_cast<std::size_t>(packet.reason);
      message.set_reason(std::string{decide::drop_reason_texts[reason].name});
    }
    message.set_size(packet.size);
    message.set_frame(packet.bytes().data(), packet.bytes().size());
    most -= std::min<std::size_t>(most, packet.kept);
  };
  constexpr std::size_t at_once = 64;
  while (most != 0 && most_packets != 0) {
    const auto count = capture_->read(std::min(at_once, most_packets), visit);
    if (count == 0) {
      break;
    }
    most_packets -= count;
  }
  std::ranges::stable_sort(*result.mutable_packets(), {}, &ipc::CapturedPacket::unix_ns);
  result.set_lost(capture_->lost() + lost_);
}

}  // namespace sekisho::writer
