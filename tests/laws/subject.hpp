#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bijectors/chain.hpp"
#include "flows/spec.hpp"
#include "laws/tolerances.hpp"

/// What the laws of bijectors are asked of: a bijector with random parameters, random rows and a random context.
template <class S> struct Subject {
  using Build = std::function<void(biject::Chain<S>&)>;

  /// n rows; parameters are the starting ones plus noise of that size, so that nothing is the identity.
  Subject(biject::Index features, biject::Index context_columns, const Build& build, biject::Index n = 48, double size = 0.3)
      : chain(std::make_unique<biject::Chain<S>>(plan, features, context_columns)) {
    using namespace biject;
    build(*chain);
    bijector = chain.get();
    theta = Arena<S>(plan.params());
    scratch = std::make_unique<Workspace<S>>(plan.scratch(), n);
    x.resize(n, features);
    context.resize(n, context_columns);
    draw_rows(0);
    dz = random(n, features, 3, 1);
    dlogdet = random(n, 1, 4, 1);
    chain->init(theta, *scratch, Rng(1, Stream::init), x, context);
    scratch->set_rows(n);
    add_noise(theta, size);
  }

  /// Other rows and contexts of the same sizes.
  void draw_rows(std::uint64_t number) {
    x = random(x.rows(), x.cols(), 1 + 100 * number, 1.3);
    context = random(context.rows(), context.cols(), 2 + 100 * number, 1);
  }

  biject::Frame<S> frame() const { return frame(theta, context); }
  biject::Frame<S> frame(const biject::Arena<S>& parameters, const biject::Matrix<S>& given) const {
    return {parameters, given, *scratch, noise ? noise.get() : nullptr};
  }

  /// Σ dz·z + Σ dlogdet·logdet: the scalar whose gradient backward computes.
  double loss(const biject::Arena<S>& parameters, const biject::Matrix<S>& at, const biject::Matrix<S>& given) const {
    biject::Matrix<S> z(at.rows(), at.cols());
    biject::Vector<S> logdet = biject::Vector<S>::Zero(at.rows());
    bijector->forward(frame(parameters, given), at, z, logdet);
    return static_cast<double>(dz.cwiseProduct(z).sum()) + static_cast<double>(dlogdet.cwiseProduct(logdet).sum());
  }

  /// Adds noise to every number that training may change, and to no other.
  void add_noise(biject::Arena<S>& arena, double size, std::uint64_t seed = 5) const {
    const biject::Rng rng(seed, biject::Stream::sample);
    for (const biject::Tensor& tensor : plan.params().tensors()) {
      for (const biject::Panel& panel : tensor.panels) {
        auto block = arena[panel.slot];
        for (biject::Index c = 0; c < block.cols(); ++c) {
          const biject::Index rows =
              tensor.prefix.empty() ? block.rows() : tensor.prefix[static_cast<std::size_t>(panel.column + c)];
          for (biject::Index r = 0; r < rows; ++r) {
            const auto place = static_cast<std::uint64_t>(panel.slot.offset + c * block.rows() + r);
            block(r, c) += static_cast<S>(size * rng.normal(place, 0));
          }
        }
      }
    }
  }

  static biject::Matrix<S> random(biject::Index rows, biject::Index cols, std::uint64_t seed, double size) {
    const biject::Rng rng(seed, biject::Stream::sample);
    biject::Matrix<S> result(rows, cols);
    for (biject::Index i = 0; i < rows; ++i) {
      for (biject::Index j = 0; j < cols; ++j) {
        result(i, j) = static_cast<S>(size * rng.normal(static_cast<std::uint64_t>(i), static_cast<std::uint32_t>(j)));
      }
    }
    return result;
  }

  biject::Plan plan;
  std::unique_ptr<biject::Chain<S>> chain;
  const biject::Bijector<S>* bijector = nullptr;  // the chain, or a faulty wrapper around it
  biject::Arena<S> theta;
  std::unique_ptr<biject::Workspace<S>> scratch;
  biject::Matrix<S> x, context, dz, dlogdet;
  std::unique_ptr<biject::Noise> noise;  // as in training
  Tolerances tolerances;
};
