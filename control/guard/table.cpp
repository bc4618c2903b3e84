// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>
#include <vector>

#include "control/guard/listing.hpp"
#include "control/guard/nft.hpp"
#include "control/guard/rules.hpp"

namespace sekisho::guard {
namespace {

std::string foreign_table() {
  return "the nftables table `inet sekisho` was not made by Sekisho (its comment is missing); look at it "
         "with `nft list "
         "table inet sekisho` and remove or rename it";
}

// --- Elements of the sets as nft reads them.

using Elements = std::vector<std::string>;

// In quotes, so that nft takes nothing in it for a word of its own.
std::string quoted(std::string_view text) {
  return fmt::format("\"{}\"", text);
}

struct Set {
  std::string_view name;
  std::string_view type;
  Elements (*elements)(const Guard& guard);
};

template <typename Values, typename Text>
Elements texts(const Values& values, Text text) {
  Elements result;
  std::ranges::transform(values, std::back_inserter(result), text);
  return result;
}

constexpr auto sets = std::to_array<Set>({
    {"ports", "type ifname", [](const Guard& guard) { return texts(guard.names, quoted); }},
    {"allow", "type ifname", [](const Guard& guard) { return texts(*guard.allow, quoted); }},
    // nft looks for an interface of that name first: none is called "0007".
    {"links", "type iface_index",
     [](const Guard& guard) {
       return texts(guard.links, [](int link) { return fmt::format("\"{:010}\"", link); });
     }},
    {"stations", "type ether_addr",
     [](const Guard& guard) {
       return texts(guard.stations, [](const auto& mac) { return base::mac_to_string(mac); });
     }},
    {"exceptions", "type ipv4_addr; flags interval",
     [](const Guard& guard) {
       return texts(guard.exceptions, [](const auto prefix) { return base::to_string(prefix); });
     }},
});

bool is_exceptions(const Set& set) {
  return set.name == "exceptions";
}

bool has(const Guard& guard, const Set& set) {
  return is_exceptions(set) ? guard.exit.has_value() : set.name != "allow" || guard.allow.has_value();
}

std::string change(std::string_view verb, const Set& set, const Elements& elements) {
  return elements.empty() ? std::string{}
                          : fmt::format("{} element inet sekisho {} {{ {} }}\n", verb, set.name,
                                        fmt::join(elements, ", "));
}

// Only the difference: what stays is never out of the set. A prefix may overlap with what it replaces.
std::string difference(const Set& set, const Guard& before, const Guard& after) {
  Elements old = set.elements(before);
  Elements wanted = set.elements(after);
  if (old == wanted) {
    return {};
  }
  if (is_exceptions(set)) {
    return fmt::format("flush set inet sekisho {}\n", set.name) + change("add", set, wanted);
  }
  std::ranges::sort(old);
  std::ranges::sort(wanted);
  Elements more;
  Elements less;
  std::ranges::set_difference(wanted, old, std::back_inserter(more));
  std::ranges::set_difference(old, wanted, std::back_inserter(less));
  return change("add", set, more) + change("delete", set, less);
}

// `add, delete, add` replaces the table whether or not it exists, in the one transaction that a buffer is.
std::string whole_table(const Guard& guard) {
  const std::string create = fmt::format("add table inet sekisho {{ comment \"{}\"; }}\n", marker);
  std::string script =
      create + "delete table inet sekisho\n" + create +
      "add chain inet sekisho forward { type filter hook forward priority -300; policy drop; }\n";
  for (const auto& set : sets) {
    if (has(guard, set)) {
      script += fmt::format("add set inet sekisho {} {{ {}; }}\n", set.name, set.type) +
                change("add", set, set.elements(guard));
    }
  }
  if (guard.exit) {
    // Translation makes the kernel track every connection of this host: only where there is something to translate.
    script += "add chain inet sekisho exit { type nat hook postrouting priority srcnat; policy accept; }\n";
  }
  for (const auto& rule : rules::forward(guard)) {
    script += "add rule inet sekisho forward " + rule.text + "\n";
  }
  for (const auto& rule : rules::translation(guard.exit)) {
    script += "add rule inet sekisho exit " + rule.text + "\n";
  }
  return script;
}

std::string script(const std::optional<Listing>& now, const Guard& wanted) {
  if (!now || !now->whole || now->guard.exit != wanted.exit ||
      now->guard.allow.has_value() != wanted.allow.has_value()) {
    return whole_table(wanted);
  }
  std::string changes;
  for (const auto& set : sets) {
    if (has(wanted, set)) {
      changes += difference(set, now->guard, wanted);
    }
  }
  return changes;
}

}  // namespace

auto install(const Guard& guard) -> tl::expected<void, std::string> {
  for (const auto& names : {guard.names, guard.allow.value_or(std::set<std::string>{})}) {
    if (const auto name = std::ranges::find_if_not(names, is_quotable); name != names.end()) {
      return tl::unexpected(fmt::format("the guard cannot name the interface \"{}\" in nftables", *name));
    }
  }
  const auto now = list();
  if (!now) {
    return tl::unexpected(now.error());
  }
  if (*now && !(*now)->ours) {
    return tl::unexpected(foreign_table());
  }
  const auto commands = script(*now, guard);
  if (commands.empty()) {
    return {};
  }
  if (const auto output = nft::run(commands); !output.done) {
    return tl::unexpected("the guard cannot be installed in nftables: " + output.error);
  }
  return {};
}

auto remove() -> tl::expected<void, std::string> {
  const auto now = list();
  if (!now) {
    return tl::unexpected(now.error());
  }
  if (!*now) {
    return {};
  }
  if (!(*now)->ours) {
    return tl::unexpected(foreign_table());
  }
  if (const auto output = nft::run("delete table inet sekisho"); !output.done) {
    return tl::unexpected("the guard cannot be removed from nftables: " + output.error);
  }
  return {};
}

auto installed() -> tl::expected<Guard, std::string> {
  auto now = list();
  if (!now) {
    return tl::unexpected(now.error());
  }
  if (!*now) {
    return tl::unexpected<std::string>("there is no guard: nftables has no table `inet sekisho`");
  }
  if (!(*now)->ours) {
    return tl::unexpected(foreign_table());
  }
  if (!(*now)->whole) {
    return tl::unexpected<std::string>(
        "the guard is damaged: somebody changed the rules of the nftables table `inet sekisho`");
  }
  return std::move((*now)->guard);
}

auto remembered() -> Guard {
  const auto now = list();
  return now && *now && (*now)->ours ? remember((*now)->guard, Guard{}) : Guard{};
}

}  // namespace sekisho::guard
