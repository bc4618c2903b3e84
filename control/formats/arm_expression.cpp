// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "control/formats/arm_functions.hpp"
#include "control/formats/arm_value.hpp"

namespace sekisho::formats {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_';
}

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
  auto unknown(std::string_view reason, Lack lack = Lack::nobody) const -> Json {
    return make_unknown(expression_, reason, lack);
  }
  // Ends the reading, too. What failed first is the reason.
  auto fail(std::string_view reason, Lack lack) -> Json {
    rest_ = {};
    if (failure_.empty()) {
      failure_ = reason;
      lack_ = lack;
    }
    return unknown(failure_, lack_);
  }
  auto malformed() -> Json { return fail("it is malformed", Lack::nobody); }
  auto too_much() -> Json { return fail("it is too much to work out", Lack::here); }
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
    if (has_failed())
      return malformed();
    return result;
  }

  auto primary() -> Json {
    skip_blanks();
    if (rest_.starts_with('\''))
      return text();
    if (rest_.starts_with('-') || (!rest_.empty() && is_digit(rest_.front())))
      return number();
    const auto name = take_word();
    const bool is_own =
        !name.empty() && take('.') && !take_word().empty();  // a function that the template defines
    if (name.empty() || !take('('))
      return malformed();
    if (base::equal_without_case(name, "if"))
      return choice();
    if (base::equal_without_case(name, "map") || base::equal_without_case(name, "filter"))
      return over_elements(base::equal_without_case(name, "filter"));
    std::vector<Json> arguments;
    if (!take(')')) {
      do {
        arguments.push_back(value());
      } while (take(','));
      if (!take(')'))
        return malformed();
    }
    if (!is_live_)
      return {};
    return is_own ? unknown("it calls a function that the template defines", Lack::here)
                  : call(name, arguments);
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
        return text_of(std::move(result));
      result += '\'';
    }
  }

  // A lambda's is copied for each element.
  auto text_of(Json result) -> Json { return names_.allowance().take(result) ? result : too_much(); }

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

  // lambda('element', expression) and lambda('element', 'index', expression): read once, evaluated for each element.
  struct Lambda {
    std::vector<std::string> names;
    std::string_view body;
  };
  auto lambda() -> std::optional<Lambda> {
    if (!base::equal_without_case(take_word(), "lambda") || !take('('))
      return std::nullopt;
    Lambda result;
    for (;;) {  // a text that a comma follows is a name; what none follows is the expression
      skip_blanks();
      result.body = rest_;
      if (!rest_.starts_with('\''))
        break;
      auto name = text();
      if (has_failed() || !take(',')) {
        rest_ = has_failed() ? rest_ : result.body;
        break;
      }
      result.names.push_back(name.get<std::string>());
    }
    const bool was_live = std::exchange(is_live_, false);
    value();
    is_live_ = was_live;
    if (has_failed())
      return std::nullopt;
    result.body.remove_suffix(rest_.size());
    if (!take(')') || result.names.empty() || result.names.size() > 2)
      return std::nullopt;
    return result;
  }

  auto apply(const Lambda& lambda, const Json& element, const Json& index) -> Json {
    const auto outer = lambda_variables_.size();
    lambda_variables_.emplace_back(lambda.names[0], element);
    if (lambda.names.size() == 2)
      lambda_variables_.emplace_back(lambda.names[1], index);
    const auto rest = std::exchange(rest_, lambda.body);
    auto result = value();
    if (!has_failed())
      rest_ = rest;
    lambda_variables_.resize(outer);
    return result;
  }

  // An element of which it is not known what becomes of it is unknown, and the others are known all the same.
  auto over_elements(bool is_filter) -> Json {
    const auto input = value();
    const auto each = !has_failed() && take(',') ? lambda() : std::nullopt;
    if (!each || !take(')'))
      return malformed();
    if (!is_live_ || is_unknown(input))
      return input;
    if (!input.is_array())
      return unknown(fmt::format("{}() is not given what it takes", is_filter ? "filter" : "map"));
    auto result = Json::array();
    const auto* const many = find_unknown_shape(input);
    const Json* uncounted = nullptr;  // behind what stands for any number of elements, nobody knows an index
    for (std::size_t i = 0; i < input.size() && !has_failed(); ++i) {
      const auto& element = input[i];
      uncounted = &element == many ? many : uncounted;
      auto answer =
          is_unknown(element) ? element : apply(*each, element, uncounted == nullptr ? Json(i) : *uncounted);
      if (!is_filter || is_unknown(answer))
        result.push_back(is_filter ? any_number_of(answer) : std::move(answer));
      else if (!answer.is_boolean())
        return unknown("filter() asks what is neither true nor false");
      else if (answer.get<bool>())
        result.push_back(element);
    }
    if (has_failed() || !names_.allowance().take(result))
      return too_much();
    return result;
  }

  auto lambda_variable(const std::string& name) -> Json {
    const auto found = std::ranges::find_if(
        lambda_variables_.rbegin(), lambda_variables_.rend(),
        [&](const auto& variable) { return base::equal_without_case(variable.first, name); });
    return found == lambda_variables_.rend() ? unknown("there is no such lambda variable") : found->second;
  }

  auto element(Json from, const Json& key) -> Json {
    if (!is_live_ || is_unknown(from))
      return from;
    if (is_unknown(key))
      return key;
    if (const auto* unknown = find_unknown_shape(from))
      return *unknown;
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

  auto dispatch(const std::string& name, const std::vector<Json>& arguments) -> Json {
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
    if (name == "and" || name == "or")
      return logic(name, arguments);
    if (asks_deployment(name) || name.starts_with("list"))
      return unknown(fmt::format("{}() asks the deployment", shown(name)), Lack::deployment);
    const auto* function = find_template_function(name);
    if (function == nullptr && std::ranges::find(asked, name) == asked.end())
      return unknown(fmt::format("{}() is not worked out", shown(name)), Lack::here);
    // The others need all of what they are given.
    for (const auto& argument : arguments)
      if (const auto* missing = function != nullptr && function->of_shape ? find_unknown_shape(argument)
                                                                          : find_unknown(argument))
        return *missing;
    if (function == nullptr)
      return ask(name, arguments);
    if (!is_given_right(*function, arguments))
      return no_sense(name);
    if (std::ranges::find(searching, name) != searching.end() && !take_search(arguments[0], arguments[1]))
      return too_much();
    auto result = function->call(arguments);
    return result
               ? *std::move(result)
               : unknown(fmt::format("{}() is not worked out for what it is given", shown(name)), Lack::here);
  }

  // Each letter of a text may begin each of what is looked for.
  static constexpr std::array<std::string_view, 4> searching{"contains", "indexof", "replace", "split"};
  bool take_search(const Json& in, const Json& what) {
    constexpr std::size_t letters = 16;
    return !in.is_string() ||
           names_.allowance().take(in.get_ref<const std::string&>().size() / letters * weight(what));
  }

  static auto shown(const std::string& name) -> std::string_view {
    constexpr std::size_t max_name = 32;
    return std::string_view{name}.substr(0, max_name);
  }
  auto no_sense(const std::string& name) const -> Json {
    return unknown(fmt::format("{}() is not given what it takes", shown(name)));
  }

  // What stands around the expression.
  static constexpr std::array<std::string_view, 5> asked{"copyindex", "environment", "lambdavariables",
                                                         "parameters", "variables"};
  auto ask(const std::string& name, const std::vector<Json>& arguments) -> Json {
    if (name == "copyindex")
      return loop_index(arguments);
    if (name == "environment" && arguments.empty())
      return {{"name", names_.cloud()}};
    if (arguments.size() != 1 || !arguments[0].is_string())
      return no_sense(name);
    const auto& which = arguments[0].get_ref<const std::string&>();
    if (name == "lambdavariables")
      return lambda_variable(which);
    return name == "parameters" ? names_.parameter(which) : names_.variable(which);
  }

  // False and anything is false; true or anything is true.
  auto logic(const std::string& name, const std::vector<Json>& arguments) -> Json {
    const bool deciding = name == "or";
    const Json* missing = nullptr;
    for (const auto& each : arguments) {
      if (is_unknown(each))
        missing = missing == nullptr ? &each : missing;
      else if (!each.is_boolean())
        return no_sense(name);
      else if (each.get<bool>() == deciding)
        return deciding;
    }
    return missing == nullptr ? Json(!deciding) : *missing;
  }

  // concat() and union() of arrays whose parts are not all known hold the unknown as an element: the others are known all
  // the same.
  auto joined(const std::string& name, const std::vector<Json>& arguments) -> Json {
    if (std::ranges::any_of(arguments, &Json::is_array)) {
      auto result = Json::array();
      for (const auto& argument : arguments) {
        if (is_unknown(argument))
          result.push_back(any_number_of(argument));
        else if (!argument.is_array())
          return no_sense(name);
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
    if (name == "union")
      return merged(arguments);
    if (!std::ranges::all_of(arguments, &Json::is_string))
      return no_sense(name);
    std::string result;
    for (const auto& argument : arguments)
      result += argument.get_ref<const std::string&>();
    return result;
  }

  // Of the same name the last one counts; objects in objects are merged in turn.
  auto merged(const std::vector<Json>& arguments) -> Json {
    if (!std::ranges::all_of(arguments, &Json::is_object))
      return no_sense("union");
    auto result = Json::object();
    for (const auto& argument : arguments)
      merge(argument, result);
    return result;
  }
  void merge(const Json& object, Json& into) {
    auto& members = into.get_ref<Json::object_t&>();
    for (const auto& [name, value] : object.get_ref<const Json::object_t&>()) {
      if (!names_.allowance().take(members.size()))
        return;
      const auto known = std::ranges::find_if(
          members, [&](const auto& member) { return base::equal_without_case(member.first, name); });
      if (known == members.end())
        members.emplace(name, value);
      else if (value.is_object() && known->second.is_object())
        merge(value, known->second);
      else if (!value.is_object() || !is_unknown(known->second))  // of what is not known, some may stay
        known->second = value;
    }
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
        return no_sense("createobject");
      result[arguments[i].get_ref<const std::string&>()] = arguments[i + 1];
    }
    if (arguments.size() % 2 != 0)
      return no_sense("createobject");
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
        return no_sense("copyindex");
    }
    const auto index = names_.loop_index(name);
    return index ? Json(*index + offset) : unknown("there is no such copy loop");
  }

  std::string_view expression_;
  std::string_view rest_;
  TemplateNames& names_;
  bool is_live_ = true;
  std::string_view failure_;
  Lack lack_ = Lack::nobody;
  std::vector<std::pair<std::string, Json>> lambda_variables_;  // the innermost last
};

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
