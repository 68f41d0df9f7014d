#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "laws/subject.hpp"
#include "laws/verdict.hpp"
#include "nets/make_net.hpp"
#include "nets/masks.hpp"

// Law 8: a masked pass, of values or of gradients, gives what the full passes give, and reads every weight that is not masked once,
// others never.

using namespace biject;

namespace {

constexpr Index kParams = 3, kRows = 48;

struct NetCase {
  Index features;
  NetStyle style;
};

struct Net {
  Net(Index context_columns, const NetCase& c)
      : features(c.features), outputs(features * kParams), context(Subject<double>::random(kRows, context_columns, 2, 1)) {
    for (Index o = 0; o < outputs; ++o) visible.push_back(o / kParams);
    net = make_net<double>(plan, {features, context_columns, visible}, c.style);
    theta = Arena<double>(plan.params());
    scratch = std::make_unique<Workspace<double>>(plan.scratch(), kRows);
    const Rng rng(3, Stream::init);
    net->init(theta, rng, Vector<double>::Zero(outputs));
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

  /// The degrees on both sides of a weight matrix, by its size; context is known from the start.
  Degrees degrees_of_columns(const Tensor& tensor) const {
    if (tensor.cols == std::ssize(visible)) return Degrees(visible);
    return hidden_degrees(tensor.cols, visible, context.cols() > 0);
  }
  Degrees degrees_of_rows(const Tensor& tensor) const {
    if (tensor.rows == features) return input_degrees(features);
    if (tensor.rows == context.cols()) return Degrees(std::vector<Index>(static_cast<std::size_t>(tensor.rows), 0));
    return hidden_degrees(tensor.rows, visible, context.cols() > 0);
  }

  Frame<double> frame(const Noise* noise = nullptr) { return {theta, context, *scratch, noise}; }

  /// θ in which only the free weights of the columns of which is_wanted(tensor, column) are numbers, and all else is poison.
  template <class F> Arena<double> poisoned_but(F&& is_wanted) {
    Arena<double> result(plan.params());
    std::ranges::fill(result.flat(), std::nan(""));
    for (const Tensor& tensor : plan.params().tensors()) {
      for (const Panel& panel : tensor.panels) {
        for (Index c = 0; c < panel.slot.cols; ++c) {
          const Index column = panel.column + c, rows = tensor.prefix.empty() ? 0 : tensor.prefix[static_cast<std::size_t>(column)];
          if (is_wanted(tensor, column)) result[panel.slot].col(c).head(rows) = theta[panel.slot].col(c).head(rows);
        }
      }
    }
    return result;
  }

  Index features, outputs;
  std::vector<Index> visible;
  Plan plan;
  ConditionerPtr<double> net;
  Arena<double> theta;
  Matrix<double> context;
  std::unique_ptr<Workspace<double>> scratch;
};

Matrix<double> by_full_pass(Net& net, const Matrix<double>& x) {
  Matrix<double> y(kRows, net.outputs);
  net.net->forward(net.frame(), x, y);
  return y;
}

/// So few features that a step of the pass is a group of its own, and so many that groups have several.
std::vector<NetCase> with_few_and_many_features(const std::vector<NetStyle>& styles) {
  std::vector<NetCase> cases;
  for (const Index features : {6, 18}) {
    for (const NetStyle& style : styles) cases.push_back({features, style});
  }
  return cases;
}

const std::vector<NetStyle> kStyles = {
    {{}, 0, {}}, {{20}, 0, {}}, {{40, 33}, 0, {}}, {{70, 70, 20}, 0, {Activation::tanh, 0}}, {{24}, 1, {}}, {{50}, 3, {}}};

}  // namespace

TEST_CASE("a masked pass gives what a full pass gives") {
  for (const NetCase& net_case : with_few_and_many_features(kStyles)) {
    for (const Index context : {Index{0}, Index{2}}) {
      CAPTURE(net_case.features);
      CAPTURE(net_case.style.hidden.size());
      CAPTURE(net_case.style.blocks);
      Net net(context, net_case);
      const Matrix<double> x = Subject<double>::random(kRows, net.features, 1, 1);
      const Matrix<double> expected = by_full_pass(net, x);
      Matrix<double> y(kRows, net.outputs), so_far = Matrix<double>::Constant(kRows, net.features, std::nan(""));
      for (Index d = 0; d < net.features; ++d) {  // features that are not known yet are NaN: looking at them would show
        net.net->reveal(net.frame(), so_far, d * kParams, y);
        so_far.col(d) = x.col(d);
      }
      CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13 * (1 + expected.cwiseAbs().maxCoeff()));
    }
  }
}

