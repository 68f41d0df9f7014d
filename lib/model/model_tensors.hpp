#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/arena.hpp"
#include "core/layout.hpp"
#include "model/safetensors.hpp"

namespace biject {

/// Between the tensors of a layout, as they lie in an arena (column-major, masked ones cut into panels), and
/// those of a file (row-major, whole, 0 where masked).

/// Name, dtype and shape of each tensor in the file: [rows, cols], or [rows] if there is one column.
std::vector<TensorEntry> describe_tensors(const Layout& layout, bool is_double);
/// Appends the numbers, one tensor after the other. Throws Error (ErrorKind::model) if one is not finite.
void append_tensors(std::string& out, const Layout& layout, const Arena<double>& theta, bool is_double);

/// The entries in the order of the layout; theirs in the file is free. Throws Error (ErrorKind::model) that
/// names the tensor unless they are exactly those that the layout describes.
std::vector<TensorEntry> match_tensors(std::span<const TensorEntry> entries, const Layout& layout,
                                       bool is_double, const std::string& where);
/// Reads what match_tensors returned; the numbers begin at byte `data_begin`. Refuses numbers that are not
/// finite, and others than 0 where a tensor is masked.
Arena<double> read_tensors(std::span<const TensorEntry> entries, const Layout& layout,
                           const StoredBytes& source, std::uint64_t data_begin, const std::string& where);

}  // namespace biject
