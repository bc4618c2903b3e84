// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"

namespace sekisho::formats {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr bool is_name_character(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// What the library says of a syntax error names the token that it stumbled over, whatever that holds.
auto presentable(std::string_view message) -> std::string {
  constexpr std::string_view lead = "syntax error while parsing ";
  constexpr std::size_t most = 160;
  if (const auto begin = message.find(lead); begin != std::string_view::npos)
    message.remove_prefix(begin + lead.size());
  std::string result{message.substr(0, most)};
  std::ranges::replace_if(
      result, [](char c) { return c < ' ' || c >= '\x7f'; }, '?');
  return result + (message.size() > most ? "..." : "");
}

// Builds the document, and stops where the library's own builder would go on: it nests without bound, and of two
// members of one name it keeps the last.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, const std::filesystem::path& file) : text_(text), file_(file) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return false; }  // text holds none
  bool start_object(std::size_t /*size*/) override { return open(Json::object()); }
  bool start_array(std::size_t /*size*/) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    auto& [container, member] = open_.back();
    // RFC 8259, 4: "When the names within an object are not unique, the behavior of software that receives such an
    // object is unpredictable."
    const auto [place, added] = container->get_ref<Json::object_t&>().try_emplace(name);
    member = &*place;
    if (!added)
      error_ = {file_, 0, "duplicate member", path()};
    return added;
  }

  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& exception) override {
    const auto before = text_.substr(0, position == 0 ? 0 : position - 1);
    error_ = {file_, 1 + static_cast<unsigned>(std::ranges::count(before, '\n')),
              fmt::format("invalid JSON: {}", presentable(exception.what()))};
    return false;
  }

  auto take_error() -> base::Error { return std::move(error_); }
  auto take() -> Json { return std::move(root_); }

 private:
  struct Open {
    Json* container;
    Json::object_t::value_type* member;  // of an object: the one whose value comes next
  };

  auto place() -> Json& {
    if (open_.empty())
      return root_;
    auto& [container, member] = open_.back();
    return container->is_array() ? container->get_ref<Json::array_t&>().emplace_back() : member->second;
  }
  bool put(Json value) {
    place() = std::move(value);
    return true;
  }
  bool open(Json empty) {
    if (open_.size() == max_json_depth) {
      error_ = {file_, 0, fmt::format("is nested more than {} deep", max_json_depth), {}};
      return false;
    }
    auto& value = place();
    value = std::move(empty);
    open_.push_back({&value, nullptr});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  auto path() const -> std::string {
    std::string result{"$"};
    for (const auto& [container, member] : open_)
      result = member != nullptr ? member_path(result, member->first)
                                 : element_path(result, container->size() - 1);
    return result;
  }

  std::string_view text_;
  const std::filesystem::path& file_;
  Json root_;
  std::vector<Open> open_;
  base::Error error_;
};

}  // namespace

bool is_json(std::string_view bytes) noexcept {
  if (bytes.starts_with(byte_order_mark))
    bytes.remove_prefix(byte_order_mark.size());
  for (;;) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(" \t\r\n"), bytes.size()));
    const auto end = bytes.starts_with("//") ? "\n" : bytes.starts_with("/*") ? "*/" : std::string_view{};
    if (end.empty())
      return bytes.starts_with('{') || bytes.starts_with('[');
    bytes.remove_prefix(std::min(bytes.find(end, 2), bytes.size() - end.size()) + end.size());
  }
}

auto parse_json(std::string_view text, const std::filesystem::path& file) -> tl::expected<Json, base::Error> {
  if (text.size() > max_json_bytes)
    return tl::unexpected(
        base::Error{file, 0, fmt::format("holds more than {} bytes, too many for JSON", max_json_bytes)});
  Builder builder{text, file};
  // ARM templates and what editors keep have comments (RFC 8259 knows none).
  constexpr bool to_the_end = true;
  constexpr bool with_comments = true;
  if (!Json::sax_parse(text, &builder, nlohmann::detail::input_format_t::json, to_the_end, with_comments))
    return tl::unexpected(builder.take_error());
  return builder.take();
}

