// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/service_tags.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <utility>

#include "common/base/file.hpp"
#include "common/base/text.hpp"
#include "control/formats/azure_parts.hpp"
#include "control/formats/compression.hpp"

namespace sekisho::formats {
namespace {

constexpr std::array<std::string_view, 7> known_in_file{"changenumber", "cloud", "id",    "name",
                                                        "nextlink",     "type",  "values"};
constexpr std::array<std::string_view, 11> known_in_tag{
    "addressprefixes", "changenumber", "id",       "name",  "networkfeatures",
    "platform",        "region",       "regionid", "state", "servicetagchangenumber",
    "systemservice"};

// A number in the weekly file; the REST API and `az network list-service-tags` print a string.
auto change_number(const Json& value) -> std::optional<unsigned> {
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= ~0U)
    return value.get<unsigned>();
  if (!value.is_string())
    return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  unsigned number = 0;
  const auto [rest, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc{} && rest == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

bool is_less_without_case(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::lexicographical_compare(a, b, {}, lower, lower);
}

class TagReader {
 public:
  explicit TagReader(const std::filesystem::path& file) { result_.file = file; }

  auto read(const Json& document) -> tl::expected<ServiceTags, base::Error> {
    const auto members = Members::of(document, "$", result_.file);
    if (!members)
      return tl::unexpected(members.error());
    find_unknown(*members, known_in_file, "a service tag file");
    const auto cloud = members->string("cloud");
    if (!cloud)
      return tl::unexpected(cloud.error());
    result_.cloud = *cloud == nullptr ? "" : **cloud;
    if (const auto* number = members->find("changenumber")) {
      const auto known = change_number(*number);
      if (!known)
        return members->refuse("changenumber", "changeNumber is not a valid number");
      result_.change_number = *known;
    }
    const auto* values = members->find("values");
    if (values == nullptr || !values->is_array())
      return members->refuse("values", "is not a service tag file: there is no array of values");
    result_.tags.reserve(values->size());
    for (std::size_t i = 0; i < values->size(); ++i)
      if (const auto read = read_tag((*values)[i], element_path(members->where("values"), i)); !read)
        return tl::unexpected(read.error());
    return sorted();
  }

 private:
  template <std::size_t size>
  void find_unknown(const Members& members, const std::array<std::string_view, size>& known,
                    std::string_view what) {
    for (const auto& member : members)
      if (std::ranges::find(known, member.key) == known.end() && unknown_.insert(member.key).second)
        result_.findings.push_back(
            {base::Severity::warning,
             {result_.file, 0,
              fmt::format("{} has a property that is not known; it is ignored, here and in others", what),
              member.where}});
  }

  auto read_tag(const Json& value, const std::string& path) -> tl::expected<void, base::Error> {
    const auto members = Members::of(value, path, result_.file, true);
    if (!members)
      return tl::unexpected(members.error());
    find_unknown(*members, known_in_tag, "a service tag");
    ServiceTag tag;
    const auto name = members->string("name");
    if (!name)
      return tl::unexpected(name.error());
    if (*name == nullptr || (*name)->empty())
      return members->refuse("name", "is a service tag without a name");
    tag.name = **name;
    const auto region = members->string("region");
    if (!region)
      return tl::unexpected(region.error());
    tag.region = *region == nullptr ? "" : **region;
    if (const auto* features = members->find("networkfeatures")) {
      if (!features->is_array() || !std::ranges::all_of(*features, &Json::is_string))
        return members->refuse("networkfeatures", "networkFeatures is not an array of strings");
      tag.routable = std::ranges::any_of(*features, [](const Json& feature) {
        return base::equal_without_case(feature.get_ref<const std::string&>(), "UDR");
      });
    }
    if (const auto read = read_prefixes(*members, tag); !read)
      return read;
    result_.tags.push_back(std::move(tag));
    return {};
  }

  auto read_prefixes(const Members& members, ServiceTag& tag) -> tl::expected<void, base::Error> {
    const auto* list = members.find("addressprefixes");
    if (list == nullptr || !list->is_array())
      return members.refuse(
          "addressprefixes",
          fmt::format("service tag {}: there is no array addressPrefixes", base::in_quotes(tag.name)));
    tag.prefixes.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto& element = (*list)[i];
      const auto destination =
          element.is_string()
              ? parse_destination(element.get_ref<const std::string&>())
              : tl::unexpected(fmt::format("is {} where a prefix is expected", type_name(element)));
      if (!destination || destination->kind == DestinationKind::tag)
        return tl::unexpected(
            base::Error{result_.file, 0,
                        fmt::format("service tag {}: {}", base::in_quotes(tag.name),
                                    destination ? "a tag's name is not a prefix" : destination.error()),
                        element_path(members.where("addressprefixes"), i)});
      if (destination->kind == DestinationKind::ipv6)
        ++tag.ipv6;
      else
        tag.prefixes.push_back(destination->prefix);
    }
    return {};
  }

  auto sorted() -> tl::expected<ServiceTags, base::Error> {
    std::ranges::sort(result_.tags, is_less_without_case, &ServiceTag::name);
    const auto twice = std::ranges::adjacent_find(result_.tags, base::equal_without_case, &ServiceTag::name);
    if (twice != result_.tags.end())
      return tl::unexpected(base::Error{
          result_.file, 0, fmt::format("there are two service tags {}", base::in_quotes(twice->name)),
          "$.values"});
    return std::move(result_);
  }

  ServiceTags result_;
  std::set<std::string> unknown_;
};

}  // namespace

const ServiceTag* ServiceTags::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tags, name, is_less_without_case, &ServiceTag::name);
  return found == tags.end() || !base::equal_without_case(found->name, name) ? nullptr : &*found;
}

auto service_tags_of(const Json& document, const std::filesystem::path& file)
    -> tl::expected<ServiceTags, base::Error> {
  return TagReader{file}.read(document);
}

auto parse_service_tags(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<ServiceTags, base::Error> {
  const auto document = parse_json(text, file);
  if (!document)
    return tl::unexpected(document.error());
  return service_tags_of(*document, file);
}

auto read_service_tags(const std::filesystem::path& file) -> tl::expected<ServiceTags, base::Error> {
  const auto bytes = read_content(file, max_json_bytes);
  if (!bytes)
    return tl::unexpected(bytes.error());
  return parse_service_tags(*bytes, file);
}

// Azure, "User-defined": "explicit UDR > regional tag > top-level tag > AzureCloud.region > AzureCloud".
route::Origin origin_of(const ServiceTag& tag) noexcept {
  using route::Origin;
  const std::string_view name{tag.name};
  const bool is_cloud = base::equal_without_case(name.substr(0, name.find('.')), "AzureCloud");
  const bool is_regional = !tag.region.empty();
  if (is_cloud)
    return is_regional ? Origin::user_regional_cloud_tag : Origin::user_cloud_tag;
  return is_regional ? Origin::user_regional_tag : Origin::user_tag;
}

}  // namespace sekisho::formats
