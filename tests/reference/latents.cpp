// biject_latents MODEL CSV OUT: for tests/bench/round_trip.py. CSV holds rows that were drawn from the model (all its columns by name).
// Everything is computed in float64.
//
// OUT becomes a CSV of numbers that are independent and uniform on (0, 1) if the rows follow the density of the model: the latents
// z = f(x), each put through the distribution function of the base given the latents before it. A mixture has no latents of its own: a
// component k is drawn for each row with its probability given the row; then z = f_k(x) follows the base of k, and k itself has the
// weights of the mixture, which a last column tells: Σ_{j<k} π_j + v·π_k with a uniform v.
//
// Standard output gets the worst errors as JSON, over all components of a mixture, for the first kTripRows rows and as many latents:
//   x       x → z → x of the rows whose latents are within |z_d| ≤ 6, relative to 1 + |x_d|
//   z       z → x → z of the latents of these rows, relative to 1 + |z_d|
//   box     z → x → z of z uniform in |z_d| ≤ 6, relative to 1 + |z_d| or, if that is more, to 64 times what the last digit of x does to
//           z_d, in units of kTrip: where a flow carries z far out, x as a number does not tell z any better; without those that
//           it carries out beyond kFar, having gone through larger numbers still
//   logdet  the sum of the log-determinants of both ways; in the box relative to 1 or 64 times what the last digit of x does to it
// and how many rows and z of the box were taken and left out, and for how many z of the box that digit counted.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <numbers>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "data/table.hpp"
#include "flows/catalogue.hpp"
#include "flows/flow.hpp"
#include "flows/mixing.hpp"
#include "model/model_file.hpp"
#include "nets/make_net.hpp"

using namespace biject;

namespace {

constexpr Index kTripRows = 10'000;
constexpr double kBox = 6;
constexpr double kFar = 1e6;  // standard deviations
constexpr Index kPatterns = 8;
constexpr double kTrip = 1e-8;  // what round_trip.py allows relative to these units

double normal_cdf(double x) { return std::erfc(-x / std::numbers::sqrt2) / 2; }

/// The regularised incomplete beta function I_x(a, b) by its continued fraction (DLMF 8.17.22), from front to back.
double incomplete_beta(double a, double b, double x) {
  if (x <= 0) return 0;
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < 1000; ++m) {
    double change = 1;
    for (const double term : {m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))}) {
      d = 1 / (1 + term * d);
      c = 1 + term / c;
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return fraction * std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) / a;
}

double student_cdf(double x, double freedom) {
  const double tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + x * x)) / 2;
  return x < 0 ? tail : 1 - tail;
}

/// The numbers of `layout`, which stand in theta (laid out by `whole`) under the same names with this prefix.
Arena<double> part_of(const Layout& whole, const Arena<double>& theta, const std::string& prefix, const Layout& layout) {
  Arena<double> part(layout);
  for (const Tensor& tensor : layout.tensors()) {
    bool is_there = false;
    for (const Tensor& source : whole.tensors()) {
      if (source.name != prefix + tensor.name) continue;
      is_there = true;
      for (std::size_t i = 0; i < tensor.panels.size(); ++i) part[tensor.panels[i].slot] = theta[source.panels.at(i).slot];
    }
    if (!is_there) throw std::runtime_error("the model has no parameter " + prefix + tensor.name);
  }
  return part;
}

/// A network of a model on its own.
class Net {
 public:
  Net(const Layout& whole, const Arena<double>& theta, const std::string& prefix, const NetShape& shape, const NetStyle& style)
      : net_(make_net<double>(plan_, shape, style)),
        outputs_(std::ssize(shape.visible)),
        theta_(part_of(whole, theta, prefix, plan_.params())),
        scratch_(plan_.scratch(), kShardRows) {}
  Matrix<double> operator()(In<double> x, In<double> context) {
    Matrix<double> y(x.rows(), outputs_);
    scratch_.set_rows(x.rows());
    net_->forward({theta_, context, scratch_}, x, y);
    return y;
  }