auto lower_case(std::string_view text) -> std::string {
  std::string result{text};
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

auto member_path(std::string_view path, std::string_view name) -> std::string {
  constexpr std::size_t most = 64;
  std::string shown;
  for (const char c : name.substr(0, most))
    shown += c >= ' ' && c < '\x7f' && c != '\'' ? c : '?';
  const bool is_plain = !name.empty() && name.size() <= most && !(name[0] >= '0' && name[0] <= '9') &&
                        std::ranges::all_of(name, is_name_character);
  return is_plain ? fmt::format("{}.{}", path, shown) : fmt::format("{}['{}']", path, shown);
}

auto element_path(std::string_view path, std::size_t index) -> std::string {
  return fmt::format("{}[{}]", path, index);
}

auto type_name(const Json& value) -> std::string_view {
  switch (value.type()) {
    case Json::value_t::object:
      return "an object";
    case Json::value_t::array:
      return "an array";
    case Json::value_t::string:
      return "a string";
    case Json::value_t::boolean:
      return "a boolean";
    case Json::value_t::null:
      return "null";
    default:
      return "a number";
  }
}

const Json* find_member(const Json& value, std::string_view name) {
  if (!value.is_object())
    return nullptr;
  for (const auto& [key, member] : value.get_ref<const Json::object_t&>())
    if (base::equal_without_case(key, name))
      return &member;
  return nullptr;
}

void Members::add(const Json& object, const std::string& path) {
  for (const auto& [name, value] : object.get_ref<const Json::object_t&>())
    members_.push_back({lower_case(name), member_path(path, name), &value});
}

auto Members::of(const Json& object, const std::string& path, const std::filesystem::path& file, bool flatten)
    -> tl::expected<Members, base::Error> {
  if (!object.is_object())
    return tl::unexpected(
        base::Error{file, 0, fmt::format("is {} where an object is expected", type_name(object)), path});
  Members result;
  result.path_ = path;
  result.file_ = file;
  result.add(object, path);
  const auto properties = std::ranges::find(result.members_, "properties", &Member::key);
  if (flatten && properties != result.members_.end() && properties->value->is_object()) {
    const auto nested = *properties;
    result.members_.erase(properties);
    result.add(*nested.value, nested.where);
  }
  std::ranges::stable_sort(result.members_, {}, &Member::key);
  if (const auto twice = std::ranges::adjacent_find(result.members_, {}, &Member::key);
      twice != result.members_.end())
    return tl::unexpected(base::Error{
        file, 0, fmt::format("says the same as {}: which one counts?", twice->where), (twice + 1)->where});
  return result;
}

auto Members::renamed(std::span<const std::pair<std::string_view, std::string_view>> names) const -> Members {
  Members result;
  result.path_ = path_;
  result.file_ = file_;
  for (const auto& [own, name] : names)
    if (const auto found = std::ranges::lower_bound(members_, own, {}, &Member::key);
        found != members_.end() && found->key == own)
      result.members_.push_back({std::string{name}, found->where, found->value});
  std::ranges::sort(result.members_, {}, &Member::key);
  return result;
}

const Json* Members::find(std::string_view key) const {
  const auto found = std::ranges::lower_bound(members_, key, {}, &Member::key);
  return found == members_.end() || found->key != key || found->value->is_null() ? nullptr : found->value;
}

auto Members::where(std::string_view key) const -> std::string {
  const auto found = std::ranges::lower_bound(members_, key, {}, &Member::key);
  return found == members_.end() || found->key != key ? path_ : found->where;
}

auto Members::string(std::string_view key) const -> tl::expected<const std::string*, base::Error> {
  const auto* value = find(key);
  if (value != nullptr && !value->is_string())
    return refuse(key, fmt::format("is {} where a string is expected", type_name(*value)));
  return value == nullptr ? nullptr : &value->get_ref<const std::string&>();
}

auto Members::boolean(std::string_view key, bool otherwise) const -> tl::expected<bool, base::Error> {
  const auto* value = find(key);
  if (value != nullptr && !value->is_boolean())
    return refuse(key, fmt::format("is {} where true or false is expected", type_name(*value)));
  return value == nullptr ? otherwise : value->get<bool>();
}

auto Members::refuse(std::string_view key, std::string reason) const -> tl::unexpected<base::Error> {
  return tl::unexpected(base::Error{file_, 0, std::move(reason), where(key)});
}

}  // namespace sekisho::formats
