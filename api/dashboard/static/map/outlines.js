/* Lines around cells: found once for the cells of a matrix, drawn as often as it is. */
const MOST_SIDES = 1500;

/* Where cells inside (1 of 0 and 1) meet others: [column, row, column, row] of each straight line, counted in cells
   from the lower left corner; null where the lines would be too many to be read. */
export function outlineOf(inside, rows, columns) {
  const wide = columns + 2;
  const cells = new Uint8Array((rows + 2) * wide); // with a margin that is outside
  for (let row = 0; row < rows; row++) cells.set(inside.subarray(row * columns, (row + 1) * columns), (row + 1) * wide + 1);
  const sides = [];
  const follow = (first, step, beside, length, sideOf) => {
    const differ = (place) => cells[first + place * step] !== cells[first + place * step - beside];
    for (let place = 0; place < length; place++) {
      if (!differ(place)) continue;
      const from = place;
      while (place + 1 < length && differ(place + 1)) place++;
      sides.push(sideOf(from, place + 1));
    }
  };
  for (let row = 0; row <= rows && sides.length <= MOST_SIDES; row++) follow((row + 1) * wide + 1, 1, wide, columns, (from, to) => [from, row, to, row]);
  for (let column = 0; column <= columns && sides.length <= MOST_SIDES; column++) follow(wide + column + 1, wide, 1, rows, (from, to) => [column, from, column, to]);
  return sides.length > MOST_SIDES ? null : sides;
}

export function drawOutline(context, box, { rows, columns }, sides, colours, { dash = [], weight = 2 } = {}) {
  const path = new Path2D();
  const across = (column) => box.x + (column / columns) * box.width;
  const down = (row) => box.y + box.height - (row / rows) * box.height;
  for (const [x0, y0, x1, y1] of sides) {
    path.moveTo(across(x0), down(y0));
    path.lineTo(across(x1), down(y1));
  }
  strokedTwice(context, colours, dash, weight, () => context.stroke(path));
}

/* A lighter line below keeps a line visible on any colour. */
export function strokedTwice(context, colours, dash, weight, stroke) {
  context.save();
  context.setLineDash([]);
  context.lineWidth = weight + 2;
  context.strokeStyle = colours.card;
  stroke();
  context.lineWidth = weight;
  context.strokeStyle = colours.ink;
  context.setLineDash(dash);
  stroke();
  context.restore();
}