TEST_CASE("a masked pass reads every free weight once and a masked one never") {
  for (const NetCase& net_case : with_few_and_many_features(kStyles)) {
    CAPTURE(net_case.features);
    CAPTURE(net_case.style.hidden.size());
    CAPTURE(net_case.style.blocks);
    Net net(2, net_case);
    const Matrix<double> x = Subject<double>::random(kRows, net.features, 1, 1);
    const Matrix<double> expected = by_full_pass(net, x);
    // All that is stored and not free is poison from the start.
    Arena<double> poisoned(net.plan.params());
    std::ranges::fill(poisoned.flat(), std::nan(""));
    const Arena<double> clean = net.theta;
    net.for_each_free([&](double&, std::uint64_t place, Index) { poisoned.flat()[place] = clean.flat()[place]; });
    net.theta = poisoned;
    Matrix<double> y(kRows, net.outputs);
    for (Index d = 0; d < net.features; ++d) {
      net.net->reveal(net.frame(), x, d * kParams, y);
      // What this step read must not be needed again. A weight that was read changes this step's outputs or those to come; to find
      // them all, poison each column whose unit or output was completed now: its prefix is what belongs to degrees up to d.
      for (const Tensor& tensor : net.plan.params().tensors()) {
        const bool is_last = tensor.cols == net.outputs;
        for (const Panel& panel : tensor.panels) {
          auto block = net.theta[panel.slot];
          for (Index c = 0; c < block.cols(); ++c) {
            const Index column = panel.column + c;
            const bool is_output_now = is_last && column / kParams == d;
            if (is_output_now) block.col(c).setConstant(std::nan(""));
          }
        }
      }
      // So must not what the group of this step took of all that was known before it, for units and outputs that are not complete yet.
      const MaskedStep step = masked_step(Degrees(net.visible), d * kParams);
      for (const Tensor& tensor : net.plan.params().tensors()) {
        if (tensor.cols == 1) continue;
        const Degrees columns = net.degrees_of_columns(tensor), rows = net.degrees_of_rows(tensor);
        const Index known = rows.up_to(step.known), end = columns.up_to(step.group);
        for (const Panel& panel : tensor.panels) {
          const Index here = std::clamp<Index>(end - panel.column, 0, panel.slot.cols);
          net.theta[panel.slot].topLeftCorner(std::min(known, panel.slot.rows), here).setConstant(std::nan(""));
        }
      }
    }
    CHECK(y.allFinite());
    CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13 * (1 + expected.cwiseAbs().maxCoeff()));
  }
}

