/* The data, how it is said, and small tools. */

const data = JSON.parse(document.getElementById("data").textContent);
const columnOf = Object.fromEntries(data.columns.map(c => [c.key, c]));
const rowOf = new Map(data.rows.map(r => [r.setting, r]));
const svg = (name, attributes, ...kids) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, kids);

/* ---- numbers ---- */

const known = x => typeof x === "number" && isFinite(x);
const minus = text => text.replace(/^-(0\.?0*)$/, "$1").replace("-", "−"); /* what rounds to zero has no sign */
const shapes = {
  count: x => x.toLocaleString("en"),
  share: x => (100 * x).toFixed(1),
  points: x => (x < 0 ? "" : "+") + (100 * x).toFixed(1),
  factor: x => x.toFixed(2),
  number: x => x >= 1000 ? Math.round(x).toLocaleString("en") : x.toFixed(1),
};
const said = (kind, x) => known(x) ? minus(shapes[kind](x)) : "–";
const signs = { share: " %", points: " points", factor: "×" };
const saidFully = (kind, x) => known(x) ? said(kind, x) + (signs[kind] || "") : "–";

/* "78.7–83.5", or nothing where there is no interval. */
function interval(row, column) {
  const low = row[column.key + "_low"], high = row[column.key + "_high"];
  if (!column.interval || !known(low) || !known(high) || low === high) return "";
  return said(column.kind, low) + (column.kind === "points" ? " to " : "–") + said(column.kind, high);
}

/* ---- settings ---- */

const tauOf = setting => (/ tau=(\S+)/.exec(setting) || [])[1];
/* What a curve has in common: the setting without its threshold. */
const seriesOf = setting => setting.replace(/ tau=\S+/, "");
const policyNames = { ead: "EAD", random: "random switching", small: "small alone", large: "large alone",
  custom: "oracle" }; /* the one setting that is a function */

function labelOf(row) {
  const tau = tauOf(row.setting), rest = seriesOf(row.setting).replace(/^\S+/, "");
  const name = (policyNames[row.policy] || row.policy) + rest;
  if (!tau) return name;
  return row.policy === "random" ? `random${rest}, as τ = ${tau}` : `${name}, τ = ${tau}`;
}
const alone = policy => data.rows.find(r => r.policy === policy);
/* What can be chosen: settings of any policy that is no baseline. */
const adaptive = data.rows.filter(r => !["small", "large", "random", "custom"].includes(r.policy));
const sweep = adaptive.every(r => r.policy === "ead"); /* of thresholds alone */

/* ---- the tooltip ---- */

const tip = $("tip");

function showTip(x, y, title, pairs) {
  tip.replaceChildren(el("b", {}, title), el("dl", {}, pairs.map(([name, value, remark]) => [
    el("dt", {}, name), el("dd", {}, value, remark ? el("small", {}, " " + remark) : null)])));
  tip.hidden = false;
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(8, Math.min(x + 16, innerWidth - w - 8)) + "px";
  tip.style.top = (y + 18 + h < innerHeight ? y + 18 : Math.max(8, y - h - 14)) + "px";
}
function hideTip() {
  tip.hidden = true;
}

function tipOf(row) {
  return ["accuracy", "kept", "gain", "large_share", "parameter_cost", "time", "overhead"]
    .filter(key => known(row[key]) && !(row.policy === "large" && key === "kept"))
    .map(key => {
      const c = columnOf[key];
      return [names[key], saidFully(c.kind, row[key]), interval(row, c)];
    });
}
const names = {
  accuracy: "accuracy", kept: "kept of large", gain: "over random", large_share: "large-model tokens",
  parameter_cost: "parameter cost", time: "measured time", overhead: "over ideal time",
};

/* ---- the chosen setting ---- */

const listeners = [];
const state = { setting: null };

function choose(setting) {
  state.setting = setting;
  listeners.forEach(f => f(setting));
}
