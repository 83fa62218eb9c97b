/* A solution: its text in the colours of the writers, and over every line of it the entropy. */

const TRACE = { font: 13, strip: 46, line: 22, gap: 16, left: 46 };

/* Bits to a share of the strip: the root shows small entropies beside large ones. */
const raised = bits => Math.sqrt(bits);

function rolling(entropy, window) {
  let sum = 0;
  return entropy.map((h, i) => {
    sum += h - (i >= window ? entropy[i - window] : 0);
    return Math.max(0, sum) / Math.min(i + 1, window); /* what was added and taken off may leave a bit below zero */
  });
}

function charWidth(root) {
  const probe = svg("text", {}, "0".repeat(50));
  root.append(probe);
  const w = probe.getComputedTextLength() / 50;
  probe.remove();
  return w || 7.8;
}

/* Characters as the eye counts them; a line break is shown as an arrow and ends the row. */
const shown = piece => [...piece.replace(/\r/g, "").replace(/\t/g, "  ").replace(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/g, "·")];

/* Tokens into rows of at most `columns` characters: [{i, text, at, n}], those that were lost before token i with
 * what is known of them as `lost`. They end no row. */
function rowsOf(pieces, lost, columns) {
  const rows = [[]];
  let at = 0;
  const put = (piece, token) => {
    const chars = shown(piece), n = Math.max(1, chars.length);
    if (at && at + n > columns) rows.push([]), at = 0;
    rows[rows.length - 1].push({ ...token, text: chars.map(c => c === "\n" ? "⏎" : c).join("").slice(0, 4 * columns), at, n });
    at += n;
    if (!token.lost && chars.includes("\n")) rows.push([]), at = 0;
  };
  let next = 0;
  const putLost = i => {
    for (; next < lost.length && lost[next].at <= i; next++) put(lost[next].text, { i, lost: lost[next] });
  };
  pieces.forEach((piece, i) => {
    putLost(i);
    put(piece, { i });
  });
  putLost(pieces.length);
  return rows.filter(r => r.length);
}

const writerOf = (trace, i) => trace.writers[i] === "L" ? "large" : "small";

/* The rolling mean over a row, a piece for each writer; pieces meet. */
function means(row, trace, mean, cx, y, before) {
  const out = [];
  let from = before, path = before ? `M${before.x},${before.y}` : "", writer = null;
  const flush = () => { if (path.includes("L")) out.push(svg("path", { class: "roll " + writer, d: path })); };
  for (const t of row) {
    const p = { x: cx(t).toFixed(1), y: y(mean[t.i]).toFixed(1) }, w = writerOf(trace, t.i);
    if (writer && w !== writer) flush(), path = `M${from.x},${from.y}`;
    writer = w;
    path += (path ? "L" : "M") + `${p.x},${p.y}`;
    from = p;
  }
  flush();
  return out;
}

function drawStrip(g, row, trace, o) {
  const floor = TRACE.strip, y = bits => floor - raised(Math.min(bits, o.top)) / raised(o.top) * (TRACE.strip - 4);
  const x = t => TRACE.left + t.at * o.cw, end = row[row.length - 1], right = x(end) + end.n * o.cw;
  g.append(svg("line", { class: "floor", x1: TRACE.left, x2: right, y1: floor, y2: floor }));
  const standing = row.filter(t => !t.lost);
  for (const t of standing)
    g.append(svg("rect", { class: "bar " + writerOf(trace, t.i), x: x(t) + 0.5, width: Math.max(1, t.n * o.cw - 1),
      y: y(trace.entropy[t.i]), height: Math.max(0.5, floor - y(trace.entropy[t.i])) }));
  g.append(...means(standing, trace, o.mean, t => x(t) + t.n * o.cw / 2, y, null));
  if (known(trace.tau)) {
    g.append(svg("line", { class: "limit-line", x1: TRACE.left, x2: Math.max(right, TRACE.left + 40), y1: y(trace.tau), y2: y(trace.tau) }));
    g.append(svg("text", { class: "limit", x: TRACE.left - 6, y: y(trace.tau) + 3.5, "text-anchor": "end" }, "τ " + trace.tau));
  }
  const top = y(o.top);
  if (o.first && (!known(trace.tau) || Math.abs(top - y(trace.tau)) > 12))
    g.append(svg("text", { class: "scale", x: TRACE.left - 6, y: top + 5, "text-anchor": "end" }, o.top + " bit" + (o.top > 1 ? "s" : "")));
}

function drawToken(t, trace, o) {
  const w = writerOf(trace, t.i), x = TRACE.left + t.at * o.cw;
  const g = svg("g", { class: "token" },
    svg("rect", { class: "wash " + w, x, y: TRACE.strip + 3, width: t.n * o.cw, height: TRACE.line - 3 }),
    svg("text", { class: w, x, y: TRACE.strip + 17, "xml:space": "preserve" }, t.text),
    svg("rect", { x, y: 0, width: t.n * o.cw, height: TRACE.strip + TRACE.line, fill: "transparent" }));
  g.addEventListener("pointermove", e => showTip(e.clientX, e.clientY, `token ${t.i + 1}: “${t.text.trim() || t.text}”`, [
    ["written by", w + " model"], ["entropy", trace.entropy[t.i].toFixed(3) + " bits"],
    ["rolling mean", o.mean[t.i].toFixed(3) + " bits"]]));
  g.addEventListener("pointerleave", hideTip);
  return g;
}

