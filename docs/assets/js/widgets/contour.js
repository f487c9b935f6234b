// Where a function on a grid has one value, as the path of an SVG. `values` go row by row,
// `side` in a row; `place` takes a column and a row, both may lie between two grid points.
export const contour = (values, side, level, place) => {
  const parts = [];
  const above = i => values[i] > level;
  const write = p => p.map(u => u.toFixed(1)).join(" ");
  for (let row = 0; row + 1 < side; row += 1)
    for (let column = 0; column + 1 < side; column += 1) {
      const first = row * side + column;
      const count = above(first) + above(first + 1) + above(first + side) + above(first + side + 1);
      if (count === 0 || count === 4) continue;
      // Round the corners of the cell: between which two neighbours is the level?
      const heights = [first, first + 1, first + side + 1, first + side].map(i => values[i] - level);
      const corners = [[column, row], [column + 1, row], [column + 1, row + 1], [column, row + 1]];
      const found = [];
      corners.forEach(([x0, y0], k) => {
        const [a, b] = [heights[k], heights[(k + 1) % 4]];
        if (a > 0 === b > 0) return;
        const [x1, y1] = corners[(k + 1) % 4];
        found.push(place(x0 + (x1 - x0) * a / (a - b), y0 + (y1 - y0) * a / (a - b)));
      });
      // On a saddle there are four such places, and two lines.
      for (let k = 0; k < found.length; k += 2) parts.push(`M${write(found[k])}L${write(found[k + 1])}`);
    }
  return parts.join("");
};
