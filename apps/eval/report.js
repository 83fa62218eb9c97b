/* The page: its head, the choice of a threshold, the tables, and who is drawn where. */

/* ---- sortable tables ---- */

/* What is not known comes last either way. */
function sorted(rows, value, down) {
  return [...rows].sort((a, b) => {
    const x = value(a), y = value(b);
    if (!known(x) || !known(y)) return known(y) - known(x);
    return down ? y - x : x - y;
  });
}

/* columns: [{head, unit, help, value(row), cell(row)}]; rows: any objects with `policy`. */
function table(host, columns, rows, onRow) {
  const order = { column: null, down: false };
  const draw = () => {
    const list = order.column ? sorted(rows, order.column.value, order.down) : rows;
    const head = columns.map(c => el("th", {
      scope: "col", title: c.help, "aria-sort": order.column === c && (order.down ? "descending" : "ascending"),
    }, fill(press(c, order, draw), {}, [c.head, c.unit ? el("small", {}, c.unit) : null])));
    const body = list.map(r => {
      const tr = el("tr", { class: r.policy + (r.setting === state.setting ? " on" : "") }, columns.map(c => el("td", {}, c.cell(r))));
      if (onRow) tr.addEventListener("click", () => onRow(r));
      return tr;
    });
    host.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, body)));
  };
  draw();
  return draw;
}

function press(column, order, draw) {
  const button = el("button", { type: "button" });
  button.addEventListener("click", () => {
    order.down = order.column === column ? !order.down : !column.rising;
    order.column = column;
    draw();
  });
  return button;
}

const nameColumn = {
  head: "setting", unit: "", rising: true, help: columnOf.setting.help,
  value: r => data.rows.indexOf(r), cell: r => [el("i", { class: "mark" }), labelOf(r)],
};

function numberColumn(c) {
  return {
    head: c.head, unit: c.unit, help: c.help, value: r => r[c.key],
    cell: r => [c.key === "tau" ? tauOf(r.setting) || "–" : said(c.kind, r[c.key]), interval(r, c) ? el("small", {}, interval(r, c)) : null],
  };
}

const brief = sweep
  ? ["accuracy", "kept", "gain", "large_share", "parameter_cost", "time", "overhead", "switches", "catchup_rows"]
  : ["accuracy", "kept", "same", "large_share", "large_passes", "large_rows", "lost", "time", "modelled_time"];

function settingsTable() {
  const pick = row => { if (adaptive.includes(row)) choose(row.setting); };
  let draw;
  const build = () => {
    const every = $("every").checked;
    const columns = data.columns.filter(c => every ? c.kind !== "text" : brief.includes(c.key));
    draw = table($("table"), [nameColumn, ...columns.map(numberColumn)], data.rows, pick);
  };
  build();
  $("every").addEventListener("change", build);
  listeners.push(() => draw());
  const short = data.rows.filter(r => r.problems < data.problems);
  $("gaps").textContent = short.map(r =>
    `${labelOf(r)}: ${r.problems} of ${data.problems} problems, ${r.paired} in common with the large model.`).join(" ");
}

/* ---- by level and subject ---- */

function groupTable(host, groups, key, title) {
  const c = columnOf[key];
  if (!groups.length) return host.replaceChildren();
  const rowIn = (g, r) => g.rows.find(x => x.setting === r.setting) || {};
  table(host, [{ ...nameColumn, head: title }, ...groups.map(g => ({
    head: g.name, unit: c.unit, help: c.help, value: r => rowIn(g, r)[key],
    cell: r => said(c.kind, rowIn(g, r)[key]),
  }))], data.rows);
}

function multiple(place, group) {
  const solved = group.rows.find(r => r.policy === "large") || group.rows[0];
  const plot = el("div", { class: "plot" });
  place.append(el("figure", {}, el("figcaption", {}, el("b", { title: group.name }, group.name),
    el("span", {}, `${solved.problems} problems`)), plot));
  chart(plot, { rows: group.rows.filter(r => known(r.large_share)), key: "large_share", xs: [0, 1], ys: [0, 1],
    percent: true, compact: true, title: `accuracy against large-model tokens, ${group.name}` });
}

function groupsSection() {
  const groups = [...data.levels, ...data.subjects];
  if (!groups.length) return;
  $("groups").hidden = false;
  data.levels.forEach(g => multiple($("by-level"), g));
  data.subjects.forEach(g => multiple($("by-subject"), g));
  $("measure").append(...["accuracy", "kept", "gain", "large_share", "time", "tokens"].map(key =>
    el("option", { value: key }, key === "tokens" ? "tokens per problem" : names[key])));
  const draw = () => {
    groupTable($("levels"), data.levels, $("measure").value, "level");
    groupTable($("subjects"), data.subjects, $("measure").value, "subject");
  };
  $("measure").addEventListener("change", draw);
  draw();
}

/* ---- the head ---- */

function modelText(name, model) {
  if (!model) return null;
  const n = model.parameters, size = n >= 1e9 ? [n / 1e9, "B"] : n >= 1e6 ? [n / 1e6, "M"] : [n / 1e3, "k"];
  return `${name} ${model.name || "model"}` + (known(n) ? ` (${+size[0].toPrecision(3)} ${size[1]})` : "");
}

