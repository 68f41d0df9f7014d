#pragma once

#include <span>

#include "core/frame.hpp"
#include "core/types.hpp"
#include "nets/activation.hpp"

namespace biject {

/// The products of the library, compiled in one file.
/// x n × k, w k × m, y n × m, all without aliasing. k = 0 is allowed: an empty sum.

/// y = x·w
template <class S> void product(In<S> x, In<S> w, Out<S> y);
/// y = act(bias + x·w), bias m × 1 for every row
template <class S> void product(In<S> x, In<S> w, VectorIn<S> bias, Activation activation, Out<S> y);
/// y += x·w
template <class S> void add_product(In<S> x, In<S> w, Out<S> y);
/// y = act(y + x·w)
template <class S> void add_product(In<S> x, In<S> w, Activation activation, Out<S> y);
/// y += bias + x·w
template <class S> void add_product(In<S> x, In<S> w, VectorIn<S> bias, Out<S> y);
/// dx = dy·wᵀ
template <class S> void product_transposed(In<S> dy, In<S> w, Out<S> dx);
/// dx += dy·wᵀ
template <class S> void add_product_transposed(In<S> dy, In<S> w, Out<S> dx);
/// The same for a tensor: dx = Σ dy[:, columns of p)·w_pᵀ over its panels p, or dx += ….
template <class S> void product_transposed(In<S> dy, std::span<const Panel> panels, const Arena<S>& w, Out<S> dx);
template <class S> void add_product_transposed(In<S> dy, std::span<const Panel> panels, const Arena<S>& w, Out<S> dx);
/// dw += xᵀ·dy
template <class S> void add_outer_product(In<S> x, In<S> dy, Out<S> dw);
/// For every panel of a tensor: dw_p += x[:, 0 … rows of p)ᵀ·dy[:, columns of p), by blocks (see Gradient).
template <class S> void add_outer_products(In<S> x, In<S> dy, std::span<const Panel> panels, const Gradient<S>& grad);

/// Solves y·l = x in place for a triangular l (m × m): y holds x on entry. By substitution down the columns, which
/// treats every row alike. Upper: l is upper triangular.
template <class S> void solve_right_upper(In<S> u, Out<S> y);
template <class S> void solve_right_lower(In<S> l, Out<S> y);

}  // namespace biject
