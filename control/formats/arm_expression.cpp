// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "control/formats/arm_value.hpp"

namespace sekisho::formats {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

// "{0}" and "{1}" in a text; a format specification ("{0:N}") is more than is understood.
auto format_text(const std::vector<Json>& arguments) -> std::optional<std::string> {
  constexpr std::size_t longest = 1 << 16;  // a short pattern may name a long argument often
  const auto& pattern = arguments.front().get_ref<const std::string&>();
  std::string result;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (result.size() > longest)
      return std::nullopt;
    const bool is_doubled = i + 1 < pattern.size() && pattern[i + 1] == c;
    if ((c == '{' || c == '}') && is_doubled) {
      result += c;
      ++i;
    } else if (c == '{') {
      std::size_t number = 0;
      const auto [end, code] =
          std::from_chars(pattern.data() + i + 1, pattern.data() + pattern.size(), number);
      i = static_cast<std::size_t>(end - pattern.data());
      if (code != std::errc{} || number + 1 >= arguments.size() || i >= pattern.size() || pattern[i] != '}')
        return std::nullopt;
      const auto& argument = arguments[number + 1];
      if (argument.is_string())
        result += argument.get_ref<const std::string&>();
      else if (argument.is_number_integer())
        result += argument.dump();
      else
        return std::nullopt;
    } else if (c == '}') {
      return std::nullopt;
    } else {
      result += c;
    }
  }
  return result;
}

// One pass reads and evaluates: expressions are short, and there is nothing to keep.
class Evaluation {
 public:
  Evaluation(std::string_view expression, TemplateNames& names)
      : expression_(expression), rest_(expression.substr(1, expression.size() - 2)), names_(names) {}

  auto run() -> Json {
    auto result = value();
    skip_blanks();
    if (!rest_.empty())
      return malformed();
    return result;
  }

 private:
  auto unknown(std::string_view reason) const -> Json { return make_unknown(expression_, reason); }
  // Ends the reading, too. What failed first is the reason.
  auto fail(std::string_view reason) -> Json {
    rest_ = {};
    if (failure_.empty())
      failure_ = reason;
    return unknown(failure_);
  }
  auto malformed() -> Json { return fail("it is malformed"); }
  auto too_much() -> Json { return fail("it is too much to work out"); }
  [[nodiscard]] bool has_failed() const { return !failure_.empty(); }

  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool take(char c) {
    skip_blanks();
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }
  auto take_word() -> std::string_view {
    skip_blanks();
    const auto end = std::ranges::find_if_not(rest_, is_word_character);
    const auto word = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(word.size());
    return word;
  }

  // A value, and the members or elements of it that are asked for.
  auto value() -> Json {
    const Allowance::Level level{names_.allowance()};
    if (!level.is_allowed() || !names_.allowance().take(Allowance::step))
      return too_much();
    auto result = primary();
    while (!has_failed()) {
      if (take('.')) {
        const auto name = take_word();
        if (name.empty())
          return malformed();
        result = element(std::move(result), std::string{name});
      } else if (take('[')) {
        auto key = value();
        if (!take(']'))
          return malformed();
        result = element(std::move(result), key);
      } else {
        break;
      }
    }
    return has_failed() ? malformed() : result;
  }

  auto primary() -> Json {
    skip_blanks();
    if (rest_.starts_with('\''))
      return text();
    if (rest_.starts_with('-') || (!rest_.empty() && is_digit(rest_.front())))
      return number();
    const auto name = take_word();
    if (name.empty() || !take('('))
      return malformed();
    if (base::equal_without_case(name, "if"))
      return choice();
    std::vector<Json> arguments;
    if (!take(')')) {
      do {
        arguments.push_back(value());
      } while (take(','));
      if (!take(')'))
        return malformed();
    }
    return is_live_ ? call(name, arguments) : Json{};
  }

  // 'it''s'
  auto text() -> Json {
    std::string result;
    for (;;) {
      rest_.remove_prefix(1);
      const auto quote = rest_.find('\'');
      if (quote == std::string_view::npos)
        return malformed();
      result += rest_.substr(0, quote);
      rest_.remove_prefix(quote + 1);
      if (!rest_.starts_with('\''))
        return result;
      result += '\'';
    }
  }

