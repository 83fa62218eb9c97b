/* Small tools: buttons, numbers, the scheme. */


function button(text, act, attributes) {
  const node = el("button", { type: "button", ...attributes }, text);
  node.addEventListener("click", act);
  return node;
}

/* ---- numbers ---- */

const known = x => typeof x === "number" && isFinite(x);
const count = x => x.toLocaleString("en");
const percent = x => known(x) ? `${(100 * x).toFixed(x > 0 && x < 0.1 ? 1 : 0)} %` : "–";
const speed = x => known(x) ? (x < 100 ? x.toFixed(1) : count(Math.round(x))) : "–";
const bits = x => known(x) ? `${x.toFixed(3)} bits` : "–";

/* 1,234,567 is 1.2 M: parameters of a model. */
function size(n) {
  if (!known(n)) return "";
  const unit = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "K"]].find(([least]) => n >= least);
  return unit ? `${(n / unit[0]).toPrecision(n / unit[0] < 100 ? 2 : 3)} ${unit[1]}` : String(n);
}
const plural = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;

/* ---- what is said aloud: once per event, never per token ---- */

function say(text) {
  $("status").textContent = text;
}

/* ---- storage may be forbidden ---- */

function recall(storage, name) {
  try { return window[storage].getItem(name); } catch { return null; }
}
function remember(storage, name, value) {
  try { value ? window[storage].setItem(name, value) : window[storage].removeItem(name); } catch { /* for this page only */ }
}

/* ---- light and dark ---- */

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const painters = new Set(); /* called when colours have changed */

function paintScheme() {
  const dark = (recall("localStorage", "ead.scheme") || (prefersDark.matches ? "dark" : "light")) === "dark";
  document.documentElement.dataset.scheme = dark ? "dark" : "light";
  $("scheme").textContent = dark ? "Light" : "Dark";
  $("scheme").setAttribute("aria-label", `switch to the ${dark ? "light" : "dark"} scheme`);
  painters.forEach(paint => paint());
}

/* A choice that is what the system prefers is no choice: the page follows the system again. */
function switchScheme() {
  const next = document.documentElement.dataset.scheme === "dark" ? "light" : "dark";
  document.documentElement.dataset.scheme = next;
  remember("localStorage", "ead.scheme", next === (prefersDark.matches ? "dark" : "light") ? null : next);
  paintScheme();
}
