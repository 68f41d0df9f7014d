#include "model/model_tensors.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <type_traits>

#include "core/error.hpp"
#include "model/strict_json.hpp"

namespace biject {

namespace {

constexpr Index kMasked = -1;

// Calls visit(place in the arena or kMasked) for each entry of the whole tensor, row by row.
template <class Visit>
void for_each_entry(const Tensor& tensor, Visit&& visit) {
  for (Index row = 0; row < tensor.rows; ++row) {
    for (const auto& [first, slot] : tensor.panels) {
      for (Index col = 0; col < slot.cols; ++col) {
        const bool is_free =
            tensor.prefix.empty() || row < tensor.prefix[static_cast<std::size_t>(first + col)];
        visit(is_free ? slot.offset + col * slot.rows + row : kMasked);
      }
    }
  }
}

template <class S>
using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;

template <class S>
void append_number(std::string& out, S value) {
  const auto bits = std::bit_cast<Bits<S>>(value);
  for (unsigned shift = 0; shift < 8 * sizeof(S); shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

template <class S>
S read_number(const char* bytes) {
  Bits<S> bits = 0;
  for (std::size_t i = sizeof(S); i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
  return std::bit_cast<S>(bits);
}

[[noreturn]] void refuse(const std::string& where, const std::string& name, const std::string& what) {
  throw Error(ErrorKind::model, where, fmt::format("tensor {}: {}", quote(name), what));
}

template <class S>
void append_tensor(std::string& out, const Tensor& tensor, std::span<const double> theta) {
  for_each_entry(tensor, [&](Index place) {
    const S value = place == kMasked ? S(0) : static_cast<S>(theta[static_cast<std::size_t>(place)]);
    if (!std::isfinite(value)) refuse({}, tensor.name, "holds a number that is not finite");
    append_number(out, value);
  });
}

template <class S>
void read_tensor(const char* bytes, const Tensor& tensor, std::span<double> theta, const std::string& where) {
  for_each_entry(tensor, [&](Index place) {
    const S value = read_number<S>(bytes);
    bytes += sizeof(S);
    if (!std::isfinite(value)) refuse(where, tensor.name, "holds a number that is not finite");
    if (place != kMasked) {
      theta[static_cast<std::size_t>(place)] = value;
    } else if (value != 0) {
      refuse(where, tensor.name, "is not 0 where it is masked");
    }
  });
}

}  // namespace

std::vector<TensorEntry> describe_tensors(const Layout& layout, bool is_double) {
  std::vector<TensorEntry> entries;
  for (const Tensor& tensor : layout.tensors()) {
    std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(tensor.rows)};
    if (tensor.cols != 1) shape.push_back(static_cast<std::uint64_t>(tensor.cols));
    entries.push_back({tensor.name, is_double ? "F64" : "F32", std::move(shape)});
  }
  return entries;
}

void append_tensors(std::string& out, const Layout& layout, const Arena<double>& theta, bool is_double) {
  BIJECT_EXPECT(theta.flat().size() == static_cast<std::size_t>(layout.size()));
  for (const Tensor& tensor : layout.tensors()) {
    (is_double ? append_tensor<double> : append_tensor<float>)(out, tensor, theta.flat());
  }
}

std::vector<TensorEntry> match_tensors(std::span<const TensorEntry> entries, const Layout& layout,
                                       bool is_double, const std::string& where) {
  std::map<std::string_view, const TensorEntry*> unmatched;
  for (const TensorEntry& entry : entries) unmatched.emplace(entry.name, &entry);
  std::vector<TensorEntry> matched;
  for (const TensorEntry& tensor : describe_tensors(layout, is_double)) {
    const auto found = unmatched.find(tensor.name);
    if (found == unmatched.end()) refuse(where, tensor.name, "is missing");
    const TensorEntry& entry = matched.emplace_back(*found->second);
    unmatched.erase(found);
    if (entry.dtype != tensor.dtype) {
      refuse(where, tensor.name, fmt::format("has dtype {}, expected {}", entry.dtype, tensor.dtype));
    }
    if (entry.shape != tensor.shape) {
      refuse(where, tensor.name, fmt::format("has shape {}, the flow needs {}", entry.shape, tensor.shape));
    }
  }
  if (!unmatched.empty()) refuse(where, unmatched.begin()->second->name, "is not one of this flow");
  return matched;
}

Arena<double> read_tensors(std::span<const TensorEntry> entries, const Layout& layout,
                           const StoredBytes& source, std::uint64_t data_begin, const std::string& where) {
  Arena<double> theta(layout);
  std::string bytes;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const TensorEntry& entry = entries[i];
    bytes.resize(entry.end - entry.begin);
    source.read(data_begin + entry.begin, bytes);
    const auto read = entry.dtype == "F64" ? read_tensor<double> : read_tensor<float>;
    read(bytes.data(), layout.tensors()[i], theta.flat(), where);
  }
  return theta;
}

}  // namespace biject
