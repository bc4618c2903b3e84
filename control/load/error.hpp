// Why a file was refused. Reading any file either succeeds whole or changes nothing.
#pragma once

#include <filesystem>
#include <string>

namespace sekisho::load {

struct Error {
  std::filesystem::path file;
  unsigned line = 0;  // 1 is the first; 0: the file as a whole (missing, unreadable)
  std::string reason;

  // "routes.txt:12: host bits are set (...)"
  [[nodiscard]] auto to_string() const -> std::string {
    return file.string() + (line != 0 ? ":" + std::to_string(line) : "") + ": " + reason;
  }
};

}  // namespace sekisho::load
