#pragma once

#include <Eigen/Core>

/// The conventions of the whole library, stated once.
///
/// * A batch has one row per sample and one column per feature: n × D, column-major, so that a feature is contiguous
///   and hot loops run down the samples whatever D is.
/// * A conditioner gives P parameters per feature, feature-major: n × (D·P), columns [d·P, (d+1)·P) belong to feature d.
/// * Letters: D features, C context columns, n rows here, H hidden width, P parameters per feature, K bins.
/// * Forward is data → noise (x → z). logdet (n × 1) is always added to, never set.
/// * Parameter and context gradients are accumulated, input gradients are overwritten. dx means ∂L/∂x.
/// * Inputs and outputs of one call never alias.
/// * S is float or double; every template is instantiated for exactly these two in its own source file.
namespace biject {

using Index = Eigen::Index;

template <class S> using Matrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic>;
template <class S> using Vector = Eigen::Matrix<S, Eigen::Dynamic, 1>;

/// Not a batch but where batches are taken from, row by row in any order: a row lies together.
template <class S> using RowMatrix = Eigen::Matrix<S, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class S> using In = Eigen::Ref<const Matrix<S>>;      // n × something, read
template <class S> using Out = Eigen::Ref<Matrix<S>>;           // n × something, written
template <class S> using RowsIn = Eigen::Ref<const RowMatrix<S>>;  // the same, read
template <class S> using VectorIn = Eigen::Ref<const Vector<S>>;  // n × 1, read
template <class S> using VectorOut = Eigen::Ref<Vector<S>>;       // n × 1, written

/// Bytes to which every block of numbers is aligned: one cache line, one AVX-512 register.
inline constexpr Index kAlignment = 64;

/// Rows of a shard of scoring or sampling, if there are as many: whole tiles of a product (nets/tiled_product.hpp) on every instruction set.
inline constexpr Index kShardRows = 192;

}  // namespace biject
