#include "bijectors/inverse_autoregressive.hpp"

#include <doctest/doctest.h>

#include "laws/check_laws.hpp"
#include "maps/affine.hpp"
#include "maps/rq_spline.hpp"

using namespace biject;

namespace {

template <class S> laws::Case<S> some_case(Index features, Index context, const NetStyle& style) {
  return {"inverse autoregressive", features, context,
          [=](Chain<S>& chain) {
            chain.template add<InverseAutoregressive<S>>("i", features, context, std::make_unique<Affine<S>>(), style);
          },
          true};
}

}  // namespace

TEST_CASE("an inverse autoregressive flow keeps the laws with fewer and with more hidden units than features") {
  for (const NetStyle& style : {NetStyle{{3}, 0, {Activation::tanh, 0.3}}, NetStyle{{40, 3, 9}, 0, {Activation::tanh, 0}},
                                NetStyle{{4}, 2, {Activation::tanh, 0.3}}, NetStyle{{40}, 0, {Activation::relu, 0.2}}}) {
    for (const Index context : {0, 2}) {
      CAPTURE(style.hidden.front());
      laws::check_laws(some_case<double>(7, context, style), some_case<float>(7, context, style));
    }
  }
}

TEST_CASE("an inverse autoregressive flow starts as the identity and can leave it") {
  const Index n = 48;
  const Subject<double> s(4, 0, [](Chain<double>& chain) {
    chain.add<InverseAutoregressive<double>>("i", 4, 0, std::make_unique<RqSpline<double>>(8, 5.), NetStyle{{16}, 0, {}});
  }, n, 0);
  Matrix<double> z(n, 4), dx(n, 4), dcontext(n, 0);
  Vector<double> logdet = Vector<double>::Zero(n);
  s.bijector->forward(s.frame(), s.x, z, logdet);
  CHECK((z - s.x).cwiseAbs().maxCoeff() < 1e-12);
  CHECK(logdet.cwiseAbs().maxCoeff() < 1e-12);
  Arena<double> grad(s.plan.params());
  s.bijector->backward(s.frame(), s.x, s.dz, s.dlogdet.col(0), dx, {grad, dcontext});
  for (const Tensor& tensor : s.plan.params().tensors()) {
    if (!tensor.name.ends_with("net.w1")) continue;
    for (const Panel& panel : tensor.panels) CHECK(grad[panel.slot].cwiseAbs().maxCoeff() > 1e-2);
  }
}

TEST_CASE("in a draw of an inverse autoregressive flow the noise of a feature moves it and later ones alone") {
  const Index n = 48;
  const Subject<double> s(5, 0, [](Chain<double>& chain) {
    chain.add<InverseAutoregressive<double>>("i", 5, 0, std::make_unique<Affine<double>>(), NetStyle{{16}, 0, {}});
  }, n);
  Matrix<double> a(n, 5), b(n, 5), z = s.x;
  Vector<double> logdet = Vector<double>::Zero(n);
  s.bijector->inverse(s.frame(), z, a, logdet);
  z.col(3).array() += 1;  // noise of feature 3 moves features 3 and 4 alone
  s.bijector->inverse(s.frame(), z, b, logdet);
  CHECK(a.leftCols(3) == b.leftCols(3));
  CHECK((a.rightCols(2) - b.rightCols(2)).cwiseAbs().colwise().minCoeff().minCoeff() > 0);
}
