#include "control/cli/command.hpp"
#include "dataplane/fib/prefix.hpp"

namespace sekisho::cli {

CLI::Validator is_address() {
  return {[](std::string& text) {
            const auto parsed = fib::parse_address(text);
            return parsed ? std::string{} : parsed.error();
          },
          ""};
}

CLI::Validator is_address_or_dash() {
  return {[](std::string& text) {
            const auto parsed = fib::parse_address(text);
            return parsed || text == "-" ? std::string{} : parsed.error();
          },
          ""};
}

CLI::Validator is_prefix() {
  return {[](std::string& text) {
            const auto parsed = fib::parse_prefix(text);
            return parsed ? std::string{} : parsed.error();
          },
          ""};
}

}  // namespace sekisho::cli
