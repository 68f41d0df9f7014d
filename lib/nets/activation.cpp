#include "nets/activation.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/numerics.hpp"
#include "core/sum_of.hpp"

namespace biject {

namespace {

// From the value. Relu at 0 has derivative 0, as everywhere in the field.
template <class S> S derivative(Activation kind, S y) {
  return kind == Activation::relu ? (y > 0 ? S(1) : S(0)) : 1 - y * y;
}

int silenced_of_256(const HiddenUnits& units) { return static_cast<int>(units.dropout * 256 + 0.5); }

template <class S> S survivor_scale(const HiddenUnits& units) {
  return S(256) / static_cast<S>(256 - silenced_of_256(units));
}

}  // namespace

Activation activation_of(std::string_view name) { return name == "tanh" ? Activation::tanh : Activation::relu; }

// One Philox block decides sixteen units of one row, a byte each.
template <class S> void silence(const HiddenUnits& units, const Frame<S>& f, Index key, Out<S> y) {
  if (f.noise == nullptr || units.dropout <= 0) return;
  const Noise& noise = *f.noise;
  constexpr auto kRows = static_cast<Index>(Rng::kRowGroup);
  const auto threshold = static_cast<std::uint32_t>(silenced_of_256(units));
  const S scale = survivor_scale<S>(units);
  Rng::RowGroupBits words;
  for (Index first = 0; first < y.cols(); first += 16) {
    for (Index row = 0; row < y.rows(); row += kRows) {
      noise.of(Stream::dropout).bits_of_rows(noise.first_row + static_cast<std::uint64_t>(row), static_cast<std::uint32_t>(key + first / 16), words);
      const Index rows = std::min(kRows, y.rows() - row);
      for (Index c = first; c < std::min(first + 16, y.cols()); ++c) {
        const auto& word = words[static_cast<std::size_t>((c - first) / 4)];
        const auto shift = static_cast<unsigned>(8 * ((c - first) % 4));
        S* column = &y.coeffRef(row, c);
        for (Index r = 0; r < rows; ++r) {
          column[r] = (word[static_cast<std::size_t>(r)] >> shift & 255U) < threshold ? S(0) : column[r] * scale;
        }
      }
    }
  }
}

template <class S> void activate(Activation activation, In<S> x, Out<S> y) {
  BIJECT_EXPECT(activation != Activation::none);
  for (Index c = 0; c < y.cols(); ++c) {
    const S* from = x.col(c).data();
    S* to = y.col(c).data();
    if (activation == Activation::relu) {
      for (Index r = 0; r < y.rows(); ++r) to[r] = relu(from[r]);
    } else {
      for (Index r = 0; r < y.rows(); ++r) to[r] = tanh_fast(from[r]);
    }
  }
}

template <class S> void activate_backward(Activation activation, In<S> y, Out<S> dy) {
  for (Index c = 0; c < y.cols(); ++c) {
    const S* kept = y.col(c).data();
    S* gradient = dy.col(c).data();
    if (activation == Activation::relu) {
      for (Index r = 0; r < y.rows(); ++r) gradient[r] *= derivative(Activation::relu, kept[r]);
    } else {
      for (Index r = 0; r < y.rows(); ++r) gradient[r] *= derivative(Activation::tanh, kept[r]);
    }
  }
}

template <class S> void activate_backward(const HiddenUnits& units, const Frame<S>& f, In<S> y, Out<S> dy) {
  if (f.noise == nullptr || units.dropout <= 0) {
    activate_backward<S>(units.activation, y, dy);
    return;
  }
  // A silenced unit is exactly zero, and so is its derivative; the others were scaled. A tanh unit that is zero without being
  // silenced has an argument of exactly zero, which random numbers do not produce.
  const S scale = survivor_scale<S>(units);
  for (Index c = 0; c < y.cols(); ++c) {
    const S* kept = y.col(c).data();
    S* gradient = dy.col(c).data();
    if (units.activation == Activation::relu) {
      for (Index r = 0; r < y.rows(); ++r) gradient[r] *= kept[r] > 0 ? scale : S(0);
    } else {
      for (Index r = 0; r < y.rows(); ++r) {
        gradient[r] *= kept[r] == 0 ? S(0) : scale * derivative(Activation::tanh, kept[r] / scale);
      }
    }
  }
}

template <class S> void backward_bias(In<S> dy, Slot bias, const Gradient<S>& grad) {
  auto dbias = grad.theta[bias];
  for (Index c = 0; c < dy.cols(); ++c) {
    for_each_block(grad, dy.rows(), [&](Index first, Index count) { dbias(c) += sum_of<S>(dy.col(c).segment(first, count)); });
  }
}

template void silence<float>(const HiddenUnits&, const Frame<float>&, Index, Out<float>);
template void silence<double>(const HiddenUnits&, const Frame<double>&, Index, Out<double>);
template void activate<float>(Activation, In<float>, Out<float>);
template void activate<double>(Activation, In<double>, Out<double>);
template void activate_backward<float>(Activation, In<float>, Out<float>);
template void activate_backward<double>(Activation, In<double>, Out<double>);
template void activate_backward<float>(const HiddenUnits&, const Frame<float>&, In<float>, Out<float>);
template void activate_backward<double>(const HiddenUnits&, const Frame<double>&, In<double>, Out<double>);
template void backward_bias<float>(In<float>, Slot, const Gradient<float>&);
template void backward_bias<double>(In<double>, Slot, const Gradient<double>&);

}  // namespace biject
