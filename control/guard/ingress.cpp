// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/ingress.hpp"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/config/addresses.hpp"
#include "control/guard/ingress_layout.h"

namespace sekisho::guard {
namespace {

constexpr auto ingress_object = std::to_array<unsigned char>({
#include "ingress_object.h"
});

constexpr std::array<const char*, sekisho_ingress_drop_count> ingress_drop_names{
#define DROP(name) #name,
    SEKISHO_INGRESS_DROPS(DROP)
#undef DROP
};

// Before any other filter, and known by its handle.
constexpr std::uint32_t filter_priority = 1;
constexpr std::uint32_t filter_handle = 0x5e15;

bpf_tc_hook hook_of(int link) {
  bpf_tc_hook hook{};
  hook.sz = sizeof hook;
  hook.ifindex = link;
  hook.attach_point = BPF_TC_INGRESS;
  return hook;
}

bpf_tc_opts our_filter() {
  bpf_tc_opts options{};
  options.sz = sizeof options;
  options.handle = filter_handle;
  options.priority = filter_priority;
  return options;
}

// 0: none of ours.
std::uint32_t ingress_program(int link) {
  const auto hook = hook_of(link);
  auto options = our_filter();
  return bpf_tc_query(&hook, &options) == 0 ? options.prog_id : 0;
}

// The errors that the kernel sends along would go to stderr; what matters is said by the caller.
void keep_libbpf_quiet() {
  libbpf_set_print(nullptr);
}

}  // namespace

auto Ingress::load(Addresses addresses) -> tl::expected<std::unique_ptr<Ingress>, std::string> {
  keep_libbpf_quiet();
  const auto refuse = [](std::string_view what, int error) {
    return tl::unexpected(fmt::format("the tc program that keeps transit off the kernel cannot be {} ({})",
                                      what, std::strerror(error)));
  };
  bpf_object* object = bpf_object__open_mem(ingress_object.data(), ingress_object.size(), nullptr);
  if (object == nullptr) {
    return refuse("read", errno);
  }
  auto ingress = std::unique_ptr<Ingress>(new Ingress(object));
  if (const int error = bpf_object__load(object); error < 0) {
    return refuse("loaded; root or CAP_BPF and CAP_NET_ADMIN are needed", -error);
  }
  ingress->program_ = bpf_program__fd(bpf_object__find_program_by_name(object, "sekisho_guard"));
  bpf_prog_info info{};
  std::uint32_t length = sizeof info;
  const std::uint32_t key = 0;
  const sekisho_ingress_state state{addresses == Addresses::as_they_are ? 1U : 0U};
  if (bpf_obj_get_info_by_fd(ingress->program_, &info, &length) < 0 ||
      bpf_map_update_elem(ingress->map("state"), &key, &state, BPF_ANY) != 0) {
    return refuse("prepared", errno);
  }
  ingress->id_ = info.id;
  return ingress;
}

Ingress::~Ingress() {
  bpf_object__close(object_);
}

int Ingress::map(const char* name) const {
  return bpf_object__find_map_fd_by_name(object_, name);
}

auto Ingress::set_addresses(const std::set<std::uint32_t>& addresses) -> tl::expected<void, std::string> {
  std::vector<std::uint32_t> gone;
  std::vector<std::uint32_t> added;
  std::ranges::set_difference(addresses_, addresses, std::back_inserter(gone));
  std::ranges::set_difference(addresses, addresses_, std::back_inserter(added));
  // Removed first, so that a full map has room.
  for (const auto address : gone) {
    const std::uint32_t key = htonl(address);
    bpf_map_delete_elem(map("addresses"), &key);
    addresses_.erase(address);
  }
  for (const auto address : added) {
    const std::uint32_t key = htonl(address);
    const std::uint8_t present = 1;
    if (bpf_map_update_elem(map("addresses"), &key, &present, BPF_ANY) != 0) {
      return tl::unexpected(fmt::format("{} of this host cannot be told to the tc program ({})",
                                        base::address_to_string(address), std::strerror(errno)));
    }
    addresses_.insert(address);
  }
  return {};
}

auto Ingress::attach(int link) const -> tl::expected<void, std::string> {
  auto hook = hook_of(link);
  if (const int error = bpf_tc_hook_create(&hook); error < 0 && error != -EEXIST) {
    return tl::unexpected(fmt::format("no clsact qdisc can be made ({})", std::strerror(-error)));
  }
  auto options = our_filter();
  options.prog_fd = program_;
  options.flags = BPF_TC_F_REPLACE;
  if (const int error = bpf_tc_attach(&hook, &options); error < 0) {
    return tl::unexpected(fmt::format(
        "the tc program cannot be attached ({}); a filter of another kind with priority {} stands in "
        "its way if `tc filter show dev ... ingress` lists one",
        std::strerror(-error), filter_priority));
  }
  return {};
}

bool Ingress::is_on(int link) const {
  return ingress_program(link) == id_;
}

std::map<std::string, std::uint64_t> Ingress::drops() const {
  std::map<std::string, std::uint64_t> sums;
  // A per-CPU value has a slot for every CPU that could be plugged in.
  std::vector<std::uint64_t> slots(static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
  for (std::uint32_t key = 0; key < ingress_drop_names.size(); ++key) {
    std::uint64_t sum = 0;
    if (bpf_map_lookup_elem(map("drops"), &key, slots.data()) == 0) {
      for (const auto slot : slots) {
        sum += slot;
      }
    }
    sums[ingress_drop_names[key]] = sum;
  }
  return sums;
}

bool has_ingress(int link) {
  keep_libbpf_quiet();
  return ingress_program(link) != 0;
}

auto remove_ingress(int link) -> tl::expected<bool, std::string> {
  if (!has_ingress(link)) {
    return false;
  }
  const auto hook = hook_of(link);
  const auto options = our_filter();
  if (const int error = bpf_tc_detach(&hook, &options); error < 0 && error != -ENOENT) {
    return tl::unexpected(fmt::format("the tc program cannot be removed ({})", std::strerror(-error)));
  }
  return true;
}

auto ingress_links(const Guard& guard, const netlink::Mirror& mirror) -> std::vector<const netlink::Link*> {
  std::vector<const netlink::Link*> links;
  for (const int index : guard.links) {
    const auto link = mirror.links.find(index);
    // sekisho0 has no MAC: every packet of it is for others.
    if (link != mirror.links.end() && link->second.mac != base::MacAddress{}) {
      links.push_back(&link->second);
    }
  }
  return links;
}

auto host_addresses(const netlink::Mirror& mirror) -> std::set<std::uint32_t> {
  std::set<std::uint32_t> addresses;
  for (const auto& [link, own] : mirror.addresses) {
    for (const auto& address : own) {
      addresses.insert(address.address);
      if (address.length < 31) {
        addresses.insert(address.address | ~config::subnet_of(address).mask());
      }
    }
  }
  return addresses;
}

}  // namespace sekisho::guard
