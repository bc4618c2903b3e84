// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/check/warnings.hpp"
#include "control/config/config.hpp"
#include "control/config/resolve.hpp"
#include "control/events/hook.hpp"
#include "control/prove/prove.hpp"
#include "control/reconcile/timing.hpp"

namespace sekisho::reconcile {
namespace {

// What a policy is read from, besides the configuration itself; and what checks read.
template <typename Config, typename Visit>
void each_file(Config& config, Visit visit) {
  const auto visit_named = [&](auto& file) {
    if (!file.empty()) {
      visit(file);
    }
  };
  const auto visit_routes = [&](auto& specs) {
    for (auto& spec : specs) {
      visit_named(spec.file);
      visit_named(spec.parameters);
    }
  };
  for (auto& port : config.ports) {
    visit_named(port.subnet_routes);
  }
  for (auto& zone : config.zones) {
    visit_routes(zone.routes);
  }
  if (config.bgp) {
    visit_routes(config.bgp->advertise);
  }
  visit_named(config.azure.service_tags);
}

auto files_of(const config::Config& config) -> std::vector<std::filesystem::path> {
  std::vector<std::filesystem::path> files;
  each_file(config, [&](const std::filesystem::path& file) { files.push_back(file); });
  std::ranges::sort(files);
  const auto same = std::ranges::unique(files);
  files.erase(same.begin(), same.end());
  return files;
}

// An entry of the history has all files beneath its root, also those that the configuration names from "/".
void move_beneath(const std::filesystem::path& root, config::Config& config) {
  std::error_code ignored;  // --state-directory may be relative, and the files' names are not
  const auto place = std::filesystem::absolute(root, ignored).lexically_normal();
  each_file(config, [&](std::filesystem::path& file) {
    const auto relative = file.lexically_relative(place);
    if (relative.empty() || relative.native().starts_with("..")) {
      file = history::beneath(place, file);
    }
  });
}

// A policy without a copy may run, but not one on trial that a restart would confirm.
void write_history(const Source& source, Handover& handover, Reading& reading) {
  auto& sources = reading.sources;
  if (source.copy) {
    const auto& [directory, newest, cause] = *source.copy;
    auto copy = history::Copy::take(directory, sources.files, newest, cause);
    if (copy) {
      sources.copy = std::move(*copy);
    } else {
      sources.not_copied = std::move(copy.error());
    }
  }
  if (!source.pin) {
    return;
  }
  handover.unless_given_up([&] {
    if (auto written = history::write_pin(source.pin->directory, source.pin->pin); !written) {
      reading.policy = tl::unexpected(base::Error{
          source.pin->directory, 0, "what is started after a restart cannot be kept: " + written.error()});
    }
  });
}

auto why_no_hook(const config::Config& config) -> std::optional<base::Error> {
  if (!config.hook) {
    return std::nullopt;
  }
  const auto could = events::could_run(config.hook->on_change);
  return could ? std::nullopt
               : std::optional(config.at(config.hook->line,
                                         fmt::format("the hook {} cannot be run: {}",
                                                     config.hook->on_change.native(), could.error())));
}

}  // namespace

auto read_policy(const ReadingOrder& order) -> Reading {
  const auto& source = order.source;
  Reading reading{.policy = tl::unexpected(base::Error{})};
  std::ranges::transform(order.beside, std::back_inserter(reading.files), base::stamp);
  reading.sources = {
      .read_unix_ms = now_unix_ms(), .files = {base::stamp(source.config)}, .policy = source.policy};
  auto read = config::read(source.config, source.root);
  if (!read) {
    reading.policy = tl::unexpected(std::move(read.error()));
    return reading;
  }
  std::ranges::transform(read->included, std::back_inserter(reading.sources.files),
                         &config::IncludedFile::read);
  if (auto refused = config::resolve_names(*read)) {
    reading.policy = tl::unexpected(std::move(*refused));
    return reading;
  }
  if (!source.root.empty()) {
    move_beneath(source.root, *read);
  }
  std::ranges::transform(files_of(*read), std::back_inserter(reading.sources.files), base::stamp);
  reading.hook = why_no_hook(*read);
  reading.policy = policy::build_to_run(std::move(*read), order.addresses, check::warnings);
  if (reading.policy) {
    if (auto broken = prove::refuse_broken(**reading.policy)) {
      reading.policy = tl::unexpected(std::move(*broken));
    }
  }
  if (reading.policy) {
    write_history(source, *order.handover, reading);
  }
  return reading;
}

}  // namespace sekisho::reconcile
