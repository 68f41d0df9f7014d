#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/stored_bytes.hpp"

namespace biject {

/// The safetensors container: the length of the header (8 bytes, little-endian), the header (a JSON object,
/// padded with spaces), the numbers of all tensors (little-endian, row-major). Header: tensor name → dtype,
/// shape, place;
/// "__metadata__" → texts.
///
/// Reading goes in three steps, so that a caller can look at the metadata before it judges the tensors. Each
/// throws Error (ErrorKind::model), and checks every size against the file before it allocates anything of
/// that size.

using Metadata = std::map<std::string, std::string>;

inline constexpr std::uint64_t kHeaderBegin = 8;  // bytes of the length

struct TensorEntry {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes after the header
};

/// The text of the header, without its padding.
struct HeaderText {
  std::string text;
  std::uint64_t data_begin = 0;  // bytes before the numbers
};

HeaderText read_header_text(const StoredBytes& source, const std::string& where);
Metadata read_metadata(const nlohmann::json& header, const std::string& where);
/// In the order of their places, which cover all `data_bytes` without hole or overlap.
std::vector<TensorEntry> read_tensor_entries(const nlohmann::json& header, std::uint64_t data_bytes,
                                             const std::string& where);

/// Everything before the numbers, a multiple of 8 bytes. Metadata and tensors keep their order; `begin` and
/// `end` of the entries are not read: tensors follow each other.
std::string write_header(std::span<const std::pair<std::string, std::string>> metadata,
                         std::span<const TensorEntry> tensors);

}  // namespace biject
