// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/line_editor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace sekisho::cli {
namespace {

constexpr int kept_lines = 1000;

char prompt_text[] = "sekisho> ";

char* prompt(EditLine* /*editor*/) {
  return prompt_text;
}

LineEditor& self(EditLine* editor) {
  void* data = nullptr;
  el_get(editor, EL_CLIENTDATA, &data);
  return *static_cast<LineEditor*>(data);
}

// What all of them begin with.
std::string common_beginning(const std::vector<Candidate>& candidates) {
  auto common = candidates.front().word;
  for (const auto& each : candidates) {
    const auto end = std::ranges::mismatch(common, each.word).in1;
    common.erase(end, common.end());
  }
  return common;
}

// The last word of a line, as far as it is typed.
std::string_view last_word(std::string_view line) {
  const auto blank = line.find_last_of(" \t");
  return blank == std::string_view::npos ? line : line.substr(blank + 1);
}

}  // namespace

LineEditor::LineEditor(Complete complete, Help help, std::filesystem::path history)
    : complete_(std::move(complete)),
      help_(std::move(help)),
      file_(std::move(history)),
      editor_(el_init("sekisho", stdin, stdout, stderr)),
      history_(history_init()) {
  HistEvent event{};
  ::history(history_, &event, H_SETSIZE, kept_lines);
  ::history(history_, &event, H_SETUNIQUE, 1);
  if (!file_.empty()) {
    ::history(history_, &event, H_LOAD, file_.c_str());
  }
  el_set(editor_, EL_CLIENTDATA, this);
  el_set(editor_, EL_PROMPT, prompt);
  el_set(editor_, EL_EDITOR, "emacs");
  el_set(editor_, EL_HIST, ::history, history_);
  el_set(editor_, EL_ADDFN, "sekisho-complete", "what can follow, written", on_tab);
  el_set(editor_, EL_ADDFN, "sekisho-help", "what can follow, explained", on_question);
  el_set(editor_, EL_BIND, "^I", "sekisho-complete", nullptr);
  el_set(editor_, EL_BIND, "?", "sekisho-help", nullptr);
  el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
}

LineEditor::~LineEditor() {
  HistEvent event{};
  if (!file_.empty()) {
    ::history(history_, &event, H_SAVE, file_.c_str());
  }
  history_end(history_);
  el_end(editor_);
}

std::optional<std::string> LineEditor::read() {
  int length = 0;
  const auto* const line = el_gets(editor_, &length);
  if (line == nullptr || length <= 0) {
    return std::nullopt;
  }
  std::string text{line, static_cast<std::size_t>(length)};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
    text.pop_back();
  }
  if (text.find_first_not_of(" \t") != std::string::npos) {
    HistEvent event{};
    ::history(history_, &event, H_ENTER, text.c_str());
  }
  return text;
}

unsigned char LineEditor::on_tab(EditLine* editor, int /*key*/) {
  return self(editor).complete_line();
}

unsigned char LineEditor::on_question(EditLine* editor, int /*key*/) {
  return self(editor).help_line();
}

std::string LineEditor::until_cursor() const {
  const auto* const line = el_line(editor_);
  return {line->buffer, line->cursor};
}

unsigned char LineEditor::complete_line() {
  const auto line = until_cursor();
  const auto candidates = complete_(line).candidates;
  if (candidates.empty()) {
    return CC_REFRESH_BEEP;
  }
  const auto typed = last_word(line);
  const auto common = common_beginning(candidates);
  if (common.size() > typed.size() || candidates.size() == 1) {
    const auto rest =
        common.substr(std::min(typed.size(), common.size())) + (candidates.size() == 1 ? " " : "");
    return el_insertstr(editor_, rest.c_str()) == 0 ? CC_REFRESH : CC_REFRESH_BEEP;
  }
  fmt::print("\n");
  for (const auto& each : candidates) {
    fmt::print("{}  ", each.word);
  }
  fmt::print("\n");
  std::fflush(stdout);
  return CC_REDISPLAY;
}

unsigned char LineEditor::help_line() {
  fmt::print("?\n{}", help_(until_cursor()));
  std::fflush(stdout);
  return CC_REDISPLAY;
}

}  // namespace sekisho::cli