 private:
  Plan plan_;
  ConditionerPtr<double> net_;
  Index outputs_;
  Arena<double> theta_;
  Workspace<double> scratch_;
};

/// The parts of `softmax(logits)`.
Vector<double> shares(Vector<double> logits) {
  logits = (logits.array() - logits.maxCoeff()).exp();
  return logits / logits.sum();
}

/// A flow that has latents: that of the model, or a component.
class Part {
 public:
  Part(const FlowSpec& spec, const Layout& whole, const Arena<double>& theta, const std::string& prefix)
      : flow_(spec), theta_(part_of(whole, theta, prefix, flow_.params())), scratch_(flow_.scratch(), kShardRows) {
    if (spec.base == "made-mog") {
      const Index params = 3 * spec.components;
      std::vector<Index> visible;
      for (Index o = 0; o < spec.features * params; ++o) visible.push_back(o / params);
      conditionals_ = std::make_unique<Net>(whole, theta, prefix + "base.", NetShape{spec.features, spec.context, std::move(visible)},
                                            style_of(spec));
    } else if (spec.base == "student") {
      for (const Tensor& tensor : flow_.params().tensors()) {
        if (tensor.name == "base.log_excess") freedoms_ = 1 + theta_[tensor.panels[0].slot].col(0).array().exp();
      }
    } else if (spec.base != "normal") {
      throw std::runtime_error("the distribution function of the base " + spec.base + " is not written here");
    }
  }

  Vector<double> log_prob(In<double> x, In<double> context) {
    Vector<double> logp(x.rows());
    flow_.log_prob(frame(context), x, logp);
    return logp;
  }
  Matrix<double> forward(In<double> x, In<double> context, VectorOut<double> logdet) {
    Matrix<double> z(x.rows(), x.cols());
    flow_.forward(frame(context), x, z, logdet);
    return z;
  }
  Matrix<double> inverse(In<double> z, In<double> context, VectorOut<double> logdet) {
    Matrix<double> x(z.rows(), z.cols());
    flow_.inverse(frame(context), z, x, logdet);
    return x;
  }
  /// Independent uniform numbers if z follows the base.
  Matrix<double> uniforms(In<double> z, In<double> context) {
    if (freedoms_.size() > 0) {
      Matrix<double> u(z.rows(), z.cols());
      for (Index d = 0; d < z.cols(); ++d) {
        for (Index i = 0; i < z.rows(); ++i) u(i, d) = student_cdf(z(i, d), freedoms_(d));
      }
      return u;
    }
    if (!conditionals_) return z.unaryExpr(&normal_cdf);
    const Index components = flow_.spec().components;
    const Matrix<double> phi = (*conditionals_)(z, context);
    Matrix<double> u = Matrix<double>::Zero(z.rows(), z.cols());
    for (Index i = 0; i < z.rows(); ++i) {
      for (Index d = 0; d < z.cols(); ++d) {
        const auto at = phi.row(i).segment(3 * d * components, 3 * components);
        const Vector<double> weight = shares(at.head(components).transpose());
        for (Index k = 0; k < components; ++k) {
          const double raw = at(2 * components + k), scale = std::exp(raw / std::sqrt(1 + raw * raw / 25));
          u(i, d) += weight(k) * normal_cdf((z(i, d) - at(components + k)) / scale);
        }
      }
    }
    return u;
  }

 private:
  Frame<double> frame(const In<double>& context) {
    scratch_.set_rows(context.rows());
    return {theta_, context, scratch_};
  }
  Flow<double> flow_;
  Arena<double> theta_;
  Workspace<double> scratch_;
  std::unique_ptr<Net> conditionals_;
  Vector<double> freedoms_;  // of a Student base
};

/// Worst errors so far; not a number is worst of all.
struct Worst {
  double x = 0, z = 0, box = 0, logdet = 0;
  Index rows = 0, far_rows = 0;  // of which z is in the box; the others
  Index boxed = 0, far_boxed = 0, steep = 0;

