#include <doctest/doctest.h>

#include "laws/bijector_laws.hpp"
#include "laws/cases.hpp"
#include "maps/rq_spline.hpp"

// A law that cannot be broken says nothing: each is shown a bijector with one planted fault, and must complain.

using namespace biject;
using namespace laws;

namespace {

enum class Fault {
  flipped_logdet,        // the sign of forward's log-determinant
  dropped_logdet,        // none is added in inverse
  neighbour_bin,         // inverse lands a little beside the true place
  flipped_gradient,      // the sign of dx
  dropped_logdet_gradient,
  masked_gradient,       // dx of the last feature is missing
  overwritten_gradient,  // θ's gradient is set instead of added to
  sees_neighbours,       // a row's result depends on the first row
  allocates,
  deaf,                  // context is not heard
  overflows,
  looks_ahead,           // output 0 depends on the last input
};

template <class S> class Faulty final : public Bijector<S> {
 public:
  Faulty(const Bijector<S>& inner, Fault fault) : inner_(inner), fault_(fault) {}

  void init(Arena<S>&, Workspace<S>&, const Rng&, In<S>, In<S>) const override {}

  void forward(const Frame<S>& f, In<S> x, Out<S> z, VectorOut<S> logdet) const override {
    const Vector<S> before = logdet;
    if (fault_ == Fault::deaf) {
      const Matrix<S> silence = Matrix<S>::Zero(f.context.rows(), f.context.cols());
      inner_.forward({f.theta, silence, f.scratch}, x, z, logdet);
      return;
    }
    inner_.forward(f, x, z, logdet);
    if (fault_ == Fault::flipped_logdet) logdet = 2 * before - logdet;
    if (fault_ == Fault::sees_neighbours) z.array() += S(1e-12) * x(0, 0);
    if (fault_ == Fault::allocates) leak_.assign(100, x(0, 0)), leak_ = std::vector<S>();
    if (fault_ == Fault::overflows) z.array() *= x.array().square().exp() / x.array().square().exp();
    if (fault_ == Fault::looks_ahead) z.col(0) += S(1e-9) * x.col(x.cols() - 1);
  }

  void inverse(const Frame<S>& f, In<S> z, Out<S> x, VectorOut<S> logdet) const override {
    const Vector<S> before = logdet;
    inner_.inverse(f, z, x, logdet);
    if (fault_ == Fault::dropped_logdet) logdet = before;
    if (fault_ == Fault::neighbour_bin) x.array() *= S(1 + 1e-8);
  }

  void backward(const Frame<S>& f, In<S> x, In<S> dz, VectorIn<S> dlogdet, Out<S> dx,
                const Gradient<S>& grad) const override {
    const Vector<S> heard = fault_ == Fault::dropped_logdet_gradient ? Vector<S>(0 * dlogdet) : Vector<S>(dlogdet);
    if (fault_ == Fault::overwritten_gradient) grad.theta.set_zero();
    inner_.backward(f, x, dz, heard, dx, grad);
    if (fault_ == Fault::flipped_gradient) dx = -dx;
    if (fault_ == Fault::masked_gradient) dx.col(x.cols() - 1).setZero();
  }

 private:
  const Bijector<S>& inner_;
  Fault fault_;
  mutable std::vector<S> leak_;
};

/// A subject with the fault planted in it.
struct Planted {
  Planted(const Case<double>& c, Fault fault, Index n = 48) : subject(c.features, c.context, c.build, n) {
    wrapper = std::make_unique<Faulty<double>>(*subject.chain, fault);
    subject.bijector = wrapper.get();
  }
  Subject<double> subject;
  std::unique_ptr<Faulty<double>> wrapper;
};

Case<double> some_case(const std::string& name) {
  for (const Case<double>& c : parts<double>()) {
    if (c.name == name) return c;
  }
  FAIL("no case ", name);
  return {};
}

}  // namespace

TEST_CASE("every law catches its planted fault") {
  const Case<double> c = some_case("autoregressive rational-quadratic spline 8 dropout mlp D=3 C=2");
  CHECK(!inverts(Planted(c, Fault::flipped_logdet).subject).holds());
  CHECK(!inverts(Planted(c, Fault::dropped_logdet).subject).holds());
  CHECK(!inverts(Planted(c, Fault::neighbour_bin).subject).holds());
  CHECK(!has_that_jacobian(Planted(c, Fault::flipped_logdet).subject).holds());
  CHECK(!has_that_jacobian(Planted(c, Fault::looks_ahead).subject, true).holds());
  for (const Fault fault : {Fault::flipped_gradient, Fault::dropped_logdet_gradient, Fault::masked_gradient}) {
    Planted planted(c, fault);
    CHECK(!falls_like_a_square(planted.subject).holds());
    CHECK(!agrees_with_differences(planted.subject).holds());
  }
  CHECK(!accumulates(Planted(c, Fault::overwritten_gradient).subject).holds());
  CHECK(!treats_rows_alike(Planted(c, Fault::sees_neighbours, kShardRows).subject).holds());
  if (can_watch_allocations()) CHECK(!allocates_nothing(Planted(c, Fault::allocates).subject).holds());
  CHECK(!listens_to_context(Planted(c, Fault::deaf).subject).holds());
  CHECK(!survives_extremes(Planted(c, Fault::overflows).subject).holds());
  const Subject<float> other(c.features, c.context, [](Chain<float>& chain) {
    chain.add<Autoregressive<float>>("a", 3, 2, std::make_unique<RqSpline<float>>(8, 2.9), NetStyle{{10, 7}, 0, {Activation::tanh, 0}});
  });
  CHECK(!agrees_in_float(Subject<double>(c.features, c.context, c.build), other).holds());
}
