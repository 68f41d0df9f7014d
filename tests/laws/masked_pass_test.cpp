#include <doctest/doctest.h>

#include <limits>

#include "laws/subject.hpp"
#include "laws/verdict.hpp"
#include "nets/make_net.hpp"

// Law 8: a masked pass gives what the full passes give, and reads every weight that is not masked once, others never.

using namespace biject;

namespace {

constexpr Index kParams = 3, kFeatures = 6, kRows = 48;

struct Net {
  Net(Index context_columns, const NetStyle& style) : context(Subject<double>::random(kRows, context_columns, 2, 1)) {
    std::vector<Index> visible;
    for (Index o = 0; o < kFeatures * kParams; ++o) visible.push_back(o / kParams);
    net = make_net<double>(plan, {kFeatures, context_columns, visible}, style);
    theta = Arena<double>(plan.params());
    scratch = std::make_unique<Workspace<double>>(plan.scratch(), kRows);
    const Rng rng(3, Stream::init);
    net->init(theta, rng, Vector<double>::Zero(kFeatures * kParams));
    for_each_free([&](double& number, std::uint64_t place, Index) { number = 0.4 * rng.normal(place, 1); });
  }

  /// body(number, place, degree at which the masked pass needs it) over all weights of matrices of the feature path.
  template <class F> void for_each_free(F&& body) {
    for (const Tensor& tensor : plan.params().tensors()) {
      for (const Panel& panel : tensor.panels) {
        auto block = theta[panel.slot];
        for (Index c = 0; c < block.cols(); ++c) {
          const Index rows = tensor.prefix.empty() ? block.rows() : tensor.prefix[static_cast<std::size_t>(panel.column + c)];
          for (Index r = 0; r < rows; ++r) {
            body(block(r, c), static_cast<std::uint64_t>(panel.slot.offset + c * block.rows() + r), panel.column + c);
          }
        }
      }
    }
  }

  Frame<double> frame() { return {theta, context, *scratch}; }

  Plan plan;
  ConditionerPtr<double> net;
  Arena<double> theta;
  Matrix<double> context;
  std::unique_ptr<Workspace<double>> scratch;
};

Matrix<double> by_full_pass(Net& net, const Matrix<double>& x) {
  Matrix<double> y(kRows, kFeatures * kParams);
  net.net->forward(net.frame(), x, y);
  return y;
}

const std::vector<NetStyle> kStyles = {
    {{}, 0, {}}, {{20}, 0, {}}, {{40, 33}, 0, {}}, {{70, 70, 20}, 0, {Activation::tanh, 0}}, {{24}, 1, {}}, {{50}, 3, {}}};

}  // namespace

TEST_CASE("a masked pass gives what a full pass gives") {
  for (const NetStyle& style : kStyles) {
    for (const Index context : {Index{0}, Index{2}}) {
      CAPTURE(style.hidden.size());
      CAPTURE(style.blocks);
      Net net(context, style);
      const Matrix<double> x = Subject<double>::random(kRows, kFeatures, 1, 1);
      const Matrix<double> expected = by_full_pass(net, x);
      Matrix<double> y(kRows, kFeatures * kParams), so_far = Matrix<double>::Constant(kRows, kFeatures, std::nan(""));
      for (Index d = 0; d < kFeatures; ++d) {  // features that are not known yet are NaN: looking at them would show
        net.net->reveal(net.frame(), so_far, d * kParams, y.middleCols(d * kParams, kParams));
        so_far.col(d) = x.col(d);
      }
      CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13 * (1 + expected.cwiseAbs().maxCoeff()));
    }
  }
}

TEST_CASE("a masked pass reads every free weight once and a masked one never") {
  for (const NetStyle& style : kStyles) {
    CAPTURE(style.hidden.size());
    CAPTURE(style.blocks);
    Net net(2, style);
    const Matrix<double> x = Subject<double>::random(kRows, kFeatures, 1, 1);
    const Matrix<double> expected = by_full_pass(net, x);
    // All that is stored and not free is poison from the start.
    Arena<double> poisoned(net.plan.params());
    std::ranges::fill(poisoned.flat(), std::nan(""));
    const Arena<double> clean = net.theta;
    net.for_each_free([&](double&, std::uint64_t place, Index) { poisoned.flat()[place] = clean.flat()[place]; });
    net.theta = poisoned;
    Matrix<double> y(kRows, kFeatures * kParams);
    for (Index d = 0; d < kFeatures; ++d) {
      net.net->reveal(net.frame(), x, d * kParams, y.middleCols(d * kParams, kParams));
      // What this step read must not be needed again. A weight that was read changes this step's outputs or those to come; to find
      // them all, poison each column whose unit or output was completed now: its prefix is what belongs to degrees up to d.
      for (const Tensor& tensor : net.plan.params().tensors()) {
        const bool is_last = tensor.cols == kFeatures * kParams;
        for (const Panel& panel : tensor.panels) {
          auto block = net.theta[panel.slot];
          for (Index c = 0; c < block.cols(); ++c) {
            const Index column = panel.column + c;
            const bool is_output_now = is_last && column / kParams == d;
            if (is_output_now) block.col(c).setConstant(std::nan(""));
          }
        }
      }
    }
    CHECK(y.allFinite());
    CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13 * (1 + expected.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("hidden weights are not read again once their units are known") {
  for (const NetStyle& style : kStyles) {
    if (style.hidden.empty()) continue;
    CAPTURE(style.hidden.size());
    CAPTURE(style.blocks);
    Net net(0, style);
    const Matrix<double> x = Subject<double>::random(kRows, kFeatures, 1, 1);
    const Matrix<double> expected = by_full_pass(net, x);
    Matrix<double> y(kRows, kFeatures * kParams);
    for (Index d = 0; d < kFeatures; ++d) {
      net.net->reveal(net.frame(), x, d * kParams, y.middleCols(d * kParams, kParams));
      // The first matrix tells a unit's degree: the number of inputs it sees. Units of degree ≤ d are done.
      for (const Tensor& tensor : net.plan.params().tensors()) {
        if (tensor.cols == kFeatures * kParams || tensor.rows != kFeatures || tensor.cols == 1) continue;
        for (const Panel& panel : tensor.panels) {
          for (Index c = 0; c < panel.slot.cols; ++c) {
            if (tensor.prefix[static_cast<std::size_t>(panel.column + c)] <= d) net.theta[panel.slot].col(c).setConstant(std::nan(""));
          }
        }
      }
    }
    CHECK(y.allFinite());
    CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13 * (1 + expected.cwiseAbs().maxCoeff()));
  }
}