  static void note(double& worst, double error) {
    if (!(error <= worst)) worst = std::isnan(worst) ? worst : error;
  }
  void of_rows(Part& part, In<double> from, In<double> context) {
    Vector<double> sum = Vector<double>::Zero(from.rows()), unused = sum;
    const Matrix<double> there = part.forward(from, context, sum), back = part.inverse(there, context, sum);
    const Matrix<double> again = part.forward(back, context, unused);
    for (Index i = 0; i < from.rows(); ++i) {
      if (there.row(i).cwiseAbs().maxCoeff() > kBox) {
        ++far_rows;
        continue;
      }
      for (Index d = 0; d < from.cols(); ++d) {
        note(x, std::abs(back(i, d) - from(i, d)) / (1 + std::abs(from(i, d))));
        note(z, std::abs(again(i, d) - there(i, d)) / (1 + std::abs(there(i, d))));
      }
      note(logdet, std::abs(sum(i)));
      ++rows;
    }
  }
  void of_box(Part& part, In<double> from, In<double> context) {
    Vector<double> sum = Vector<double>::Zero(from.rows());
    const Matrix<double> there = part.inverse(from, context, sum);
    Vector<double> forward_logdet = Vector<double>::Zero(from.rows());
    const Matrix<double> back = part.forward(there, context, forward_logdet);
    sum += forward_logdet;
    // What the last digits of x, up or down in patterns of signs, do to z and to the log-determinant.
    Matrix<double> of_z = Matrix<double>::Zero(from.rows(), from.cols());
    Vector<double> of_logdet = Vector<double>::Zero(from.rows());
    for (Index pattern = 0; pattern < kPatterns; ++pattern) {
      Matrix<double> beside = there;
      for (Index d = 0; d < from.cols(); ++d) {
        const double way = (pattern >> (d % 3) & 1) != 0 ? 1 : -1;
        beside.col(d) *= 1 + way * std::numeric_limits<double>::epsilon();
      }
      Vector<double> logdet_beside = Vector<double>::Zero(from.rows());
      of_z = of_z.cwiseMax((part.forward(beside, context, logdet_beside) - back).cwiseAbs());
      of_logdet = of_logdet.cwiseMax((logdet_beside - forward_logdet).cwiseAbs());
    }
    for (Index i = 0; i < from.rows(); ++i) {
      if (there.row(i).cwiseAbs().maxCoeff() > kFar) {
        ++far_boxed;
        continue;
      }
      bool is_steep = false;
      for (Index d = 0; d < from.cols(); ++d) {
        const double near = 1 + std::abs(from(i, d)), far = 64 * of_z(i, d) / kTrip;
        note(box, std::abs(back(i, d) - from(i, d)) / std::max(near, far));
        is_steep |= far > near;
      }
      note(logdet, std::abs(sum(i)) / std::max(1., 64 * of_logdet(i) / kTrip));
      steep += is_steep;
      ++boxed;
    }
  }
};

/// x and context of the flow, standardised, from the columns of the model.
void standardise(const Model& model, In<double> values, Matrix<double>& x, Matrix<double>& context) {
  x.resize(values.rows(), model.spec.features);
  context.resize(values.rows(), model.spec.context);
  Index feature = 0, given = 0;
  for (std::size_t j = 0; j < model.columns.size(); ++j) {
    const Column& column = model.columns[j];
    auto target = column.is_given ? context.col(given++) : x.col(feature++);
    target = (values.col(static_cast<Index>(j)).array() - column.mean) / column.scale;
  }
}

