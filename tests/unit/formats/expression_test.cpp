// SPDX-License-Identifier: BSD-3-Clause
// The functions of ARM templates, each as Microsoft's pages have it, and where they end.
#include "control/formats/arm_expression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "control/formats/arm_value.hpp"

namespace sekisho::formats {
namespace {

using testing::HasSubstr;

class Names final : public TemplateNames {
 public:
  auto parameter(std::string_view name) -> Json override {
    if (name == "routes")
      return Json::parse(
          R"([{"name": "a", "to": "10.0.0.0/8", "via": "10.0.0.4"}, {"name": "b", "to": "11.0.0.0/8"}])");
    return make_unknown("[parameters('q')]", "the parameter has no defaultValue");
  }
  auto variable(std::string_view /*name*/) -> Json override {
    return Json::object({{"One", "a"}, {"two", 2}});
  }
  auto cloud() -> std::string override { return "AzureCloud"; }
  auto loop_index(std::string_view /*name*/) -> std::optional<std::uint64_t> override { return 3; }
  auto allowance() -> Allowance& override { return allowance_; }

 private:
  Allowance allowance_;
};

auto value_of(const std::string& expression) -> Json {
  Names names;
  return evaluate("[" + expression + "]", names);
}

struct Known {
  std::string expression;
  std::string value;
};

TEST(Expression, IsWhatMicrosoftSays) {
  const std::vector<Known> cases{
      {"contains('OneTwoThree', 'e')", "true"},
      {"contains('OneTwoThree', 'E')", "false"},
      {"contains(variables('o'), 'ONE')", "true"},
      {"contains(variables('o'), 'a')", "false"},
      {"contains(createArray('one', 2), 2)", "true"},
      {"contains(createArray('one', 2), 'One')", "false"},
      {"contains(createArray(), 'x')", "false"},
      {"tryGet(variables('o'), 'one')", R"("a")"},
      {"tryGet(variables('o'), 'three')", "null"},
      {"tryGet(null(), 'three')", "null"},
      {"tryGet(createArray('x'), 0)", R"("x")"},
      {"tryGet(createArray('x'), 1)", "null"},
      {"tryGet(createObject('a', createObject('b', 1)), 'a', 'b')", "1"},
      {"tryGet(createObject('a', createObject('b', 1)), 'c', 'b')", "null"},
      {"json('null')", "null"},
      {R"(json('{"a": [1, true]}').a[1])", "true"},
      {"split('one,two,three', ',')", R"(["one","two","three"])"},
      {"split('one;two,three', createArray(',', ';'))", R"(["one","two","three"])"},
      {"split('a,,b,', ',')", R"(["a","","b",""])"},
      {"split('', ',')", R"([""])"},
      {"split('10.0.0.0/8', '/')[1]", R"("8")"},
      {"string(5)", R"("5")"},
      {"string('x')", R"("x")"},
      {"string(createArray('a','b'))", R"("[\"a\",\"b\"]")"},
      {"int('-5')", "-5"},
      {"int(7)", "7"},
      {"add(copyIndex(), 4)", "7"},
      {"sub(3, 5)", "-2"},
      {"mul(3, 5)", "15"},
      {"div(8, 3)", "2"},
      {"mod(7, 3)", "1"},
      {"first(createArray('one', 'two'))", R"("one")"},
      {"first('One Two')", R"("O")"},
      {"last(createArray('one', 'two'))", R"("two")"},
      {"last('One Two')", R"("o")"},
      {"take(createArray(1, 2, 3), 2)", "[1,2]"},
      {"take(createArray(1, 2, 3), 9)", "[1,2,3]"},
      {"take(createArray(1, 2, 3), -1)", "[]"},
      {"take('one two three', 2)", R"("on")"},
      {"skip(createArray(1, 2, 3), 2)", "[3]"},
      {"skip(createArray(1, 2, 3), 9)", "[]"},
      {"skip(createArray(1, 2, 3), 0)", "[1,2,3]"},
      {"skip('one two three', 4)", R"("two three")"},
      {"replace('123-123-1234', '-', '')", R"("1231231234")"},
      {"replace('aaa', 'aa', 'b')", R"("ba")"},
      {"range(5, 3)", "[5,6,7]"},
      {"range(5, 0)", "[]"},
      {"length(range(0, 10000))", "10000"},
      {"cidrHost('10.144.3.0/24', 0)", R"("10.144.3.1")"},
      {"cidrHost('10.144.3.0/24', 253)", R"("10.144.3.254")"},
      {"cidrSubnet('10.144.0.0/20', 24, 4)", R"("10.144.4.0/24")"},
      {"cidrSubnet('0.0.0.0/0', 1, 1)", R"("128.0.0.0/1")"},
      {"parseCidr('10.144.0.0/20').broadcast", R"("10.144.15.255")"},
      {"items(createObject('b', 1, 'a', 2))", R"([{"key":"a","value":2},{"key":"b","value":1}])"},
      {"map(range(0, 3), lambda('i', add(lambdaVariables('i'), 1)))", "[1,2,3]"},
      {"map(createArray('a', 'b'), lambda('x', 'i', format('{0}{1}', lambdaVariables('x'), "
       "lambdaVariables('i'))))",
       R"(["a0","b1"])"},
      {"map(createArray(1), lambda('x', 'a text'))", R"(["a text"])"},
      {"map(createArray(), lambda('x', parameters('q')))", "[]"},
      {"map(createArray(1, 2), lambda('x', map(createArray(10), lambda('y', add(lambdaVariables('x'), "
       "lambdaVariables('Y'))))))",
       "[[11],[12]]"},
      {"filter(range(0, 4), lambda('i', equals(mod(lambdaVariables('i'), 2), 0)))", "[0,2]"},
      {"map(filter(parameters('routes'), lambda('r', contains(lambdaVariables('r'), 'via'))), lambda('r', "
       "lambdaVariables('r').to))[0]",
       R"("10.0.0.0/8")"},
      {"if(false(), map(parameters('q'), lambda('x', lambdaVariables('x').y)), 'kept')", R"("kept")"},
      {"and(false(), parameters('q'))", "false"},
      {"or(parameters('q'), true())", "true"},
      {"union(createObject('a', createObject('x', 1)), createObject('a', createObject('y', 2), 'b', 3))",
       R"({"a":{"x":1,"y":2},"b":3})"},
      {"union(createObject('a', 'x', 'n', 1), createObject('a', createObject('b', 1)))",
       R"({"a":{"b":1},"n":1})"},
      {"union(createObject('a', createObject('b', 1)), createObject('A', 'x'))", R"({"a":"x"})"},
      {"union(createObject('a', createObject('X', 1)), createObject('A', createObject('x', 2, 'y', 3)))",
       R"({"a":{"X":2,"y":3}})"},
      {"union(createObject('a', parameters('q')), createObject('a', 'x'))", R"({"a":"x"})"},
      {"length(createArray(parameters('q'), 'x'))", "2"},
      {"createArray(parameters('q'), 'x')[1]", R"("x")"},
      {"startsWith('AbC', 'aB')", "true"},
      {"endsWith('AbC', 'Bc')", "true"},
      {"indexOf('test', 'T')", "0"},
      {"indexOf('test', 'x')", "-1"},
      {"substring('one two three', 4, 3)", R"("two")"},
      {"trim('  a b ')", R"("a b")"},
      {"trim('  ')", R"("")"},
      {"toUpper('a b')", R"("A B")"},
      {"join(createArray('a', 'b'), '-')", R"("a-b")"},
      {"flatten(createArray(createArray(1), createArray(2, 3)))", "[1,2,3]"},
      {"max(createArray(0, 3, 2))", "3"},
      {"min(4, 3)", "3"},
      {"lessOrEquals(3, 3)", "true"},
      {"bool('TRUE')", "true"},
      {"array('a')", R"(["a"])"},
  };
  for (const auto& test : cases) {
    const auto value = value_of(test.expression);
    ASSERT_EQ(find_unknown(value), nullptr)
        << test.expression << ": " << unknown_reason(*find_unknown(value));
    EXPECT_EQ(value.dump(), test.value) << test.expression;
  }
}

TEST(Expression, SaysWhyThereIsNoValue) {
  const std::vector<Known> cases{
      {"parameters('q')", "is known to a deployment only (the parameter has no defaultValue)"},
      {"reference('x').prefix", "is known to a deployment only (reference() asks the deployment)"},
      {"listKeys('x').y", "is known to a deployment only (listkeys() asks the deployment)"},
      {"base64('x')", "is not evaluated here (base64() is not worked out)"},
      {"sort(createArray(2, 1), lambda('a', 'b', less(lambdaVariables('a'), lambdaVariables('b'))))",
       "is not evaluated here (sort() is not worked out)"},
      {"__bicep.hello('x')", "is not evaluated here (it calls a function that the template defines)"},
      {"split('a', '')", "is not evaluated here (split() is not worked out for what it is given)"},
      {"split('a', 1)", "has no value (split() is not given what it takes)"},
      {"format('r{0:D2}', 3)", "is not evaluated here (format() is not worked out for what it is given)"},
      {"cidrHost('10.1.0.0/31', 0)", "is not evaluated here (cidrhost() is not worked out"},
      {"less('a', 'b')", "is not evaluated here (less() is not worked out"},
      {"max('a')", "has no value (max() is not given what it takes)"},
      {"split('a')", "has no value (split() is not given what it takes)"},
      {"range(0, 10001)", "is not evaluated here (range() is not worked out for what it is given)"},
      {"range('0', 1)", "has no value (range() is not given what it takes)"},
      {"range(2147483647, 1)", "range() is not worked out"},
      {"add(9223372036854775807, 1)", "add() is not worked out"},
      {"div(1, 0)", "div() is not worked out"},
      {"int('5a')", "int() is not worked out"},
      {"int('')", "int() is not worked out"},
      {"json('{')", "json() is not worked out"},
      {"first(createArray())", "first() is not worked out"},
      {"substring('abc', 2, 2)", "substring() is not worked out"},
      {"replace('a', '', 'b')", "replace() is not worked out"},
      {"cidrHost('10.144.3.0/24', 254)", "cidrhost() is not worked out"},
      {"cidrHost('10.144.3.0/32', 0)", "cidrhost() is not worked out"},
      {"cidrHost('10.144.3.1/24', 0)", "cidrhost() is not worked out"},
      {"cidrSubnet('10.144.0.0/20', 16, 0)", "cidrsubnet() is not worked out"},
      {"take('\xc3\xa4', 1)", "take() is not worked out"},
      {"map('x', lambda('a', 1))", "map() is not given"},
      {"map(createArray(1), 1)", "it is malformed"},
      {"map(createArray(1), lambda('a'))", "it is malformed"},
      {"map(createArray(1), lambda(1))", "it is malformed"},
      {"lambdaVariables('x')", "there is no such lambda variable"},
      {"filter(createArray(1), lambda('a', 1))", "neither true nor false"},
      {"concat(parameters('q'), createArray('x'))[1]",
       "no defaultValue"},  // nobody knows how many stand before it
      {"length(concat(parameters('q'), createArray('x')))", "no defaultValue"},
      {"tryGet(createObject('l', concat(parameters('q'), createArray('x'))), 'l', 1)", "no defaultValue"},
      {"tryGet(createObject('l', concat(parameters('q'), createArray('x'))), 'l', 5)", "no defaultValue"},
      {"tryGet(createObject('l', parameters('q')), 'l', 0)", "no defaultValue"},
      {"last(map(concat(createArray('a'), parameters('q')), lambda('x', 'i', lambdaVariables('i'))))",
       "no defaultValue"},
      {"filter(concat(parameters('q'), createArray('x')), lambda('x', 'i', equals(lambdaVariables('i'), "
       "1)))[0]",
       "no defaultValue"},
      {"union(createObject('a', parameters('q')), createObject('a', createObject('x', 1))).a",
       "no defaultValue"},
      {"contains(createArray(parameters('q')), 'x')", "no defaultValue"},
      {"and(true(), parameters('q'))", "no defaultValue"},
      {"map(createArray('x'), lambda('x', parameters('q')))", "no defaultValue"},
      {"filter(createArray('x'), lambda('x', parameters('q')))", "no defaultValue"},
      {"json('" + std::string(300, '[') + std::string(300, ']') + "')", "json() is not worked out"},
  };
  for (const auto& test : cases) {
    const auto value = value_of(test.expression);
    const auto* unknown = find_unknown(value);
    ASSERT_NE(unknown, nullptr) << test.expression << ": " << value.dump();
    EXPECT_THAT(unknown_reason(*unknown), HasSubstr(test.value)) << test.expression;
  }
}

// Whoever wrote it: what costs much ends.
TEST(Expression, IsBounded) {
  const std::string nested = "map(range(0, 10000), lambda('x', map(range(0, 10000), lambda('y', 1))))";
  EXPECT_THAT(unknown_reason(value_of(nested)),
              HasSubstr("is not evaluated here (it is too much to work out)"));
  std::string grown = "'aaaaaaaa'";
  for (int i = 0; i < 20; ++i)
    grown = "replace(" + grown + ", 'a', 'aaaa')";
  EXPECT_THAT(unknown_reason(value_of(grown)), HasSubstr("replace() is not worked out"));
  const auto copied = "map(range(0, 10000), lambda('x', '" + std::string(std::size_t{1} << 20, 'a') + "'))";
  EXPECT_THAT(unknown_reason(value_of(copied)), HasSubstr("it is too much to work out"));
  std::string delimiters = "'b'";
  for (int i = 0; i < 5000; ++i)
    delimiters += ", 'b'";
  const auto searched =
      "split('" + std::string(std::size_t{1} << 20, 'a') + "', createArray(" + delimiters + "))";
  EXPECT_THAT(unknown_reason(value_of(searched)), HasSubstr("it is too much to work out"));
}

// A delimiter that does not occur is looked for once, and not again for each piece.
TEST(Expression, SplitsALongText) {
  std::string text;
  for (int i = 0; i < 1 << 20; ++i)
    text += "a;";
  EXPECT_EQ(value_of("split('" + text + "', createArray(';', '|'))").size(), (1U << 20) + 1);
}

// Behind what stands for any number of elements.
TEST(Expression, KnowsNoIndexThere) {
  const auto indices = value_of(
      "map(concat(createArray('a'), parameters('q'), createArray('b')), lambda('x', 'i', "
      "lambdaVariables('i')))");
  ASSERT_EQ(indices.size(), 3);
  EXPECT_EQ(indices[0], 0);
  EXPECT_TRUE(is_unknown(indices[2])) << indices[2].dump();
}

}  // namespace
}  // namespace sekisho::formats
