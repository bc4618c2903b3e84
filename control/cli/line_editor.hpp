// SPDX-License-Identifier: BSD-3-Clause
// A line of a terminal, edited by libedit: history, completion by Tab, help by "?".
#pragma once

#include <histedit.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/cli/complete.hpp"

namespace sekisho::cli {

class LineEditor {
 public:
  using Complete = std::function<Completion(std::string_view line)>;  // of the line until the cursor
  using Help = std::function<std::string(std::string_view line)>;

  // The history is kept in the file, unless its name is empty.
  LineEditor(Complete complete, Help help, std::filesystem::path history);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  [[nodiscard]] std::optional<std::string> read();  // nothing: Ctrl-D, or the terminal is gone

 private:
  static unsigned char on_tab(EditLine* editor, int key);
  static unsigned char on_question(EditLine* editor, int key);
  unsigned char complete_line();
  unsigned char help_line();
  [[nodiscard]] std::string until_cursor() const;

  Complete complete_;
  Help help_;
  std::filesystem::path file_;
  EditLine* editor_;
  History* history_;
};

}  // namespace sekisho::cli
