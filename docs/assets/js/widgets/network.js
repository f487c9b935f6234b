// A small network and its gradient, as `cg.network` computes them: the weights are one
// vector, the one output is a logit, the loss is the binary cross-entropy.
const ACTIVATIONS = {
  identity: z => z,
  tanh: Math.tanh,
  relu: z => Math.max(z, 0),
  sigmoid: z => 1 / (1 + Math.exp(-z)),
};
// The derivative of each, from what the activation gave.
const SLOPES = {
  identity: () => 1,
  tanh: h => 1 - h * h,
  relu: h => h > 0 ? 1 : 0,
  sigmoid: h => h * (1 - h),
};

export const size = sizes => sizes.slice(1).reduce((sum, k, i) => sum + (sizes[i] + 1) * k, 0);

// Weights to start from, as `net.init` draws them: `normals` are the numbers that its
// generator gives, one for each entry of the matrices. ReLU starts as "he", others as "xavier".
export const init = (sizes, activation, normals) => {
  const w = new Float64Array(size(sizes));
  let [start, used] = [0, 0];
  sizes.slice(1).forEach((k, layer) => {
    const d = sizes[layer];
    const std = Math.sqrt(2 / (activation === "relu" ? d : d + k));
    for (let i = 0; i < d * k; i += 1) w[start + i] = std * normals[used + i];
    used += d * k;
    start += (d + 1) * k; // the biases stay 0
  });
  return w;
};

// All that is needed for up to `most` rows, allocated once. `x` is a flat array, row by row.
export const plan = (sizes, activation, most) => {
  const [sigma, slope] = [ACTIVATIONS[activation], SLOPES[activation]];
  const grad = new Float64Array(size(sizes));
  const layers = [];
  let start = 0;
  sizes.slice(1).forEach((k, i) => {
    const d = sizes[i];
    layers.push({ d, k, start, bias: start + d * k, out: new Float64Array(most * k), delta: new Float64Array(most * k) });
    start += (d + 1) * k;
  });
  const last = layers.at(-1);

  // The outputs of all layers; those of the last are the logits.
  const forward = (w, x, rows) => {
    let h = x;
    for (const layer of layers) {
      const { d, k, start, bias, out } = layer;
      for (let row = 0; row < rows; row += 1)
        for (let j = 0; j < k; j += 1) {
          let z = w[bias + j];
          for (let i = 0; i < d; i += 1) z += h[row * d + i] * w[start + i * k + j];
          out[row * k + j] = layer === last ? z : sigma(z);
        }
      h = out;
    }
    return layers.map(layer => layer.out);
  };
  // The mean loss of the rows; before it, `forward`.
  const loss = (y, rows) => {
    let sum = 0;
    for (let row = 0; row < rows; row += 1) {
      const z = last.out[row];
      sum += Math.max(y[row] ? -z : z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
    }
    return sum / rows;
  };
  // Its gradient, layer by layer from the last to the first; before it, `forward`.
  const backward = (w, x, y, rows) => {
    for (let row = 0; row < rows; row += 1) {
      const z = last.out[row];
      last.delta[row] = (y[row] ? -1 / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z))) / rows;
    }
    grad.fill(0);
    for (let l = layers.length - 1; l >= 0; l -= 1) {
      const { d, k, start, bias, delta } = layers[l];
      const below = layers[l - 1];
      const h = below ? below.out : x;
      for (let row = 0; row < rows; row += 1) {
        for (let j = 0; j < k; j += 1) grad[bias + j] += delta[row * k + j];
        for (let i = 0; i < d; i += 1) {
          const input = h[row * d + i];
          let back = 0;
          for (let j = 0; j < k; j += 1) {
            const dz = delta[row * k + j];
            grad[start + i * k + j] += input * dz;
            back += dz * w[start + i * k + j];
          }
          if (below) below.delta[row * d + i] = back * slope(input);
        }
      }
    }
    return grad;
  };
  return { forward, loss, backward };
};