void run(const char* model_path, const char* csv_path, const char* out_path) {
  const Model model = load_model(model_path);
  std::vector<std::string> names;
  for (const Column& column : model.columns) names.push_back(column.name);
  const std::vector<std::string> paths{csv_path};
  const Table table = read_table_like(names, "", paths, {});
  Matrix<double> x, context;
  standardise(model, table.values.matrix(), x, context);

  const Layout whole = Flow<double>(model.spec).params();
  std::vector<std::unique_ptr<Part>> parts;
  std::unique_ptr<Net> gate;
  if (model.spec.flow == "mixture") {
    FlowSpec component = model.spec;
    component.flow = model.spec.component_flow;
    component.component_flow = FlowSpec{}.component_flow;
    component.components = FlowSpec{}.components;
    const auto number = static_cast<std::size_t>(model.spec.components);
    gate = std::make_unique<Net>(whole, model.theta, "gate.", NetShape{0, model.spec.context, std::vector<Index>(number, 0)}, NetStyle{});
    for (std::size_t k = 0; k < number; ++k)
      parts.push_back(std::make_unique<Part>(component, whole, model.theta, "component" + std::to_string(k) + "."));
  } else {
    parts.push_back(std::make_unique<Part>(model.spec, whole, model.theta, ""));
  }

  std::FILE* out = std::fopen(out_path, "w");
  if (!out) throw std::runtime_error(std::string("cannot write ") + out_path);
  for (Index d = 0; d < x.cols(); ++d) std::fprintf(out, d ? ",u%td" : "u%td", d + 1);
  std::fputs(gate ? ",component\n" : "\n", out);
  const Rng rng(1, Stream::probe);
  Worst worst;
  for (Index first = 0; first < x.rows(); first += kShardRows) {
    const Index rows = std::min(kShardRows, x.rows() - first);
    const Matrix<double> at = x.middleRows(first, rows), given = context.middleRows(first, rows);
    const auto uniform = [&](Index i, Index index) {
      return rng.uniform(static_cast<std::uint64_t>(first + i), static_cast<std::uint32_t>(index));
    };
    if (first < kTripRows) {
      Matrix<double> box(rows, x.cols());
      for (Index i = 0; i < rows; ++i)
        for (Index d = 0; d < x.cols(); ++d) box(i, d) = kBox * (2 * uniform(i, d) - 1);
      for (const auto& part : parts) {
        worst.of_rows(*part, at, given);
        worst.of_box(*part, box, given);
      }
    }
    std::vector<Matrix<double>> uniforms;
    Vector<double> unused = Vector<double>::Zero(rows);
    for (const auto& part : parts) uniforms.push_back(part->uniforms(part->forward(at, given, unused), given));
    Matrix<double> log_weights, logps(rows, std::ssize(parts));
    if (gate) {
      log_weights = (*gate)(at.leftCols(0), given);
      for (std::size_t k = 0; k < parts.size(); ++k) logps.col(static_cast<Index>(k)) = parts[k]->log_prob(at, given);
    }
    for (Index i = 0; i < rows; ++i) {
      Index k = 0;
      double from_weights = 0;
      if (gate) {
        const Vector<double> weight = shares(log_weights.row(i).transpose());
        const Vector<double> posterior = shares((log_weights.row(i) + logps.row(i)).transpose());
        for (double rest = uniform(i, x.cols()) - posterior(0); rest > 0 && k + 1 < posterior.size(); rest -= posterior(k))
          from_weights += weight(k++);
        from_weights += weight(k) * uniform(i, x.cols() + 1);
      }
      for (Index d = 0; d < x.cols(); ++d) std::fprintf(out, d ? ",%.12g" : "%.12g", uniforms[static_cast<std::size_t>(k)](i, d));
      if (gate) std::fprintf(out, ",%.12g", from_weights);
      std::fputc('\n', out);
    }
  }
  const bool is_written = !std::ferror(out);
  if (std::fclose(out) != 0 || !is_written) throw std::runtime_error(std::string("cannot write ") + out_path);
  // NaN is not JSON: 1e300 stands for it, which no bound allows.
  const auto number = [](double value) { return std::isfinite(value) ? value : 1e300; };
  std::printf("{\"x\": %.3e, \"z\": %.3e, \"box\": %.3e, \"logdet\": %.3e, ", number(worst.x), number(worst.z), number(worst.box),
              number(worst.logdet));
  std::printf("\"rows\": %td, \"far_rows\": %td, \"boxed\": %td, \"far_boxed\": %td, \"steep\": %td}\n", worst.rows, worst.far_rows, worst.boxed,
              worst.far_boxed, worst.steep);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return std::fprintf(stderr, "usage: biject_latents MODEL CSV OUT\n"), 2;
  try {
    run(words[1], words[2], words[3]);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "biject_latents: %s\n", error.what()), 1;
  }
  return 0;
}