/* What was written here and refused, or given up, before what stands. */
function drawLost(t, o) {
  const x = TRACE.left + t.at * o.cw, percent = p => `${(100 * p).toFixed(p < 0.001 ? 3 : 1)} %`;
  const g = svg("g", { class: "token lost" },
    svg("text", { x, y: TRACE.strip + 17, "xml:space": "preserve" }, t.text),
    svg("line", { x1: x, x2: x + t.n * o.cw, y1: TRACE.strip + 13, y2: TRACE.strip + 13 }),
    svg("rect", { x, y: TRACE.strip, width: t.n * o.cw, height: TRACE.line, fill: "transparent" }));
  g.addEventListener("pointermove", e => showTip(e.clientX, e.clientY, `“${t.text.trim() || t.text}”, which was ` +
    (known(t.lost.p) ? "refused" : "given up"), [["written by", "small model"], ["entropy", t.lost.entropy.toFixed(3) + " bits"],
    ...(known(t.lost.p) ? [["large model’s p", percent(t.lost.p)], ["its highest p", percent(t.lost.max_p)]] : [])]));
  g.addEventListener("pointerleave", hideTip);
  return g;
}

function drawTrace(host, trace) {
  const width = host.clientWidth;
  const root = svg("svg", { width, height: 10, role: "img", "aria-label": "entropy over the text of the solution" });
  host.replaceChildren(root);
  const cw = charWidth(root), columns = Math.max(12, Math.floor((width - TRACE.left - 4) / cw));
  const mean = rolling(trace.entropy, trace.window || 5);
  const highest = Math.max(0.1, trace.tau || 0, ...trace.entropy);
  const top = [0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20].find(b => b >= highest) || Math.ceil(highest);
  const rows = rowsOf(trace.pieces, trace.lost || [], columns), pitch = TRACE.strip + TRACE.line + TRACE.gap;
  rows.forEach((row, k) => {
    const g = svg("g", { transform: `translate(0 ${k * pitch})` });
    drawStrip(g, row, trace, { cw, mean, top, first: !k });
    row.forEach(t => g.append(t.lost ? drawLost(t, { cw }) : drawToken(t, trace, { cw, mean })));
    root.append(g);
  });
  root.setAttribute("height", rows.length * pitch);
}

/* ---- the choice of a solution ---- */

function verdict(trace) {
  const large = [...trace.writers].filter(w => w === "L").length, n = trace.pieces.length;
  const parts = [`${n} tokens, ${said("share", n ? large / n : 0)} % by the large model.`];
  if (known(trace.problem) && "correct" in trace)
    parts.push(trace.correct ? ` Answer ${trace.pred}: right.`
      : ` Answer ${trace.pred === null ? "none" : trace.pred}: wrong, expected ${trace.gold}.`);
  return parts.join("");
}

function solutionSection() {
  const traces = data.traces.filter(t => rowOf.has(t.setting) && t.pieces.length);
  if (!traces.length) return;
  const host = $("trace"), problems = [...new Set(traces.map(t => t.problem))].sort((a, b) => a - b);
  const settings = data.rows.filter(r => traces.some(t => t.setting === r.setting));
  const find = (problem, setting) => traces.find(t => t.problem === problem && t.setting === setting);
  const title = p => {
    const t = traces.find(u => u.problem === p);
    return [`${p}`, t.subject, t.level ? `level ${t.level}` : ""].filter(Boolean).join(" · ");
  };
  $("problem").append(...problems.map(p => el("option", { value: p }, title(p))));
  $("setting").append(...settings.map(r => el("option", { value: r.setting }, labelOf(r))));
  $("solution").hidden = false;
  let width = 0;
  const draw = () => {
    const t = find(+$("problem").value, $("setting").value);
    $("question").textContent = t && t.text || "";
    $("question").hidden = !(t && t.text);
    $("verdict").textContent = t ? verdict(t) : "This problem has no trace in this setting.";
    t ? drawTrace(host, t) : host.replaceChildren();
  };
  const follow = setting => {
    if (settings.some(r => r.setting === setting)) $("setting").value = setting;
    draw();
  };
  $("problem").value = busiest(problems, traces);
  $("problem").addEventListener("change", draw);
  $("setting").addEventListener("change", draw);
  listeners.push(follow);
  new ResizeObserver(() => { if (host.clientWidth !== width) width = host.clientWidth, draw(); }).observe(host);
}

/* The problem to begin with: one in whose solutions both models write much. */
function busiest(problems, traces) {
  const switches = t => [...t.writers].filter((w, i) => i && w !== t.writers[i - 1]).length;
  const score = p => traces.filter(t => t.problem === p && t.policy === "ead").reduce((n, t) => n + switches(t), 0);
  return problems.reduce((best, p) => score(p) > score(best) ? p : best, problems[0]);
}