  auto number() -> Json {
    std::int64_t result = 0;
    const auto [end, code] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), result);
    if (code != std::errc{})
      return malformed();
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return result;
  }

  // if(condition, then, otherwise): the branch not taken is read and asks nothing.
  auto choice() -> Json {
    const auto condition = value();
    const bool was_live = is_live_;
    const bool is_known = condition.is_boolean();
    const auto branch = [&](bool taken) {
      is_live_ = was_live && is_known && taken;
      auto result = take(',') ? value() : malformed();
      is_live_ = was_live;
      return result;
    };
    auto then = branch(is_known && condition.get<bool>());
    auto otherwise = branch(is_known && !condition.get<bool>());
    if (has_failed() || !take(')'))
      return malformed();
    if (!is_live_)
      return {};
    if (!is_known)
      return is_unknown(condition) ? condition : unknown("a condition is not a boolean");
    return condition.get<bool>() ? then : otherwise;
  }

  auto element(Json from, const Json& key) -> Json {
    if (!is_live_ || is_unknown(from))
      return from;
    if (is_unknown(key))
      return key;
    if (from.is_object() && key.is_string()) {
      const auto& name = key.get_ref<const std::string&>();
      const auto* found = names_.allowance().take(from.size()) ? find_member(from, name) : nullptr;
      return found == nullptr ? unknown(fmt::format("there is no {}", base::in_quotes(name))) : Json(*found);
    }
    if (from.is_array() && key.is_number_integer()) {
      const auto index = key.get<std::int64_t>();
      if (index < 0 || static_cast<std::uint64_t>(index) >= from.size())
        return unknown(fmt::format("there is no element {}", index));
      return from[static_cast<std::size_t>(index)];
    }
    return unknown(fmt::format("{} has no such member", type_name(from)));
  }

  auto call(std::string_view name, const std::vector<Json>& arguments) -> Json {
    auto result = dispatch(lower_case(name), arguments);
    if (!names_.allowance().take(result))
      return too_much();
    return result;
  }

  // A function of strings that the first argument has to be one for.
  static auto text_of(const std::vector<Json>& arguments) -> const std::string* {
    return arguments.size() == 1 && arguments[0].is_string() ? &arguments[0].get_ref<const std::string&>()
                                                             : nullptr;
  }

  auto dispatch(const std::string& name, const std::vector<Json>& arguments) -> Json {
    const auto no_sense = [&] { return unknown(fmt::format("{}() is not given what it takes", name)); };
    if (name == "concat" || name == "union")
      return joined(name, arguments);
    if (name == "createarray")
      return Json(arguments);
    if (name == "createobject")
      return object(arguments);
    if (name == "coalesce") {
      const auto found = std::ranges::find_if_not(arguments, [](const Json& each) { return each.is_null(); });
      return found == arguments.end() ? Json{} : *found;
    }
    // The others need all of what they are given.
    for (const auto& argument : arguments)
      if (const auto* missing = find_unknown(argument))
        return *missing;

    if (name == "parameters" || name == "variables") {
      const auto* which = text_of(arguments);
      if (which == nullptr)
        return no_sense();
      return name == "parameters" ? names_.parameter(*which) : names_.variable(*which);
    }
    if (name == "environment" && arguments.empty())
      return {{"name", names_.cloud()}};
    if (name == "copyindex")
      return loop_index(arguments);
    if ((name == "true" || name == "false") && arguments.empty())
      return name == "true";
    if (name == "null" && arguments.empty())
      return {};
    if (name == "equals" && arguments.size() == 2)
      return arguments[0] == arguments[1];
    if (name == "not" && arguments.size() == 1 && arguments[0].is_boolean())
      return !arguments[0].get<bool>();
    if (name == "and" || name == "or") {
      if (!std::ranges::all_of(arguments, &Json::is_boolean))
        return no_sense();
      const auto is_true = [](const Json& each) { return each.get<bool>(); };
      return name == "and" ? std::ranges::all_of(arguments, is_true)
                           : std::ranges::any_of(arguments, is_true);
    }
    if ((name == "empty" || name == "length") && arguments.size() == 1) {
      const auto& of = arguments[0];
      if (!of.is_string() && !of.is_structured() && !of.is_null())
        return no_sense();
      const auto size = of.is_string() ? of.get_ref<const std::string&>().size() : of.size();
      return name == "empty" ? Json(size == 0) : Json(size);
    }
    if (const auto* of = text_of(arguments); of != nullptr && name == "tolower")
      return lower_case(*of);
    if (name == "format" && !arguments.empty() && arguments[0].is_string()) {
      auto result = format_text(arguments);
      return result ? Json(std::move(*result)) : no_sense();
    }
    return unknown(fmt::format("{}() is not worked out here", name.substr(0, max_name)));
  }

  // concat() and union() of arrays whose parts are not all known hold the unknown as an element: the others are known all
  // the same.
  auto joined(const std::string& name, const std::vector<Json>& arguments) -> Json {
    if (std::ranges::any_of(arguments, &Json::is_array)) {
      auto result = Json::array();
      for (const auto& argument : arguments) {
        if (is_unknown(argument))
          result.push_back(argument);
        else if (!argument.is_array())
          return unknown(fmt::format("{}() is not given what it takes", name));
        else
          for (const auto& element : argument)
            if (name == "concat" || !contains(result, element))
              result.push_back(element);
      }
      return result;
    }
    const auto missing = std::ranges::find_if(arguments, is_unknown);
    if (missing != arguments.end())
      return *missing;
    if (name == "union" || !std::ranges::all_of(arguments, &Json::is_string))
      return unknown(fmt::format("{}() is not given what it takes", name));
    std::string result;
    for (const auto& argument : arguments)
      result += argument.get_ref<const std::string&>();
    return result;
  }

  bool contains(const Json& array, const Json& element) {
    return names_.allowance().take(array.size()) && std::ranges::find(array, element) != array.end();
  }

  auto object(const std::vector<Json>& arguments) -> Json {
    auto result = Json::object();
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
      if (is_unknown(arguments[i]))
        return arguments[i];
      if (!arguments[i].is_string())
        return unknown("createobject() is not given what it takes");
      result[arguments[i].get_ref<const std::string&>()] = arguments[i + 1];
    }
    if (arguments.size() % 2 != 0)
      return unknown("createobject() is not given what it takes");
    return result;
  }

  // copyIndex(), copyIndex('loop'), copyIndex(offset), copyIndex('loop', offset)
  auto loop_index(const std::vector<Json>& arguments) -> Json {
    std::string name;
    std::uint64_t offset = 0;
    for (const auto& argument : arguments) {
      if (argument.is_string())
        name = argument.get_ref<const std::string&>();
      else if (argument.is_number_integer() && argument.get<std::int64_t>() >= 0)
        offset = argument.get<std::uint64_t>();
      else
        return unknown("copyindex() is not given what it takes");
    }
    const auto index = names_.loop_index(name);
    return index ? Json(*index + offset) : unknown("there is no such copy loop");
  }

  static constexpr std::size_t max_name = 32;

  std::string_view expression_;
  std::string_view rest_;
  TemplateNames& names_;
  bool is_live_ = true;
  std::string_view failure_;
};

// Arrays and objects with all that is in them; a string by its length.
auto weight(const Json& value) -> std::size_t {
  constexpr std::size_t short_string = 64;
  std::size_t result = 1;
  if (value.is_string())
    result += value.get_ref<const std::string&>().size() / short_string;
  if (value.is_structured())
    for (const auto& element : value)
      result += weight(element);
  return result;
}

}  // namespace

bool Allowance::take(std::size_t amount) noexcept {
  left_ -= std::min(left_, amount);
  return left_ != 0;
}

bool Allowance::take(const Json& value) noexcept {
  return take(weight(value));
}

// "To have a literal string start with a left bracket [ but not have it interpreted as an expression, add an extra bracket."
bool is_expression(std::string_view text) noexcept {
  return text.size() > 2 && text.starts_with('[') && text.ends_with(']') && !text.starts_with("[[");
}

auto evaluate(std::string_view expression, TemplateNames& names) -> Json {
  return Evaluation{expression, names}.run();
}

}  // namespace sekisho::formats
