// A small chart of one number over time.

import { duration, make } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300;
const HEIGHT = 48;
const EDGE = 4;

const shown = (number) => String(Number(number.toPrecision(5)));

/** The chart of `points`, `[seconds, value]`, called `label`. */
export function chart(label, points) {
  const values = points.map(([, value]) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const last = values[values.length - 1];
  const span = points[points.length - 1][0] - points[0][0];
  const over = points.length > 1 ? `${shown(low)} to ${shown(high)} in ${duration(span)}` : "one value so far";
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${label}: now ${shown(last)}, ${over}`);
  const line = document.createElementNS(SVG, "polyline");
  const x = ([at]) => (span ? EDGE + ((at - points[0][0]) / span) * (WIDTH - 2 * EDGE) : WIDTH / 2);
  const y = ([, value]) => (high > low ? HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE) : HEIGHT / 2);
  const dots = points.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`);
  // One point is no line yet.
  line.setAttribute("points", (dots.length > 1 ? dots : [`${EDGE},${HEIGHT / 2}`, `${WIDTH - EDGE},${HEIGHT / 2}`]).join(" "));
  svg.append(line);
  return make("div", { class: "chart" }, svg, make("p", {}, `${label}: ${shown(last)}`, make("br"), over));
}
