// SPDX-License-Identifier: BSD-3-Clause
// What one check comes to: a line of `sekisho doctor`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sekisho::doctor {

// The greater is the worse. Unknown: it matters, cannot be seen from this machine, and the remedy is who can say.
enum class Verdict : std::uint8_t { ok, unknown, warning, bad };

[[nodiscard]] constexpr std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::unknown:
      return "unknown";
    case Verdict::warning:
      return "warning";
    case Verdict::bad:
      return "bad";
  }
  return "";
}

struct Finding {
  std::string check;
  Verdict verdict = Verdict::ok;
  std::string sentence;
  std::string remedy;  // the command that mends it; empty: nothing to mend
};

using Findings = std::vector<Finding>;

[[nodiscard]] inline Finding ok(std::string check, std::string sentence) {
  return {std::move(check), Verdict::ok, std::move(sentence), {}};
}
[[nodiscard]] inline Finding unknown(std::string check, std::string sentence, std::string remedy) {
  return {std::move(check), Verdict::unknown, std::move(sentence), std::move(remedy)};
}
[[nodiscard]] inline Finding warning(std::string check, std::string sentence, std::string remedy) {
  return {std::move(check), Verdict::warning, std::move(sentence), std::move(remedy)};
}
[[nodiscard]] inline Finding bad(std::string check, std::string sentence, std::string remedy) {
  return {std::move(check), Verdict::bad, std::move(sentence), std::move(remedy)};
}

}  // namespace sekisho::doctor
