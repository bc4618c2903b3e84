// SPDX-License-Identifier: BSD-3-Clause
#include "control/reconcile/kept_state.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "common/base/fd.hpp"

namespace sekisho::reconcile {
namespace {

constexpr std::string_view name = "control.json";

// Whole or not at all. Whether the disk has it is not waited for: this thread waits for no disk.
auto write(const std::filesystem::path& file, const std::string& text) -> tl::expected<void, std::string> {
  const auto beside = file.native() + ".new";
  const auto failed = [&] {
    const auto why = std::generic_category().message(errno);
    ::unlink(beside.c_str());
    return tl::unexpected(fmt::format("{} cannot be written: {}", file.native(), why));
  };
  const base::Fd written{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!written.valid() ||
      ::write(written.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::rename(beside.c_str(), file.c_str()) != 0) {
    return failed();
  }
  return {};
}

}  // namespace

KeptState::KeptState(const std::filesystem::path& directory) : file_(directory / name) {}

auto KeptState::open(const std::filesystem::path& directory) -> tl::expected<KeptState, std::string> {
  KeptState state{directory};
  std::error_code error;
  if (!std::filesystem::exists(state.file_, error) && !error) {
    return state;
  }
  std::ifstream in{state.file_, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (error || !in) {
    return tl::unexpected(fmt::format("{} cannot be read", state.file_.native()));
  }
  state.known_ = Json::parse(text, nullptr, false);
  if (!state.known_.is_object()) {
    return tl::unexpected(fmt::format("{} is not a JSON object", state.file_.native()));
  }
  return state;
}

auto KeptState::get(std::string_view key) const -> Json {
  const auto found = known_.find(std::string{key});
  return found == known_.end() ? Json(nullptr) : *found;
}

auto KeptState::set(std::string_view key, Json value) -> tl::expected<void, std::string> {
  std::error_code ignored;  // why the file cannot be written says more
  std::filesystem::create_directory(file_.parent_path(), ignored);
  auto then = known_;
  if (value.is_null()) {
    then.erase(std::string{key});
  } else {
    then[std::string{key}] = std::move(value);
  }
  return write(file_, then.dump(2, ' ', false, Json::error_handler_t::replace) + "\n").map([&] {
    known_ = std::move(then);
  });
}

}  // namespace sekisho::reconcile
