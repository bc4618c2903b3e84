// SPDX-License-Identifier: BSD-3-Clause
// The parameters and variables of an ARM template, and its values with their expressions worked out as far as the template
// itself allows: a parameter has what the deployment around it passes, else its default. Where a template asks in which
// cloud it is, the public one is assumed. Both assumptions are findings; the rest is unknown (arm_value.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.hpp"
#include "control/formats/arm_expression.hpp"
#include "control/formats/json.hpp"
#include "control/formats/route_collector.hpp"

namespace sekisho::formats {

// One a file, whatever is nested in it.
class TemplateContext {
 public:
  explicit TemplateContext(RouteCollector& routes) : routes_(routes) {}

  [[nodiscard]] auto allowance() -> Allowance& { return allowance_; }
  // Finds it once.
  void assume(base::Severity severity, const std::string& path, std::string what);

 private:
  RouteCollector& routes_;
  Allowance allowance_;
  std::set<std::string> assumed_;
};

class Scope final : public TemplateNames {
 public:
  // What a deployment passes to a template: its `parameters`, to be worked out where the deployment stands.
  struct Given {
    const Json* parameters = nullptr;  // null: none
    Scope* scope = nullptr;            // null: they are a file's, whose values are what they look like
  };

  // `document`: the template; `path`: where it stands. Refers to both and to `given`.
  Scope(const Json& document, std::string path, std::optional<Given> given, TemplateContext& context)
      : parameters_(find_member(document, "parameters")),
        variables_(find_member(document, "variables")),
        path_(std::move(path)),
        given_(given),
        context_(context) {}

  [[nodiscard]] auto resolve(const Json& value) -> Json;
  // Inside a copy loop. The name may be empty.
  void enter_loop(std::string name);
  void set_loop_index(std::uint64_t index);
  void leave_loop();

  auto parameter(std::string_view name) -> Json override;
  auto variable(std::string_view name) -> Json override;
  auto cloud() -> std::string override;
  auto loop_index(std::string_view name) -> std::optional<std::uint64_t> override;
  auto allowance() -> Allowance& override { return context_.allowance(); }

 private:
  auto given(std::string_view name) -> std::optional<Json>;
  auto passed(std::string_view name) -> std::optional<Json>;
  auto resolve_object(const Json& object) -> Json;
  auto resolve_loop(const Json& loop) -> Json;

  const Json* parameters_;  // null: the template has none
  const Json* variables_;
  std::string path_;
  std::optional<Given> given_;
  TemplateContext& context_;
  std::vector<std::pair<std::string, std::uint64_t>> loops_;
};

// ARM's own limit: "The count can't exceed 800."
inline constexpr std::uint64_t max_loop = 800;

}  // namespace sekisho::formats
