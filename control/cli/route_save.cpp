// SPDX-License-Identifier: BSD-3-Clause
// Overrides become lines of a route file. Before a byte is written, the configuration is read with the file as it would be: what a
// reload would make of it must be what the overrides make of the configuration now, in every zone, and nothing else.
#include "control/cli/route_save.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/fd.hpp"
#include "common/base/file.hpp"
#include "common/base/stamp.hpp"
#include "common/base/text.hpp"
#include "common/base/unix_time.hpp"
#include "common/base/write_whole.hpp"
#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/configuration.hpp"
#include "control/cli/edited_routes.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"
#include "control/netlink/interface_addresses.hpp"
#include "control/route/difference.hpp"

namespace sekisho::cli {
namespace {

namespace fs = std::filesystem;
using policy::Override;
using PolicyRead = tl::expected<std::shared_ptr<const policy::Policy>, std::string>;

struct SaveOptions {
  std::string file;
  std::string zone;
  bool unnamed = false;
};

struct Running {
  fs::path configuration;
  std::vector<Override> overrides;
};

auto ask_overrides(const Context& context, const std::string& zone) -> tl::expected<Json, std::string> {
  auto result = ask(context, {{"command", "show"}, {"what", "overrides"}});
  if (!result || zone.empty()) {
    return result;
  }
  auto chosen = Json::array();
  for (const auto& each : result->at("overrides")) {
    if (each.at("zone") == zone) {
      chosen.push_back(each);
    }
  }
  result->at("overrides") = std::move(chosen);
  return result;
}

Running running_of(const Json& told) {
  Running running{.configuration = told.at("configuration").get<std::string>(), .overrides = {}};
  for (const auto& each : told.at("overrides")) {
    auto& one = running.overrides.emplace_back();
    one.zone = each.at("zone").get<std::string>();
    one.prefix = base::parse_prefix(each.at("prefix").get_ref<const std::string&>()).value();
    if (!each.at("next_hop").is_null()) {
      one.next_hop = each.at("next_hop").get<std::string>();
    }
  }
  return running;
}

Json overrides_json(const std::vector<Override>& overrides) {
  auto result = Json::array();
  for (const auto& each : overrides) {
    result.push_back({{"zone", each.zone},
                      {"prefix", base::to_string(each.prefix)},
                      {"next_hop", each.next_hop ? Json(*each.next_hop) : Json(nullptr)}});
  }
  return result;
}

Outcome refuse_unknown(const Context& context, const std::string& zone) {
  const auto names = ask(context, {{"command", "show"}, {"what", "names"}});
  if (!names) {
    return tl::unexpected{names.error()};
  }
  const auto& zones = names->at("zones");
  return std::ranges::find(zones, Json(zone)) != zones.end()
             ? Outcome{}
             : tl::unexpected{fmt::format("there is no zone {}", base::in_quotes(zone))};
}

Outcome list(const Context& context, const std::string& zone) {
  const auto told = ask_overrides(context, zone);
  if (!told) {
    return tl::unexpected{told.error()};
  }
  const auto& overrides = told->at("overrides");
  if (overrides.empty() && !zone.empty()) {
    if (auto known = refuse_unknown(context, zone); !known) {
      return known;
    }
  }
  if (context.json) {
    print_json(overrides);
    return {};
  }
  if (overrides.empty()) {
    fmt::print("no route is overridden{}\n", zone.empty() ? "" : " in zone " + zone);
    return {};
  }
  Table table{{{"ZONE"}, {"PREFIX"}, {"NEXT-HOP"}}};
  for (const auto& each : overrides) {
    table.add({value_text(each, "zone"), value_text(each, "prefix"),
               each.at("next_hop").is_null() ? "(deleted)" : value_text(each, "next_hop")});
  }
  fmt::print("{}", table.render());
  return {};
}

// --- save -------------------------------------------------------------------------------------------------------

// Where a file's name leads, for names that differ and mean the same.
fs::path place_of_file(const fs::path& file) {
  std::error_code error;
  // Of a name without a folder, whose file is not there yet, it would leave the name alone.
  auto place = fs::weakly_canonical(fs::absolute(file), error);
  return error ? fs::absolute(file).lexically_normal() : place;
}

bool names(const config::RouteSpec& spec, const fs::path& place) {
  return spec.kind == config::RouteSpec::Kind::file && place_of_file(spec.file) == place;
}

bool names(const config::Zone& zone, const fs::path& place) {
  return std::ranges::any_of(zone.routes, [&](const auto& spec) { return names(spec, place); });
}

// The next hop of the zone's User route; null: it has none.
const std::string* user_next_hop(const policy::Policy& policy, const Override& change) {
  const auto* zone = policy.zone(change.zone);
  if (zone == nullptr) {
    return nullptr;
  }
  const auto same =
      std::ranges::equal_range(zone->table.candidates(), change.prefix, {}, &route::Route::prefix);
  const auto found = std::ranges::find_if(same, [](const auto& each) { return route::is_user(each.origin); });
  return found == same.end() ? nullptr : &policy.names[found->next_hop];
}

bool is_configured(const policy::Policy& policy, const Override& change) {
  const auto* there = user_next_hop(policy, change);
  return there == nullptr ? !change.next_hop : change.next_hop == *there;
}

auto wanted_of(const std::vector<Override>& overrides) -> tl::expected<WantedRoutes, std::string> {
  WantedRoutes wanted;
  for (const auto& each : overrides) {
    const auto [entry, is_new] = wanted.emplace(each.prefix, each.next_hop);
    if (!is_new && entry->second != each.next_hop) {
      return tl::unexpected{
          fmt::format("zones override {} differently, and a file says one thing: choose one by --zone",
                      base::to_string(each.prefix))};
    }
  }
  return wanted;
}

// Text that is read by a file's name and that nobody else can open.
auto in_memory(const std::string& text) -> tl::expected<base::Fd, std::string> {
  base::Fd file{::memfd_create("sekisho-route-save", MFD_CLOEXEC)};
  if (!file.valid() || !base::write_all(file.get(), text)) {
    return tl::unexpected{"cannot rehearse: " + std::generic_category().message(errno)};
  }
  return file;
}

// The configuration as a reload would read it with the file's content replaced.
PolicyRead with_content(const policy::Policy& before, const std::optional<netlink::Mirror>& mirror,
                        const fs::path& place, const std::string& text) {
  const auto memory = in_memory(text);
  if (!memory) {
    return tl::unexpected{memory.error()};
  }
  const auto stand_in = fmt::format("/proc/self/fd/{}", memory->get());
  auto config = before.config;
  for (auto& zone : config.zones) {
    for (auto& spec : zone.routes) {
      if (names(spec, place)) {
        spec.file = stand_in;
      }
    }
  }
  auto policy = policy::build(std::move(config),
                              mirror ? netlink::addresses_by(*mirror) : policy::InterfaceAddresses{});
  if (policy) {
    return *std::move(policy);
  }
  auto error = policy.error();
  if (error.file == stand_in) {
    error.file = place;
  }
  return tl::unexpected{"nothing is written, a reload would refuse it: " + error.to_string()};
}

std::string name_or_nothing(const std::string* name) {
  return name == nullptr ? "by no route" : "to " + *name;
}

// Where what wins was written, for a prefix that does not come out right.
std::string place_in(const policy::Policy& policy, const policy::ZonePolicy& zone, base::Prefix prefix,
                     const fs::path& place) {
  const auto& candidates = zone.table.candidates();
  const auto found = std::ranges::lower_bound(candidates, prefix, {}, &route::Route::prefix);
  if (found == candidates.end() || found->prefix != prefix) {
    return {};
  }
  const auto file = policy.file_sources.find(found->source);
  if (file != policy.file_sources.end() && file->second.file.native().starts_with("/proc/self/fd/")) {
    return " by " + place.native();
  }
  const auto in = file == policy.file_sources.end() ? policy.config.at(found->line)
                                                    : base::Error{file->second.file, found->line, {}};
  return in.line == 0 ? " by " + policy.names[found->source]
                      : fmt::format(" by {}:{}", in.file.native(), in.line);
}

// What a reload would do otherwise than the overrides do now.
Outcome compare(const policy::Policy& expected, const policy::Policy& after, const fs::path& place) {
  for (std::size_t i = 0; i < expected.zones.size(); ++i) {
    std::string wrong;
    const auto& zone = after.zones[i];
    route::difference({expected.zones[i].table, expected.names}, {zone.table, after.names},
                      [&](const route::Change& change) {
                        if (wrong.empty()) {
                          wrong = fmt::format(
                              "nothing is written: zone {} would send {} {}{}, and not {} as it is to be; "
                              "that entry has to change, or another file be chosen",
                              zone.name, base::to_string(change.prefix), name_or_nothing(change.after),
                              place_in(after, zone, change.prefix, place), name_or_nothing(change.before));
                        }
                      });
    if (!wrong.empty()) {
      return tl::unexpected{wrong};
    }
  }
  return {};
}

// Each override's zone has to read the file.
Outcome refuse_unnamed(const policy::Policy& policy, const std::vector<Override>& overrides,
                       const fs::path& place) {
  for (const auto& each : overrides) {
    const auto zone = std::ranges::find(policy.config.zones, each.zone, &config::Zone::name);
    if (zone != policy.config.zones.end() && !names(*zone, place)) {
      auto why = fmt::format(
          "zone {} does not read {}, so that a reload would not find the route there: put {{ file = "
          "\"{}\", allow_empty = true }} behind the last entry of its \"routes\"; --unnamed writes the file "
          "before",
          zone->name, place.native(), place.native());
      return tl::unexpected{policy.config.at(zone->line, std::move(why)).to_string()};
    }
  }
  return {};
}

// A file says what there is. That a route is gone it says only to a zone that had the route from there.
Outcome refuse_deletions(const policy::Policy& policy, const std::vector<Override>& overrides,
                         const fs::path& place) {
  for (const auto& each : overrides) {
    const auto zone = std::ranges::find(policy.config.zones, each.zone, &config::Zone::name);
    if (!each.next_hop && zone != policy.config.zones.end() && !names(*zone, place)) {
      return tl::unexpected{fmt::format(
          "nothing is written: {} is deleted in zone {}, which does not read {}, and no line of a file that "
          "is not the route's own says so: take the route out of where it is written, or choose other "
          "overrides by --zone",
          base::to_string(each.prefix), each.zone, place.native())};
    }
  }
  return {};
}

Outcome refuse_advertised(const config::Config& config, const fs::path& place) {
  if (config.bgp) {
    for (const auto& spec : config.bgp->advertise) {
      if (names(spec, place)) {
        auto why = fmt::format(
            "nothing is written: \"advertise\" of [bgp] names {}, too, so that BGP peers would be told other "
            "prefixes: choose another file",
            place.native());
        return tl::unexpected{config.at(spec.line, std::move(why)).to_string()};
      }
    }
  }
  return {};
}

// Of several that save in a folder one at a time: the file itself is another one afterwards. Who holds it for long, which anybody can
// who may read the folder, holds nobody up.
auto lock_folder_of(const fs::path& place) -> tl::expected<base::Fd, std::string> {
  constexpr std::chrono::seconds patience{10};
  constexpr std::chrono::milliseconds a_while{20};
  base::Fd folder{::open(place.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!folder.valid() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) {
    if (!folder.valid() || errno != EWOULDBLOCK) {
      return tl::unexpected{
          fmt::format("{}: {}", place.parent_path().native(), std::generic_category().message(errno))};
    }
    if (std::chrono::steady_clock::now() > end) {
      return tl::unexpected{
          fmt::format("{} is locked, by another `sekisho route save` perhaps: nothing is written",
                      place.parent_path().native())};
    }
    std::this_thread::sleep_for(a_while);
  }
  return folder;
}

bool is_same(const base::Stamp& one, const base::Stamp& other) {
  return one.size == other.size && one.written_ns == other.written_ns;
}

auto read_if_there(const fs::path& place, bool may_be_new) -> tl::expected<std::string, std::string> {
  std::error_code ignored;
  if (may_be_new && !fs::exists(place, ignored)) {
    return std::string{};
  }
  return base::read_file(place).map_error([](const base::Error& error) { return error.to_string(); });
}

void print_saved(const Context& context, const fs::path& place, const std::vector<Override>& saved,
                 const std::vector<Override>& configured, bool is_named) {
  if (context.json) {
    print_json({{"file", place.native()},
                {"saved", overrides_json(saved)},
                {"configured_already", overrides_json(configured)},
                {"named", is_named}});
    return;
  }
  if (!configured.empty()) {
    fmt::print("{} override{} in the configuration already\n", configured.size(),
               configured.size() == 1 ? " is" : "s are");
  }
  if (saved.empty()) {
    fmt::print("nothing to save\n");
    return;
  }
  fmt::print("{} override{} saved in {}: {}\n", saved.size(), saved.size() == 1 ? "" : "s", place.native(),
             is_named ? "`sekisho reload` goes by it"
                      : "no reload goes by it before the configuration names it for every zone");
}

Outcome save(const Context& context, const SaveOptions& options) {
  const auto told = ask_overrides(context, options.zone);
  if (!told) {
    return tl::unexpected{told.error()};
  }
  const auto running = running_of(*told);
  const auto read = read_configuration(running.configuration);
  if (!read) {
    return tl::unexpected{read.error()};
  }
  const auto& before = *read->policy;
  if (!options.zone.empty() && before.zone(options.zone) == nullptr) {
    return tl::unexpected{fmt::format("{}: there is no zone {}", running.configuration.native(),
                                      base::in_quotes(options.zone))};
  }
  auto saved = running.overrides;
  std::vector<Override> configured;
  const auto kept = std::ranges::stable_partition(
      saved, [&](const Override& each) { return !is_configured(before, each); });
  configured.assign(kept.begin(), kept.end());
  saved.erase(kept.begin(), kept.end());
  const auto place = place_of_file(options.file);
  const auto named = refuse_unnamed(before, saved, place);
  if (!named && !options.unnamed) {
    return named;
  }
  // Of two zones that override a prefix each in its way one may be as it is configured.
  if (const auto all = wanted_of(running.overrides); !all) {
    return tl::unexpected{all.error()};
  }
  const auto wanted = wanted_of(saved);
  if (saved.empty()) {
    print_saved(context, place, saved, configured, named.has_value());
    return {};
  }
  for (const auto& allowed :
       {refuse_advertised(before.config, place), refuse_deletions(before, saved, place)}) {
    if (!allowed) {
      return allowed;
    }
  }
  auto of_readers = saved;  // the others' routes come once the configuration names the file
  std::erase_if(of_readers, [&](const Override& each) {
    const auto zone = std::ranges::find(before.config.zones, each.zone, &config::Zone::name);
    return zone != before.config.zones.end() && !names(*zone, place);
  });
  const auto expected = policy::with_overrides(before, of_readers);
  if (!expected) {
    return tl::unexpected{fmt::format("{}: {}", running.configuration.native(), expected.error())};
  }
  const auto lock = lock_folder_of(place);
  if (!lock) {
    return tl::unexpected{lock.error()};
  }
  const auto as_read = base::stamp(place);
  const auto text = read_if_there(place, options.unnamed);
  if (!text) {
    return tl::unexpected{text.error()};
  }
  const auto mark = "sekisho route save, " + date(Json(base::now_unix_ms()));
  const auto edited = with_routes(*text, *wanted, mark, place);
  if (!edited) {
    return tl::unexpected{"only a text file of routes takes what is saved: " + edited.error()};
  }
  const auto after = with_content(before, read->mirror, place, *edited);
  if (!after) {
    return tl::unexpected{after.error()};
  }
  if (auto same = compare(**expected, **after, place); !same) {
    return same;
  }
  // Whoever has written it meanwhile, with an editor say, keeps that; but for the instant from this look to the end of the writing.
  if (const auto now = read_if_there(place, options.unnamed);
      !now || *now != *text || !is_same(as_read, base::stamp(place))) {
    return tl::unexpected{
        fmt::format("{} was changed meanwhile: nothing is written, try again", place.native())};
  }
  if (auto written =
          base::write_whole(place, *edited, {.mode = 0644, .waits_for_disk = true, .is_as_before = true});
      !written) {
    return written;
  }
  print_saved(context, place, saved, configured, named.has_value());
  return {};
}

}  // namespace

void add_route_list(CLI::App& group, Context& context) {
  auto zone = std::make_shared<std::string>();
  auto* command = group.add_subcommand("list", "List the overrides in force");
  command->add_option("--zone", *zone, "Only this zone's")->type_name("ZONE");
  command->callback([&context, zone] { context.run = [&context, zone] { return list(context, *zone); }; });
}

void add_route_save(CLI::App& group, Context& context) {
  auto options = std::make_shared<SaveOptions>();
  auto* command = group.add_subcommand(
      "save", "Write the overrides in force into a route file, so that a reload keeps them");
  command->add_option("file", options->file, "A text file of routes that the configuration names")
      ->type_name("FILE")
      ->required();
  command->add_option("--zone", options->zone, "Only this zone's overrides")->type_name("ZONE");
  command->add_flag("--unnamed", options->unnamed,
                    "Also a file that the configuration does not name for the zone yet, or that is new");
  command->footer(
      "What runs does not change. The file is replaced whole, and nothing in it is lost: an override of a "
      "prefix\n"
      "that stands there takes its place, and what stood there stays above it as a comment; one that `route "
      "del`\n"
      "made leaves the comment only; others come at the end. A comment with the date says what was done.\n"
      "Refused, with nothing written, unless a reload would then send every prefix of every zone where it "
      "goes\n"
      "with the overrides: where a later entry of the zone's \"routes\" has the prefix, say, or where "
      "another\n"
      "zone reads the file, too. Refused as well: a file that `advertise` of [bgp] names, for peers would be "
      "told\n"
      "other prefixes; and what `route del` made in a zone that does not read the file, --unnamed or not. "
      "What "
      "it\n"
      "is compared with is the configuration on the disk, also while a policy of the history runs, whose "
      "copies\n"
      "of files stay as they are.\n\n"
      "Examples:\n"
      "  sekisho route save /etc/sekisho/overrides.txt\n"
      "  sekisho route save /etc/sekisho/overrides.txt --zone onprem && sekisho reload --dry-run\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return save(context, *options); }; });
}

}  // namespace sekisho::cli
