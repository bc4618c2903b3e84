// SPDX-License-Identifier: BSD-3-Clause
// xz and Zstandard: what archives of route tables are kept in since gzip and bzip2.
#include <fmt/format.h>
#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "common/base/bounded_text.hpp"
#include "control/formats/compression.hpp"

namespace sekisho::formats {
namespace {

using namespace std::string_view_literals;

// What is decompressed at a time: progress is told in between.
constexpr std::size_t at_once = std::size_t{1} << 22;

auto refuse(const std::filesystem::path& file, std::string reason) {
  return tl::unexpected(base::Error{file, 0, std::move(reason)});
}

auto refuse_too_large(const std::filesystem::path& file, std::size_t limit) {
  return refuse(file, fmt::format("decompresses to more than {} bytes", limit));
}

constexpr auto xz_magic =
    "\xfd"
    "7zXZ\0"sv;

// What stands behind a stream of xz, without its padding: "The size of Stream Padding MUST be a multiple of four bytes" (The
// .xz File Format, 2.2).
auto behind_padding(std::string_view bytes) -> std::string_view {
  const auto padding = std::min(bytes.find_first_not_of('\0'), bytes.size());
  return padding % 4 == 0 ? bytes.substr(padding) : bytes;
}

}  // namespace

bool is_xz(std::string_view bytes) noexcept {
  return bytes.starts_with(xz_magic);
}

auto unxz(std::string_view bytes, const std::filesystem::path& file, std::size_t limit,
          const base::Progress& progress) -> tl::expected<std::string, base::Error> {
  // `xz -9` takes 65 MiB to decompress; a file may ask for 4 GiB.
  constexpr std::uint64_t most_memory = std::uint64_t{256} << 20;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, most_memory, 0) != LZMA_OK)
    return refuse(file, "cannot be decompressed: out of memory");
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> owner{&stream, &lzma_end};
  stream.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  std::size_t left = bytes.size();  // behind what the stream was given
  base::BoundedText text{8 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    if (stream.avail_in == 0) {
      base::tell(progress, "decompressing", bytes.size() - left, bytes.size());
      stream.avail_in = std::min(left, at_once);
      left -= stream.avail_in;
    }
    const auto room = text.room();
    const auto size = std::min(room.size(), at_once);
    stream.next_out = reinterpret_cast<std::uint8_t*>(room.data());
    stream.avail_out = size;
    const auto result = lzma_code(&stream, left == 0 ? LZMA_FINISH : LZMA_RUN);
    text.filled(size - stream.avail_out);
    if (result == LZMA_STREAM_END && !text.exceeded()) {
      const auto rest = behind_padding(bytes.substr(bytes.size() - left - stream.avail_in));
      if (rest.empty())
        return std::move(text).take();
      if (!is_xz(rest) && !xz_magic.starts_with(rest))
        return refuse(file, "is compressed with xz, and something else stands behind it");
      // Streams may follow one another; the decoder would not tell one that is cut from something else.
      if (lzma_stream_decoder(&stream, most_memory, 0) != LZMA_OK)
        return refuse(file, "cannot be decompressed: out of memory");
      stream.next_in = reinterpret_cast<const std::uint8_t*>(rest.data());
      stream.avail_in = 0;
      left = rest.size();
      continue;
    }
    if (result == LZMA_BUF_ERROR)
      return refuse(file, "is compressed with xz and ends too early");
    if (result == LZMA_MEMLIMIT_ERROR)
      return refuse(file,
                    fmt::format("is compressed with xz and takes more than {} bytes of memory", most_memory));
    if (result != LZMA_OK && result != LZMA_STREAM_END)
      return refuse(file,
                    fmt::format("is compressed with xz and damaged (error {})", static_cast<int>(result)));
  }
  return refuse_too_large(file, limit);
}

bool is_zstd(std::string_view bytes) noexcept {
  return bytes.starts_with("\x28\xb5\x2f\xfd"sv);
}

auto unzstd(std::string_view bytes, const std::filesystem::path& file, std::size_t limit,
            const base::Progress& progress) -> tl::expected<std::string, base::Error> {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> stream{ZSTD_createDCtx(), &ZSTD_freeDCtx};
  if (!stream)
    return refuse(file, "cannot be decompressed: out of memory");
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  base::BoundedText text{8 * bytes.size() + 64, limit};
  while (!text.exceeded()) {
    base::tell(progress, "decompressing", in.pos, in.size);
    const auto room = text.room();
    ZSTD_outBuffer out{room.data(), std::min(room.size(), at_once), 0};
    // Its own bound on the window, 128 MiB, holds.
    const auto expected = ZSTD_decompressStream(stream.get(), &out, &in);
    text.filled(out.pos);
    if (ZSTD_isError(expected) != 0)
      return refuse(file,
                    fmt::format("is compressed with zstd and damaged ({})", ZSTD_getErrorName(expected)));
    if (in.pos < in.size || out.pos == out.size)
      continue;
    if (expected == 0 && !text.exceeded())
      return std::move(text).take();
    if (out.pos == 0)
      return refuse(file, "is compressed with zstd and ends too early");
  }
  return refuse_too_large(file, limit);
}

}  // namespace sekisho::formats
