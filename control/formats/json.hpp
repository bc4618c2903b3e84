// SPDX-License-Identifier: BSD-3-Clause
// JSON from outside: bounded in size and nesting, no member twice. Azure's own readers compare names without regard to case,
// and so does this one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/error.hpp"

namespace sekisho::formats {

using Json = nlohmann::json;

// Azure's largest service tag file has 5 MB; a parsed document takes many times its text.
inline constexpr std::size_t max_json_bytes = std::size_t{64} << 20;
// What walks a document may recurse. Deployments nested in deployments have been seen at 29.
inline constexpr std::size_t max_json_depth = 200;

// Whether the first byte that is no blank opens an object or an array; a byte order mark may stand before it.
[[nodiscard]] bool is_json(std::string_view bytes) noexcept;
[[nodiscard]] auto parse_json(std::string_view text, const std::filesystem::path& file)
    -> tl::expected<Json, base::Error>;

[[nodiscard]] auto lower_case(std::string_view text) -> std::string;
// JSONPath (RFC 9535, 2.3): "$.routes" and "$['a b']"; "$.routes[3]".
[[nodiscard]] auto member_path(std::string_view path, std::string_view name) -> std::string;
[[nodiscard]] auto element_path(std::string_view path, std::size_t index) -> std::string;
// "a string", "an array": for messages.
[[nodiscard]] auto type_name(const Json& value) -> std::string_view;

// A member without regard to case; null: there is none, or it is no object.
[[nodiscard]] const Json* find_member(const Json& value, std::string_view name);

// The members of an object without regard to case. Refers to the object, which has to live as long.
class Members {
 public:
  struct Member {
    std::string key;    // in small letters
    std::string where;  // JSONPath
    const Json* value = nullptr;
  };

  // ARM and REST nest in "properties" what az prints beside the name: with `flatten`, both look alike.
  [[nodiscard]] static auto of(const Json& object, const std::string& path, const std::filesystem::path& file,
                               bool flatten = false) -> tl::expected<Members, base::Error>;

  // Of a tool that has names of its own: those of `names`, each under the other of its pair; the rest is left out.
  [[nodiscard]] auto renamed(std::span<const std::pair<std::string_view, std::string_view>> names) const
      -> Members;

  // Null: there is none, or it is JSON's null.
  [[nodiscard]] const Json* find(std::string_view key) const;
  // Of a member that is there or should be.
  [[nodiscard]] auto where(std::string_view key) const -> std::string;
  // Null: there is none; an error: it is no string.
  [[nodiscard]] auto string(std::string_view key) const -> tl::expected<const std::string*, base::Error>;
  // `otherwise` where there is none; an error: it is no boolean.
  [[nodiscard]] auto boolean(std::string_view key, bool otherwise) const -> tl::expected<bool, base::Error>;
  [[nodiscard]] auto begin() const { return members_.begin(); }
  [[nodiscard]] auto end() const { return members_.end(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // An error at this place.
  [[nodiscard]] auto refuse(std::string_view key, std::string reason) const -> tl::unexpected<base::Error>;

 private:
  void add(const Json& object, const std::string& path);

  std::string path_;
  std::filesystem::path file_;
  std::vector<Member> members_;  // sorted by key
};

}  // namespace sekisho::formats
