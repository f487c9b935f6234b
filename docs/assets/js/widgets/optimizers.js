// The optimizers of the library, with its own settings. Each is made for n weights and
// gives its step: it changes `w` in place. The rate comes with every step, so that it can
// be moved while the walk goes on.
const sgd = (momentum, nesterov) => n => {
  const v = new Float64Array(n);
  return (w, g, lr) => {
    for (let i = 0; i < n; i += 1) {
      v[i] = momentum * v[i] + g[i];
      w[i] -= lr * (nesterov ? g[i] + momentum * v[i] : v[i]);
    }
  };
};

const adagrad = n => {
  const v = new Float64Array(n);
  return (w, g, lr) => {
    for (let i = 0; i < n; i += 1) {
      v[i] += g[i] * g[i];
      w[i] -= lr * g[i] / (Math.sqrt(v[i]) + 1e-10);
    }
  };
};

const rmsprop = n => {
  const v = new Float64Array(n);
  return (w, g, lr) => {
    for (let i = 0; i < n; i += 1) {
      v[i] = 0.99 * v[i] + (1 - 0.99) * g[i] * g[i];
      w[i] -= lr * g[i] / (Math.sqrt(v[i]) + 1e-8);
    }
  };
};

const adam = n => {
  const [m, v] = [new Float64Array(n), new Float64Array(n)];
  let t = 0;
  return (w, g, lr) => {
    t += 1;
    const [trustM, trustV] = [1 - 0.9 ** t, 1 - 0.999 ** t];
    for (let i = 0; i < n; i += 1) {
      m[i] = 0.9 * m[i] + (1 - 0.9) * g[i];
      v[i] = 0.999 * v[i] + (1 - 0.999) * g[i] * g[i];
      w[i] -= lr * (m[i] / trustM) / (Math.sqrt(v[i] / trustV) + 1e-8);
    }
  };
};

export default {
  sgd: sgd(0, false),
  momentum: sgd(0.9, false),
  nesterov: sgd(0.9, true),
  adagrad,
  rmsprop,
  adam,
};