function head(setting) {
  const row = rowOf.get(setting);
  const run = data.run, models = run.models || {}, all = run.data || {};
  const parts = [modelText("large", models.large), modelText("small", models.small),
    `${data.problems.toLocaleString("en")} problems` + (data.wanted > data.problems ? ` of ${data.wanted.toLocaleString("en")}` : "") +
    (all.file ? ` of ${all.file}` : "")];
  $("lead").textContent = parts.filter(Boolean).join("  ·  ");
  $("remarks").textContent = (data.remarks || []).map(r => r[0].toUpperCase() + r.slice(1) + ".").join(" ");
  const kept = row && known(row.kept) && `${said("share", row.kept)} % of the large model’s accuracy `;
  $("title").textContent = kept && !sweep && known(row.time) ? `${kept}in ${said("factor", row.time)} of its time`
    : kept && known(row.large_share) ? `${kept}while it writes ${said("share", row.large_share)} % of the tokens`
    : "Two models, one text: accuracy against cost";
}

function tile(row, key, unit, text) {
  const c = columnOf[key];
  if (!known(row[key])) return null;
  const range = interval(row, c);
  return el("div", { class: "tile" }, el("b", {}, said(c.kind, row[key]), el("small", {}, unit)),
    el("span", {}, text), el("span", {}, range || " "));
}

/* The setting to begin with: where what is kept is furthest above what is used. Tokens tell little of what policies
 * that judge use, so that among several time counts. */
function knee() {
  const cost = r => sweep || !known(r.modelled_time) ? r.large_share : r.modelled_time;
  const lead = r => (known(r.kept) ? r.kept : r.accuracy) - cost(r);
  return adaptive.reduce((best, r) => !best || lead(r) > lead(best) ? r : best, null);
}

function thresholds() {
  const buttons = adaptive.map(r => {
    const extra = seriesOf(r.setting).replace(/^\S+/, "");
    const b = el("button", { type: "button", "data-setting": r.setting }, (tauOf(r.setting) || r.setting) + extra);
    b.addEventListener("click", () => choose(r.setting));
    return b;
  });
  $("taus").append(el("span", {}, "threshold τ, bits"), ...buttons);
  return setting => buttons.forEach(b => b.setAttribute("aria-pressed", b.dataset.setting === setting));
}

function settings() {
  const list = el("select", {}, adaptive.map(r => el("option", { value: r.setting }, labelOf(r))));
  list.addEventListener("change", () => choose(list.value));
  $("taus").append(el("label", {}, "setting ", list));
  return setting => { list.value = setting; };
}

function choiceSection() {
  if (!adaptive.length) return;
  $("choice").hidden = false;
  const show = sweep ? thresholds() : settings();
  listeners.push(setting => {
    const row = rowOf.get(setting);
    show(setting);
    $("tiles").replaceChildren(...[
      tile(row, "kept", " %", "of the large model’s accuracy kept"),
      tile(row, "large_share", " %", "of the tokens written by the large model"),
      tile(row, "time", " ×", "the large model’s time, measured"),
      tile(row, "gain", " points", "over random switching at that share")].filter(Boolean));
    head(setting);
  });
}

function figures() {
  const rows = data.rows.filter(r => known(r.accuracy));
  if (!rows.length) return void ($("figures").hidden = true);
  const ys = accuracyDomain(rows);
  chart(document.querySelector("#by-share .plot"), { rows: rows.filter(r => known(r.large_share)), key: "large_share",
    xs: [0, 1], ys, percent: true, unit: " %", title: "accuracy against the share of large-model tokens" });
  const timed = rows.filter(r => known(r.time));
  if (!timed.length) return void ($("by-time").hidden = true);
  const high = domainOf(timed, "time")[1], step = high > 2.5 ? 1 : 0.2;
  chart(document.querySelector("#by-time .plot"), { rows: timed, key: "time", xs: [0, Math.max(1, Math.ceil(high / step - 0.02) * step)],
    ys, unit: " ×", title: "accuracy against measured time" });
}

function schemes() {
  const root = document.documentElement, button = $("scheme"), dark = matchMedia("(prefers-color-scheme: dark)");
  const set = name => {
    root.dataset.scheme = name;
    button.textContent = name === "dark" ? "light" : "dark";
  };
  set(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => set(dark.matches ? "dark" : "light"));
  button.addEventListener("click", () => set(root.dataset.scheme === "dark" ? "light" : "dark"));
}

function foot() {
  const run = data.run, facts = [];
  for (const key of ["predict", "seed", "window", "dwell", "cpu"])
    if (["number", "string"].includes(typeof run[key])) facts.push(`${key} ${run[key]}`);
  if (data.parallel)
    facts.push(`timed ${data.parallel} at a time` + (data.threads ? ` on ${data.threads} thread${data.threads === 1 ? "" : "s"}` : ""));
  $("footer").textContent = ["ead eval", ...facts].join("  ·  ");
}

schemes();
head(null);
choiceSection();
figures();
solutionSection();
settingsTable();
groupsSection();
foot();
const first = knee();
if (first) choose(first.setting);
addEventListener("scroll", hideTip, { passive: true });
