/* Accuracy against a cost: a curve for every series, marks for the pure models. */

function ticks(low, high, wanted) {
  const raw = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find(m => m * power >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9); k++) out.push(k * step);
  return out;
}
const trimmed = x => String(+x.toFixed(4));

function domainOf(rows, key) {
  const values = rows.flatMap(r => [r[key], r[key + "_low"], r[key + "_high"]]).filter(known);
  return [Math.min(...values), Math.max(...values)];
}

/* The extent of the vertical axis: whole steps around all whiskers, and never beyond 0 and 1. */
function accuracyDomain(rows) {
  const [low, high] = domainOf(rows, "accuracy"), step = high - low > 0.35 ? 0.1 : 0.05;
  const room = 0.08 * (high - low); /* for the name of the lowest mark */
  return [Math.max(0, Math.floor((low - room) / step) * step), Math.min(1, Math.ceil(high / step) * step)];
}

function frame(host, o) {
  const w = host.clientWidth || 480, h = Math.round(o.compact ? w * 0.66 : Math.min(430, Math.max(290, w * 0.7)));
  const m = o.compact ? { l: 26, r: 6, t: 8, b: 18 } : { l: 44, r: 22, t: 12, b: 26 };
  const at = (d, from, to) => v => from + (v - d[0]) / (d[1] - d[0] || 1) * (to - from);
  return { w, h, m, x: at(o.xs, m.l, w - m.r), y: at(o.ys, h - m.b, m.t) };
}

function axes(f, o) {
  const g = svg("g", {}), { w, h, m } = f;
  const last = (list, i) => i === list.length - 1 && !o.compact; /* the last tick names the unit */
  ticks(o.ys[0], o.ys[1], o.compact ? 3 : 5).forEach((v, i, all) => g.append(
    svg("line", { class: "grid", x1: m.l, x2: w - m.r, y1: f.y(v), y2: f.y(v) }),
    svg("text", { x: m.l - 8, y: f.y(v) + 4, "text-anchor": "end" }, trimmed(100 * v) + (last(all, i) ? " %" : ""))));
  ticks(o.xs[0], o.xs[1], o.compact ? 2 : 5).forEach((v, i, all) => g.append(
    svg("text", { x: f.x(v), y: h - m.b + (o.compact ? 14 : 19), "text-anchor": "middle" },
      trimmed(o.percent ? 100 * v : v) + (last(all, i) ? o.unit : ""))));
  g.append(svg("line", { class: "axis", x1: m.l, x2: w - m.r, y1: h - m.b, y2: h - m.b }));
  return g;
}

/* Level lines through the pure models: what all others lie between. */
function references(f, rows) {
  return rows.filter(r => r.policy === "small" || r.policy === "large").map(r =>
    svg("line", { class: "ref", x1: f.m.l, x2: f.w - f.m.r, y1: f.y(r.accuracy), y2: f.y(r.accuracy) }));
}

function seriesIn(rows) {
  const out = new Map();
  for (const r of rows) {
    const key = seriesOf(r.setting);
    if (!out.has(key)) out.set(key, []);
    out.get(key).push(r);
  }
  const order = ["random", "ead", "small", "large"]; /* what is drawn later lies on top */
  return [...out.entries()].sort((a, b) => order.indexOf(a[1][0].policy) - order.indexOf(b[1][0].policy));
}

function drawSeries(f, o, rows, svgGroup) {
  const points = rows.map(r => ({ r, x: f.x(r[o.key]), y: f.y(r.accuracy) }));
  const sorted = [...points].sort((a, b) => a.x - b.x);
  if (points.length > 1)
    svgGroup.append(svg("path", { class: "curve", d: "M" + sorted.map(p => `${p.x.toFixed(1)},${p.y.toFixed(1)}`).join("L") }));
  for (const p of points) {
    const low = p.r.accuracy_low, high = p.r.accuracy_high;
    if (!o.compact && known(low))
      svgGroup.append(svg("line", { class: "whisker", x1: p.x, x2: p.x, y1: f.y(low), y2: f.y(high) }));
    const left = p.r[o.key + "_low"], right = p.r[o.key + "_high"];
    if (!o.compact && known(left) && left < right)
      svgGroup.append(svg("line", { class: "whisker", x1: f.x(left), x2: f.x(right), y1: p.y, y2: p.y }));
  }
  const pure = rows[0].policy === "small" || rows[0].policy === "large";
  for (const p of points)
    svgGroup.append(svg("circle", { class: "dot", cx: p.x, cy: p.y, r: o.compact ? 2.6 : pure ? 5.5 : rows[0].policy === "ead" ? 4.5 : 3.5 }));
  return points;
}

/* ---- labels: as many as find room ---- */

