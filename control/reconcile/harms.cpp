// A reload waits for members that are new to us, and is refused when it would break what works.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "control/reconcile/daemon.hpp"

namespace sekisho::reconcile {
namespace {

// For neighbours that are new to us: traffic that moves to a gateway before the kernel has found it would be dropped.
constexpr std::chrono::seconds patience{1};
// For the last hope of a next hop that is alive now.
constexpr std::chrono::seconds longest_patience{5};

// Where the kernel lists what is on a bus; empty: the device is none of a bus.
std::filesystem::path bus_place(const std::string& device) {
  const auto name = device.substr(0, device.find(','));
  constexpr std::string_view vmbus = "vmbus:";
  if (name.starts_with(vmbus)) {
    return std::filesystem::path("/sys/bus/vmbus/devices") / name.substr(vmbus.size());
  }
  constexpr std::size_t pci_length = std::string_view("0000:00:04.0").size();
  const bool is_pci = name.size() == pci_length && name[4] == ':' && name[7] == ':' && name[10] == '.';
  return is_pci ? std::filesystem::path("/sys/bus/pci/devices") / name : std::filesystem::path();
}

// Why the port has no device; empty: it has one, as far as can be told without opening it.
std::string absence(const config::Port& port, const netlink::Mirror& mirror) {
  if (port.is_af_xdp()) {
    const auto link = mirror.find_link_of(port);
    return link ? std::string() : link.error();
  }
  const auto place = bus_place(port.device);
  std::error_code ignored;
  return place.empty() || std::filesystem::exists(place, ignored)
             ? std::string()
             : fmt::format("there is no device {}", port.device);
}

}  // namespace

auto Daemon::harms(const policy::Policy& then) const -> std::vector<sync::Harm> {
  sync::Devices devices;
  for (const auto& port : policy_->config.ports) {
    if (!failed_ports_.contains(port.name) && absence(port, netlink_->mirror()).empty()) {
      devices.running.insert(port.name);
    }
  }
  for (const auto& port : then.config.ports) {
    if (auto why = absence(port, netlink_->mirror()); !why.empty()) {
      devices.absent.emplace(port.name, std::move(why));
    }
  }
  auto result = sync::harms({*policy_, view_}, {then, view_of(then)}, devices);
  if (!dataplane_.connected()) {
    // It will be back, and what would not come back with it is refused as well. Nobody is asked whether they answer.
    std::erase_if(result, &sync::Harm::may_heal);
  }
  return result;
}

auto Daemon::waits_until(const Step& step) const -> std::optional<std::chrono::steady_clock::time_point> {
  if (!step.policy) {
    return std::nullopt;
  }
  const auto now = std::chrono::steady_clock::now();
  if (now < step.asked + patience) {
    const auto view = view_of(*step.policy);
    if ((view.exit && view.exit->asking) ||
        std::ranges::any_of(view.members,
                            [](const reach::Member& member) { return member.asking && !member.inherited; })) {
      return step.asked + patience;
    }
  }
  if (!step.force && now < step.asked + longest_patience) {
    const auto found = harms(*step.policy);
    if (!found.empty() && std::ranges::all_of(found, &sync::Harm::may_heal)) {
      return step.asked + longest_patience;
    }
  }
  return std::nullopt;
}

auto Daemon::is_harmless(const Step& step) -> bool {
  const auto found = step.override_request() == nullptr ? harms(*step.policy) : std::vector<sync::Harm>();
  if (found.empty()) {
    return true;
  }
  if (step.force) {
    spdlog::warn("{}, by force: {}", step.name(), sync::to_string(found));
    return true;
  }
  spdlog::error("{} refused, the policy stays as it was: {}", step.name(), sync::to_string(found));
  // Neither its interfaces nor its exit are wanted any more.
  keep();
  guard();
  step.done(tl::unexpected(fmt::format(
      "{}. Nothing was changed; `sekisho reload --force` applies it all the same", sync::to_string(found))));
  return false;
}

auto Daemon::plan_to(std::shared_ptr<const policy::Policy> then) const -> serve::Plan {
  auto found = harms(*then);
  auto view = view_of(*then);
  return {policy_, view_, std::move(then), std::move(view), std::move(found)};
}

}  // namespace sekisho::reconcile
