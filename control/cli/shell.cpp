// SPDX-License-Identifier: BSD-3-Clause
// The same commands at a prompt. Each line is a process of its own, this same program: whatever one does, a signal that ends it among
// that, the prompt stays, and no command finds what another has left behind.
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/version.hpp"
#include "control/cli/command.hpp"
#include "control/cli/complete.hpp"
#include "control/cli/grammar.hpp"
#include "control/cli/line_editor.hpp"
#include "control/cli/output.hpp"
#include "control/cli/user_state.hpp"
#include "control/cli/words.hpp"

namespace sekisho::cli {
namespace {

constexpr int wrong_usage = 2;
constexpr int ended_by = 128;  // and the signal's number, as a shell has it

// What "?" says: what may follow, with a sentence each.
std::string help_of(CLI::App& app, std::string_view line, const std::string& socket) {
  auto words = split_words(line).value_or(Words{});
  if (line.empty() || line.back() == ' ' || line.back() == '\t') {
    words.emplace_back();
  }
  const auto found = complete(app, words, socket);
  std::size_t width = 0;
  for (const auto& each : found.candidates) {
    width = std::max(width, each.word.size());
  }
  std::string text;
  for (const auto& each : found.candidates) {
    const auto what = each.what.substr(0, each.what.find('\n'));
    text += what.empty() ? fmt::format("  {}\n", each.word)
                         : fmt::format("  {:{}}  {}\n", each.word, width, what);
  }
  if (found.wants_file) {
    text += "  a file's name\n";
  }
  return text.empty() ? "  nothing that is known may follow\n" : text;
}

// The status of a command, as a shell has it.
int run_command(const Context& context, const Words& words, bool has_terminal) {
  std::vector<std::string> all{"sekisho", "--socket", context.socket, "--color", color_word()};
  if (context.json) {
    all.emplace_back("--json");
  }
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (auto& word : all) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  sigset_t usual{};
  sigemptyset(&usual);
  sigaddset(&usual, SIGINT);
  sigaddset(&usual, SIGQUIT);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  if (has_terminal) {  // where the shell ignores them
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  }
  posix_spawn_file_actions_t files{};
  posix_spawn_file_actions_init(&files);
  if (!has_terminal) {  // the lines are the shell's to read
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  }
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/proc/self/exe", &files, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    fmt::print(stderr, "sekisho: cannot start a command: {}\n", std::generic_category().message(error));
    return 1;
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : ended_by + WTERMSIG(status);
}

class Shell {
 public:
  explicit Shell(Context& context)
      : context_(context),
        app_(new_app()),
        has_terminal_(::isatty(STDIN_FILENO) != 0 && ::isatty(STDOUT_FILENO) != 0) {
    add_commands(*app_, unused_);
  }

  int run() {
    if (has_terminal_) {  // Ctrl-C is for the command that runs
      std::signal(SIGINT, SIG_IGN);
      std::signal(SIGQUIT, SIG_IGN);
    }
    const auto next = reader();
    while (auto line = next()) {
      if (!obey(*line)) {
        break;
      }
    }
    return failed_;
  }

 private:
  using Next = std::function<std::optional<std::string>()>;

  Next reader() {
    if (!has_terminal_) {
      return [this] {
        std::string line;
        if (std::getline(std::cin, line)) {
          return std::optional{line};
        }
        if (std::ferror(stdin) != 0) {
          fmt::print(stderr, "sekisho: standard input cannot be read: {}\n",
                     std::generic_category().message(errno));
          failed_ = 1;
        }
        return std::optional<std::string>{};
      };
    }
    fmt::print("sekisho {}: `?` says what may follow, Tab writes it, `exit` ends\n", base::version());
    const auto folder = user_state_folder();
    auto editor = std::make_shared<LineEditor>(
        [this](std::string_view line) {
          auto words = split_words(line).value_or(Words{});
          if (line.empty() || line.back() == ' ') {
            words.emplace_back();
          }
          return complete(*app_, words, context_.socket);
        },
        [this](std::string_view line) { return help_of(*app_, line, context_.socket); },
        folder ? *folder / "shell-history" : std::filesystem::path{});
    return [editor] { return editor->read(); };
  }

  // False: that was the last.
  bool obey(std::string line) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (const auto first = line.find_first_not_of(" \t\r");
        first == std::string::npos || line[first] == '#') {
      return true;
    }
    if (line.ends_with('?')) {
      line.pop_back();
      fmt::print("{}", help_of(*app_, line, context_.socket));
      std::fflush(stdout);
      return true;
    }
    auto words = split_words(line);
    if (!words) {
      fmt::print(stderr, "sekisho: {}\n", words.error());
      failed_ = wrong_usage;
      return true;
    }
    if (!words->empty() && words->front() == "sekisho") {
      words->erase(words->begin());
    }
    if (words->empty()) {
      return true;
    }
    if (words->front() == "exit" || words->front() == "quit") {
      return false;
    }
    if (words->front() == "shell") {
      fmt::print(stderr, "sekisho: this is the shell\n");
      failed_ = wrong_usage;
      return true;
    }
    const int status = run_command(context_, *words, has_terminal_);
    if (status != 0) {
      failed_ = status;
    }
    // Whoever ends a command of a script means the script; at a prompt he means the command.
    return has_terminal_ || (status != ended_by + SIGINT && status != ended_by + SIGQUIT);
  }

  Context& context_;
  Context unused_;
  std::unique_ptr<CLI::App> app_;
  bool has_terminal_;
  int failed_ = 0;
};

}  // namespace

void add_shell(CLI::App& app, Context& context) {
  auto* command = app.add_subcommand("shell", "Take these commands at a prompt, or a line each from a pipe");
  command->footer(
      "A line is a command without `sekisho`; those that change nothing may be abbreviated. \"?\" says what "
      "may\n"
      "follow, at a prompt as soon as it is typed, and Tab writes it: names of zones, ports, next hops and "
      "members\n"
      "are asked of sekisho-control. \"#\" begins a comment, `exit` or Ctrl-D ends. Options of `sekisho "
      "shell`\n"
      "(--socket, --json) are those of each command that has none of its own. Lines are remembered in\n"
      "~/.local/state/sekisho. Lines of a pipe end with a command that SIGINT or SIGQUIT ended. Exit status: "
      "that\n"
      "of the last command that failed, 1 when lines cannot be read; 0 when none did.\n\n"
      "Examples:\n"
      "  sekisho shell\n"
      "  echo 'show state' | sekisho shell\n"
      "  printf 'sh po\\nsh next\\n' | sekisho shell --json\n");
  command->callback([&context] {
    context.run = [&context]() -> Outcome {
      context.status = Shell{context}.run();
      return {};
    };
  });
}

}  // namespace sekisho::cli
