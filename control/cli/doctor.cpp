// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/doctor/checks.hpp"
#include "control/doctor/probe.hpp"

namespace sekisho::cli {
namespace {

using doctor::Verdict;

doctor::Control control_of(const Json& state) {
  const auto& dataplane = state.at("dataplane");
  const auto memory = dataplane.value("packet_memory", Json::object());
  std::vector<doctor::Control::Problem> problems;
  for (const auto& problem : state.at("problems")) {
    problems.push_back({problem.value("severity", "bad") == "bad", problem.value("sentence", ""),
                        problem.value("remedy", "")});
  }
  return doctor::Control{
      .version = state.at("control").value("version", ""),
      .problems = std::move(problems),
      .has_dataplane = dataplane.value("connected", false),
      .dataplane_version = dataplane.value("version", ""),
      .hugepages = dataplane.value("hugepages", false),
      .packet_bytes = memory.value("bytes", std::uint64_t{0}),
      .transparent_packet_bytes = memory.value("transparent_hugepage_bytes", std::uint64_t{0}),
      .workers = dataplane.value("lcores", std::vector<unsigned>{})};
}

// The rest is examined, whatever control answers.
tl::expected<doctor::Control, std::string> ask_control(const Context& context) {
  return ask(context, {{"command", "show"}, {"what", "state"}})
      .and_then([](const Json& state) -> tl::expected<doctor::Control, std::string> {
        try {
          return control_of(state);
        } catch (const Json::exception& error) {
          return tl::unexpected{fmt::format(
              "sekisho-control gave an answer that this version does not understand ({})", error.what())};
        }
      });
}

Json findings_json(const doctor::Findings& findings, Verdict worst) {
  auto array = Json::array();
  for (const auto& finding : findings) {
    array.push_back({{"check", finding.check},
                     {"verdict", to_string(finding.verdict)},
                     {"sentence", finding.sentence},
                     {"remedy", finding.remedy.empty() ? Json(nullptr) : Json(finding.remedy)}});
  }
  return {{"verdict", to_string(worst)}, {"findings", std::move(array)}};
}

Tone tone_of(Verdict verdict) {
  return verdict == Verdict::ok ? Tone::good : verdict == Verdict::bad ? Tone::bad : Tone::heading;
}

void print_findings(const doctor::Findings& findings) {
  constexpr std::size_t verdict_width = 9;
  constexpr std::size_t check_width = 15;
  for (const auto& finding : findings) {
    const auto verdict = to_string(finding.verdict);
    fmt::print("{}{:{}}{:<{}}{}\n", toned(verdict, tone_of(finding.verdict)), "",
               verdict_width - verdict.size(), finding.check, check_width, finding.sentence);
    if (!finding.remedy.empty()) {
      fmt::print("{:{}}{}\n", "", verdict_width + check_width, "-> " + finding.remedy);
    }
  }
}

// "auto": by what the firmware says.
auto cloud_of(const std::string& word) -> std::optional<doctor::CloudKind> {
  using doctor::CloudKind;
  return word == "azure"    ? std::optional{CloudKind::azure}
         : word == "aws"    ? std::optional{CloudKind::aws}
         : word == "google" ? std::optional{CloudKind::google}
         : word == "auto"   ? doctor::find_cloud()
                            : std::nullopt;
}

Outcome examine(const Context& context, const std::string& file, const std::string& cloud) {
  const auto findings = doctor::examine(doctor::probe(file, ask_control(context), cloud_of(cloud)));
  const auto worst = std::ranges::max(findings, {}, &doctor::Finding::verdict).verdict;
  context.json ? print_json(findings_json(findings, worst)) : print_findings(findings);
  if (worst == Verdict::bad) {
    const auto count = std::ranges::count(findings, Verdict::bad, &doctor::Finding::verdict);
    return tl::unexpected{
        fmt::format("{} of {} findings {} bad", count, findings.size(), count == 1 ? "is" : "are")};
  }
  return {};
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  auto file = std::make_shared<std::string>(default_configuration);
  auto* command = app.add_subcommand(
      "doctor", "Examine this machine: what keeps Sekisho from running well, and what mends it");
  command->add_option("-c,--config", *file, "The configuration")->type_name("FILE")->capture_default_str();
  auto cloud = std::make_shared<std::string>("auto");
  command
      ->add_option("--cloud", *cloud,
                   "Whose metadata server is asked at 169.254.169.254; auto: that of the cloud that the "
                   "firmware names, if "
                   "any; none: nobody's")
      ->check(CLI::IsMember({"auto", "azure", "aws", "google", "none"}))
      ->type_name("CLOUD")
      ->capture_default_str();
  command->footer(
      "A line a finding, the worst first: bad, warning, unknown or ok, one sentence, and behind \"->\" what "
      "mends it. "
      "Exit status 1\n"
      "when something is bad. Unknown is what matters and cannot be seen from this machine: behind \"->\" is "
      "who can say. "
      "Changes nothing. Without root it says what it could not see.\n\n"
      "Looks at: what `sekisho show state` begins with, the configuration, sekisho-control, the dataplane, "
      "the guard, forwarding and rp_filter of "
      "the\n"
      "kernel, the drivers of the ports' NICs, IOMMU, XDP, companions, hugepages, memory, isolated CPUs, "
      "clock, FRR, what the cloud says of the NICs.\n"
      "The dataplane's options are those of dataplane.env beside the configuration.\n\n"
      "Examples:\n"
      "  sekisho doctor\n"
      "  sekisho doctor --json | jq '.findings[] | select(.verdict != \"ok\")'\n");
  command->callback([&context, file, cloud] {
    context.run = [&context, file, cloud] { return examine(context, *file, *cloud); };
  });
}

}  // namespace sekisho::cli
