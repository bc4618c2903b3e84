// SPDX-License-Identifier: BSD-3-Clause
#include "control/netlink/attributes.hpp"

#include <bit>
#include <cstring>
#include <functional>

namespace sekisho::netlink {
namespace {

void for_each(const nlattr* attribute, const void* end, const std::function<void(const nlattr*)>& handle) {
  const auto left = [&] {
    return static_cast<int>(static_cast<const char*>(end) - reinterpret_cast<const char*>(attribute));
  };
  for (; mnl_attr_ok(attribute, left()); attribute = mnl_attr_next(attribute)) {
    handle(attribute);
  }
}

}  // namespace

std::uint32_t to_host(std::uint32_t big_endian) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(big_endian) : big_endian;
}

std::uint32_t to_network(std::uint32_t address) {
  return to_host(address);
}

std::string text_of(const nlattr* attribute) {
  if (attribute == nullptr) {
    return {};
  }
  const auto* text = static_cast<const char*>(mnl_attr_get_payload(attribute));
  return {text, strnlen(text, mnl_attr_get_payload_len(attribute))};
}

auto all_nested(const nlattr* outer, unsigned type) -> std::vector<const nlattr*> {
  std::vector<const nlattr*> result;
  if (outer == nullptr) {
    return result;
  }
  const auto* begin = static_cast<const char*>(mnl_attr_get_payload(outer));
  for_each(reinterpret_cast<const nlattr*>(begin), begin + mnl_attr_get_payload_len(outer),
           [&](const nlattr* attribute) {
             if (mnl_attr_get_type(attribute) == type) {
               result.push_back(attribute);
             }
           });
  return result;
}

const nlattr* nested(const nlattr* outer, unsigned type) {
  const auto all = all_nested(outer, type);
  return all.empty() ? nullptr : all.front();
}

Attributes::Attributes(const nlmsghdr& message, std::size_t header, std::size_t types) : by_type_(types) {
  for_each(static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, header)),
           mnl_nlmsg_get_payload_tail(&message), [&](const nlattr* attribute) {
             if (const auto type = mnl_attr_get_type(attribute); type < types) {
               by_type_[type] = attribute;
             }
           });
}

std::optional<std::uint32_t> Attributes::address(std::size_t type) const {
  const auto value = u32(type);
  return value ? std::optional(to_host(*value)) : std::nullopt;
}

bool Attributes::copy(std::size_t type, void* value, std::size_t size) const {
  const nlattr* attribute = by_type_[type];
  const bool fits = attribute != nullptr && mnl_attr_get_payload_len(attribute) == size;
  if (fits) {
    std::memcpy(value, mnl_attr_get_payload(attribute), size);
  }
  return fits;
}

}  // namespace sekisho::netlink
