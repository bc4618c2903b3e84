#include "control/config/config.hpp"

#include "control/config/reader.hpp"
#include "control/load/file.hpp"

namespace sekisho::config {

std::optional<std::string> Port::netdev() const {
  constexpr std::string_view af_xdp = "af_xdp:";
  if (!device.starts_with(af_xdp))
    return std::nullopt;
  return device.substr(af_xdp.size());
}

auto parse(std::string_view text, const std::filesystem::path& file) -> tl::expected<Config, load::Error> {
  toml::table root;
  try {
    root = toml::parse(text, std::string_view{file.native()});
  } catch (const toml::parse_error& error) {
    return tl::unexpected(load::Error{file, error.source().begin.line, std::string{error.description()}});
  }
  Problems problems;
  auto config = Reader{file, problems}.read(root);
  if (const auto& problem = problems.first())
    return tl::unexpected(load::Error{file, problem->line, problem->reason});
  return config;
}

auto read(const std::filesystem::path& file) -> tl::expected<Config, load::Error> {
  constexpr std::size_t limit = std::size_t{16} << 20;
  const auto text = load::read_file(file, limit);
  if (!text)
    return tl::unexpected(text.error());
  return parse(*text, file);
}

}  // namespace sekisho::config
