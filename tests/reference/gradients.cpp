// biject_gradients MODEL CSV OUT: for the torch scripts of this folder. Writes the gradient of the mean log_prob of the rows of CSV
// (standardised, as training sees them; all columns of the model by name) with respect to the parameters, in float64 and in the form that
// training computes but without dropout, as a model file: its tensors are the gradient.

#include <cstdio>
#include <exception>
#include <fstream>

#include "data/table.hpp"
#include "flows/flow.hpp"
#include "model/model_file.hpp"

using namespace biject;

namespace {

void run(const char* model_path, const char* csv_path, const char* out_path) {
  Model model = load_model(model_path);
  model.spec.dropout = 0;
  const Flow<double> flow(model.spec);
  std::vector<std::string> names;
  for (const Column& column : model.columns) names.push_back(column.name);
  const std::vector<std::string> paths{csv_path};
  const Table table = read_table_like(names, "", paths, {});
  const Matrix<double> values = table.values.matrix();
  const Index n = values.rows();
  Matrix<double> x(n, model.spec.features), context(n, model.spec.context), dx(n, model.spec.features);
  Index feature = 0, given = 0;
  for (std::size_t j = 0; j < model.columns.size(); ++j) {
    const Column& column = model.columns[j];
    auto target = column.is_given ? context.col(given++) : x.col(feature++);
    target = (values.col(static_cast<Index>(j)).array() - column.mean) / column.scale;
  }
  Workspace<double> scratch(flow.scratch(), n);
  scratch.set_rows(n);
  Arena<double> grad(flow.params());
  Matrix<double> dcontext = Matrix<double>::Zero(n, model.spec.context);
  Vector<double> logp(n);
  const Noise noise{};
  flow.backward({model.theta, context, scratch, &noise}, x, Vector<double>::Constant(n, 1 / static_cast<double>(n)), logp, dx, {grad, dcontext});
  model.theta = grad;
  model.is_double = true;
  std::ofstream(out_path, std::ios::binary) << serialize(model);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) return std::fprintf(stderr, "usage: biject_gradients MODEL CSV OUT\n"), 2;
  try {
    run(words[1], words[2], words[3]);
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "biject_gradients: %s\n", error.what()), 1;
  }
  return 0;
}