function labeller(f, points) {
  const taken = points.map(p => ({ l: p.x - 5, r: p.x + 5, t: p.y - 5, b: p.y + 5 }));
  const hits = b => b.l < f.m.l || b.r > f.w || b.t < 0 ||
    b.b > f.h - f.m.b - 4 || taken.some(t => b.l < t.r && b.r > t.l && b.t < t.b && b.b > t.t);
  return (p, text, size, places, strict) => {
    const w = text.length * size * 0.56;
    const boxes = places.map(([dx, dy, anchor]) => {
      const l = p.x + dx - (anchor === "end" ? w : anchor === "middle" ? w / 2 : 0);
      return { x: p.x + dx, y: p.y + dy, anchor, l, r: l + w, t: p.y + dy - size, b: p.y + dy + 3 };
    });
    const box = boxes.find(b => !hits(b)) || (strict ? null : boxes[0]);
    if (box) taken.push(box);
    return box;
  };
}

/* Where the name of a series may stand, beside one of its points; further off when all of it is taken. */
const further = [26, 40, 56, 74].flatMap(d => [[-d / 2, -d, "end"], [d / 2, d, "start"], [d / 2, -d, "start"], [-d / 2, d, "end"], [0, -d, "middle"], [0, d, "middle"]]);
const besides = {
  ead: [[-10, -12, "end"], [0, -16, "middle"], [-16, -22, "end"], [-26, -34, "end"]],
  random: [[12, 18, "start"], [8, 26, "start"], [22, 32, "start"], [0, 40, "middle"]],
  small: [[10, 18, "start"], [10, -10, "start"], [0, 22, "middle"], [-10, 18, "end"]],
  large: [[-10, -10, "end"], [-10, 20, "end"], [0, -14, "middle"], [0, 22, "middle"]],
};

function nameSeries(series, group, place) {
  const policy = series[0].r.policy, middle = series[Math.floor(series.length / 2)];
  const must = policy in besides && sweep; /* of many settings those are named that have room */
  const text = (policyNames[policy] || policy) + (must ? seriesOf(series[0].r.setting).replace(/^\S+/, "") : "");
  let box = null;
  for (const p of [middle, ...series]) box = box || place(p, text, 13, besides[policy] || besides.random, true);
  if (!box && must) box = place(middle, text, 13, further, false);
  if (!box) return;
  group.append(svg("text", { class: "name", x: box.x, y: box.y, "text-anchor": box.anchor }, text));
}

function nameTaus(series, group, place) {
  series.forEach((p, i) => {
    const tau = tauOf(p.r.setting);
    if (p.r.policy !== "ead" || !tau) return;
    const box = place(p, tau, 11, [[-7, -8, "end"], [0, -10, "middle"], [-9, -14, "end"], [8, 14, "start"]], true);
    if (box) group.append(svg("text", { class: "tau", x: box.x, y: box.y, "text-anchor": box.anchor }, (i ? "" : "τ ") + tau));
  });
}

/* ---- pointing ---- */

function nearest(points, x, y) {
  let best = null, reach = 36;
  for (const p of points) {
    const d = Math.hypot(p.x - x, p.y - y);
    if (d < reach) [best, reach] = [p, d];
  }
  return best;
}

function point(root, points, compact) {
  const halo = svg("circle", { class: "halo", r: compact ? 5 : 8, visibility: "hidden" });
  root.append(halo);
  const mark = p => {
    halo.setAttribute("visibility", p ? "visible" : "hidden");
    if (p) halo.setAttribute("cx", p.x), halo.setAttribute("cy", p.y);
  };
  const chosen = () => compact ? null : points.find(p => p.r.setting === state.setting);
  const find = e => {
    const box = root.getBoundingClientRect();
    return nearest(points, e.clientX - box.left, e.clientY - box.top);
  };
  root.addEventListener("pointermove", e => {
    const p = find(e);
    mark(p || chosen());
    p ? showTip(e.clientX, e.clientY, labelOf(p.r), tipOf(p.r)) : hideTip();
  });
  root.addEventListener("pointerleave", () => { mark(chosen()); hideTip(); });
  root.addEventListener("click", e => {
    const p = find(e);
    if (p && adaptive.includes(p.r)) choose(p.r.setting);
  });
  mark(chosen());
  return () => mark(chosen());
}

/* ---- the whole ---- */

function drawChart(host, o) {
  const f = frame(host, o);
  const root = svg("svg", { width: f.w, height: f.h, viewBox: `0 0 ${f.w} ${f.h}`, role: "img", "aria-label": o.title });
  root.append(axes(f, o), ...references(f, o.rows));
  const drawn = seriesIn(o.rows).map(([, rows]) => {
    const group = svg("g", { class: rows[0].policy });
    root.append(group);
    return { group, points: drawSeries(f, o, rows, group) };
  });
  const points = drawn.flatMap(d => d.points);
  if (!o.compact) {
    const place = labeller(f, points);
    const named = [...drawn].reverse(); /* the pure models first: they have the least choice */
    named.forEach(d => nameSeries(d.points, d.group, place));
    named.forEach(d => nameTaus(d.points, d.group, place));
  }
  host.replaceChildren(root);
  return point(root, points, o.compact);
}

/* A chart that is drawn anew when its place changes width. */
function chart(host, o) {
  let refresh = () => {}, width = 0;
  new ResizeObserver(() => {
    if (host.clientWidth === width) return;
    width = host.clientWidth;
    refresh = drawChart(host, o);
  }).observe(host);
  if (!o.compact) listeners.push(() => refresh());
}