TEST_CASE("hidden weights are not read again once their units are known") {
  for (const NetCase& net_case : with_few_and_many_features(kStyles)) {
    if (net_case.style.hidden.empty()) continue;
    CAPTURE(net_case.features);
    CAPTURE(net_case.style.hidden.size());
    CAPTURE(net_case.style.blocks);
    Net net(0, net_case);
    const Matrix<double> x = Subject<double>::random(kRows, net.features, 1, 1);
    const Matrix<double> expected = by_full_pass(net, x);
    Matrix<double> y(kRows, net.outputs);
    for (Index d = 0; d < net.features; ++d) {
      net.net->reveal(net.frame(), x, d * kParams, y);
      // The first matrix tells a unit's degree: the number of inputs it sees. Units of degree ≤ d are done.
      for (const Tensor& tensor : net.plan.params().tensors()) {
        if (tensor.cols == net.outputs || tensor.rows != net.features || tensor.cols == 1) continue;
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

namespace {

struct Gradients {
  explicit Gradients(const Net& net)
      : theta(net.plan.params()),
        context(Matrix<double>::Zero(kRows, net.context.cols())),
        x(Matrix<double>::Zero(kRows, net.features)) {}
  Gradient<double> frame() { return {theta, context}; }
  Arena<double> theta;
  Matrix<double> context, x;
};

Matrix<double> some_dy(const Net& net) { return Subject<double>::random(kRows, net.outputs, 4, 1); }

/// The masked pass of gradients. Before each feature, from the last to the first, calls at(d, gradients so far).
template <class F> Gradients by_masked_pass(Net& net, const Matrix<double>& x, const Noise* noise, F&& at) {
  Gradients g(net);
  Matrix<double> dy = Matrix<double>::Constant(kRows, net.outputs, std::nan(""));  // looking ahead would show
  for (Index d = net.features - 1; d >= 0; --d) {
    at(d, g);
    dy.middleCols(d * kParams, kParams) = some_dy(net).middleCols(d * kParams, kParams);
    net.net->conceal(net.frame(noise), d * kParams, dy.middleCols(d * kParams, kParams), g.x);
  }
  net.net->collect(net.frame(noise), x, dy, g.frame());
  return g;
}

double distance(const Gradients& a, const Gradients& b) {
  double result = (a.x - b.x).cwiseAbs().maxCoeff();
  if (a.context.cols() > 0) result = std::max(result, (a.context - b.context).cwiseAbs().maxCoeff());
  for (std::size_t i = 0; i < a.theta.flat().size(); ++i) {
    const double difference = std::abs(a.theta.flat()[i] - b.theta.flat()[i]);
    if (std::isnan(difference)) return difference;
    result = std::max(result, difference);
  }
  return result;
}

std::vector<NetCase> cases_of_gradients() {
  std::vector<NetStyle> styles = kStyles;
  styles.push_back({{40, 3, 33}, 0, {Activation::relu, 0.3}});  // a layer with fewer units than degrees
  styles.push_back({{50}, 2, {Activation::tanh, 0.3}});
  return with_few_and_many_features(styles);
}

}  // namespace

TEST_CASE("a masked pass of gradients gives what a plain backward pass gives") {
  const Noise noise{7, 11};
  for (const NetCase& net_case : cases_of_gradients()) {
    for (const Index context : {Index{0}, Index{2}}) {
      CAPTURE(net_case.features);
      CAPTURE(net_case.style.hidden.size());
      CAPTURE(net_case.style.blocks);
      Net net(context, net_case);
      const Matrix<double> x = Subject<double>::random(kRows, net.features, 1, 1);
      Matrix<double> y(kRows, net.outputs);
      for (const Noise* n : {static_cast<const Noise*>(nullptr), &noise}) {
        net.net->forward(net.frame(n), x, y);
        Gradients expected(net);
        net.net->backward(net.frame(n), x, some_dy(net), expected.x, expected.frame());
        net.net->forward(net.frame(n), x, y);
        const Gradients g = by_masked_pass(net, x, n, [&](Index d, const Gradients& so_far) {  // complete when its turn comes
          CHECK((so_far.x.rightCols(net.features - d) - expected.x.rightCols(net.features - d)).cwiseAbs().maxCoeff() < 1e-12);
        });
        CHECK(distance(g, expected) < 1e-12);
      }
    }
  }
}

TEST_CASE("a masked pass of gradients reads every free weight once and a masked one never") {
  for (const NetCase& net_case : cases_of_gradients()) {
    for (const Index context : {Index{0}, Index{2}}) {
      CAPTURE(net_case.features);
      CAPTURE(net_case.style.hidden.size());
      CAPTURE(net_case.style.blocks);
      Net net(context, net_case);
      const Matrix<double> x = Subject<double>::random(kRows, net.features, 1, 1);
      by_full_pass(net, x);
      const Gradients expected = by_masked_pass(net, x, nullptr, [](Index, const Gradients&) {});
      // In the step of feature d only the columns of units of degree d and of the outputs of feature d are numbers: what is read
      // is read in one step. Degrees start at 1 where units without inputs would be constant.
      const Net clean(context, net_case);
      const Index lowest = context > 0 ? 0 : 1;
      const Gradients g = by_masked_pass(net, x, nullptr, [&](Index d, const Gradients&) {
        net.theta = clean.theta;
        net.theta = net.poisoned_but([&](const Tensor& tensor, Index column) {
          const bool is_output = tensor.cols == net.outputs;
          return (is_output ? column / kParams : lowest + column * (net.features - lowest) / tensor.cols) == d;
        });
      });
      CHECK((g.x - expected.x).cwiseAbs().maxCoeff() == 0);
      net.theta = clean.theta;
      CHECK(g.x.allFinite());
    }
  }
}

TEST_CASE("a masked pass does not mind what an earlier pass left behind") {
  const Noise noise{7, 11};
  for (const NetCase& net_case : cases_of_gradients()) {
    CAPTURE(net_case.features);
    CAPTURE(net_case.style.hidden.size());
    CAPTURE(net_case.style.blocks);
    Net fresh(2, net_case), used(2, net_case);
    const Matrix<double> x = Subject<double>::random(kRows, net_case.features, 1, 1);
    const Matrix<double> other = Subject<double>::random(kRows, net_case.features, 9, 1);
    const auto reveal = [&](Net& net, const Noise* n) {
      Matrix<double> y(kRows, net.outputs);
      for (Index d = 0; d < net.features; ++d) net.net->reveal(net.frame(n), x, d * kParams, y);
      return y;
    };
    // A whole step of training on other rows, and half a masked pass of each kind.
    Matrix<double> y(kRows, used.outputs);
    Gradients unused(used);
    used.net->forward(used.frame(&noise), other, y);
    used.net->backward(used.frame(&noise), other, some_dy(used), unused.x, unused.frame());
    for (Index d = 0; d < 3; ++d) used.net->reveal(used.frame(&noise), other, d * kParams, y);
    for (Index d = net_case.features - 1; d > 2; --d) used.net->conceal(used.frame(&noise), d * kParams, some_dy(used).leftCols(kParams), unused.x);
    for (const Noise* n : {static_cast<const Noise*>(nullptr), &noise}) {
      CHECK(reveal(used, n) == reveal(fresh, n));
      const Gradients a = by_masked_pass(used, x, n, [](Index, const Gradients&) {});
      const Gradients b = by_masked_pass(fresh, x, n, [](Index, const Gradients&) {});
      CHECK(distance(a, b) == 0);
      // What reveal leaves serves the plain backward pass as well.
      Gradients expected(used);
      used.net->backward(used.frame(n), x, some_dy(used), expected.x, expected.frame());
      CHECK(distance(a, expected) < 1e-12);
    }
  }
}

TEST_CASE("dropout in a masked pass silences the units of different degrees independently") {
  // Here the outputs of feature d are one unit of degree d. Were the same rows silenced in all units, all outputs would be alike.
  Net net(2, {6, {{6}, 0, {Activation::relu, 0.5}}});
  std::ranges::fill(net.theta.flat(), 0);
  for (const Tensor& tensor : net.plan.params().tensors()) {
    if (tensor.name == "net.b0") net.theta[tensor.panels[0].slot].setOnes();
    if (tensor.name == "net.w1") {
      for (Index o = 0; o < net.outputs; ++o) net.theta[tensor.panels[0].slot](o / kParams, o) = 1;
    }
  }
  const Noise noise{7, 11};
  const Matrix<double> x = Matrix<double>::Zero(kRows, net.features);
  Matrix<double> y(kRows, net.outputs);
  for (Index d = 0; d < net.features; ++d) net.net->reveal(net.frame(&noise), x, d * kParams, y);
  for (Index d = 1; d < net.features; ++d) {
    const auto alike = (y.col(0).array() == y.col(d * kParams).array()).count();
    CHECK(alike > kRows / 4);
    CHECK(alike < kRows * 3 / 4);
  }
}
