// SPDX-License-Identifier: BSD-3-Clause
#include "control/policy/files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/error.hpp"
#include "common/base/text.hpp"
#include "control/formats/format.hpp"
#include "control/formats/reader.hpp"

namespace sekisho::policy {

auto Files::read_service_tags(const std::filesystem::path& file) -> std::optional<base::Error> {
  auto tags = formats::read_service_tags(file);
  if (!tags)
    return tags.error();
  tags_ = std::move(*tags);
  return judge(tags_->findings);
}

auto Files::read(const config::RouteSpec& spec, const config::Config& config)
    -> tl::expected<const formats::RouteFile*, base::Error> {
  const auto key = Key{spec.file, spec.peer, spec.allow_empty, spec.table, spec.format, spec.parameters};
  if (const auto found = files_.find(key); found != files_.end())
    return &found->second;
  formats::Options options{.peer = spec.peer,
                           .table = spec.table,
                           .parameters = spec.parameters,
                           .empty = formats::empty_if(spec.allow_empty)};
  if (!spec.format.empty()) {
    const auto* row = formats::find_format(spec.format);
    if (row == nullptr)
      return tl::unexpected(config.at(
          spec.line,
          fmt::format("there is no format {}; `sekisho formats` lists them", base::in_quotes(spec.format))));
    options.format = row->format;
  }
  auto file = formats::read_routes(spec.file, options);
  if (!file)
    return tl::unexpected(std::move(file.error()));
  LoadedFile loaded{.file = spec.file,
                    .parameters = spec.parameters,
                    .format = file->format,
                    .routes = file->routes.size(),
                    .tables = file->tables,
                    .tags = {}};
  std::ranges::transform(file->tag_routes, std::back_inserter(loaded.tags), &formats::TagRoute::tag);
  if (auto refused = judge(file->findings))
    return tl::unexpected(std::move(*refused));
  const auto known = file->findings.size();
  if (const auto resolved = resolve_tags(*file); !resolved)
    return tl::unexpected(resolved.error());
  std::copy(file->findings.begin() + static_cast<std::ptrdiff_t>(known), file->findings.end(),
            std::back_inserter(oddities_.tags));
  loaded_.push_back(std::move(loaded));
  return &files_.emplace(key, std::move(*file)).first->second;
}

auto Files::unfold(const std::string& tag, const base::Error& place)
    -> tl::expected<formats::RouteFile, base::Error> {
  const auto at_place = [&](const std::string& reason) {
    return base::Error{place.file, place.line, reason, {}};
  };
  formats::RouteFile file;
  file.next_hops.emplace_back();
  file.tag_routes.push_back({.tag = tag, .next_hop = 0, .label = 0, .path = {}});
  if (const auto resolved = resolve_tags(file); !resolved)
    return tl::unexpected(at_place(resolved.error().reason));
  for (const auto& finding : file.findings)
    oddities_.tags.push_back({finding.severity, at_place(finding.where.reason)});
  return file;
}

auto Files::resolve_tags(formats::RouteFile& file) -> tl::expected<void, base::Error> {
  if (file.tag_routes.empty())
    return {};
  if (!tags_) {
    const auto& route = file.tag_routes.front();
    return tl::unexpected(
        base::Error{file.file, 0,
                    fmt::format("what the service tag \"{}\" means, a file tells: write service_tags = "
                                "\"FILE\" in [azure]",
                                route.tag),
                    route.path});
  }
  return formats::resolve_tags(file, *tags_);
}

auto Files::judge(const std::vector<base::Finding>& findings) -> std::optional<base::Error> {
  for (const auto& finding : findings) {
    if (finding.severity == base::Severity::error)
      return finding.where;
    if (finding.severity == base::Severity::warning)
      oddities_.files.push_back(finding);
  }
  return std::nullopt;
}

}  // namespace sekisho::policy
