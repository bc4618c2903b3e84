// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/encoding.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace sekisho::base {
namespace {

using namespace std::string_view_literals;

auto refuse(const std::filesystem::path& file, std::string reason) {
  return tl::unexpected(Error{file, 0, std::move(reason)});
}

auto from_utf16(std::string_view bytes, const char* encoding, const std::filesystem::path& file)
    -> tl::expected<std::string, Error> {
  const auto failed = reinterpret_cast<iconv_t>(-1);
  const auto converter = ::iconv_open("UTF-8", encoding);
  if (converter == failed)
    return refuse(file, "is UTF-16, and this system cannot convert it: save it as UTF-8");
  // One unit of two bytes becomes at most three bytes.
  std::string result(bytes.size() / 2 * 3 + 3, '\0');
  auto* in = const_cast<char*>(bytes.data());
  auto in_left = bytes.size();
  auto* out = result.data();
  auto out_left = result.size();
  const auto converted = ::iconv(converter, &in, &in_left, &out, &out_left);
  ::iconv_close(converter);
  if (converted == static_cast<std::size_t>(-1) || in_left != 0)
    return refuse(file,
                  "begins like UTF-16, and byte " + std::to_string(2 + bytes.size() - in_left) + " is none");
  result.resize(result.size() - out_left);
  return result;
}

// ASCII in UTF-16: every other byte is zero. A binary file has it by chance only.
bool looks_like_utf16(std::string_view bytes) {
  constexpr std::size_t least = 8;
  constexpr std::size_t most = 64;
  const auto begin = bytes.substr(0, std::min(bytes.size(), most) / 2 * 2);
  if (begin.size() < least)
    return false;
  std::array<std::size_t, 2> zeros{};
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (static_cast<unsigned char>(begin[i]) >= 0x80)
      return false;
    zeros[i % 2] += begin[i] == '\0' ? 1 : 0;
  }
  const auto half = begin.size() / 2;
  return (zeros[0] == half && zeros[1] == 0) || (zeros[1] == half && zeros[0] == 0);
}

}  // namespace

auto to_utf8(std::string bytes, const std::filesystem::path& file) -> tl::expected<std::string, Error> {
  const std::string_view view{bytes};
  if (view.starts_with("\xef\xbb\xbf"sv)) {
    bytes.erase(0, 3);
    return bytes;
  }
  if (view.starts_with("\xff\xfe\0\0"sv) || view.starts_with("\0\0\xfe\xff"sv))
    return refuse(file, "is UTF-32: save it as UTF-8");
  if (view.starts_with("\xff\xfe"sv))
    return from_utf16(view.substr(2), "UTF-16LE", file);
  if (view.starts_with("\xfe\xff"sv))
    return from_utf16(view.substr(2), "UTF-16BE", file);
  if (looks_like_utf16(view))
    return refuse(file, "is UTF-16 without a byte order mark: save it as UTF-8");
  return bytes;
}

}  // namespace sekisho::base
