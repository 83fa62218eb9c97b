/* What the next message is asked with: the model, the policy's numbers as the server lists them, sampling. */

const names = { tau: "Threshold τ", window: "Window", dwell: "Dwell", "risk-sum": "Risk in all" };
let offered = []; /* names of the policy's options that have a slider */
const modelNames = { ead: "Both", large: "Large", small: "Small" };
const controls = {}; /* by name: { value, reset(), enable(on) } */

/* A slider reaches the values one wants; the number beside it takes all that the server does. */
function reachOf(option) {
  const whole = option.type === "int", start = known(option.default) ? option.default : whole ? 1 : 0;
  const low = known(option.low) ? option.low : 0, most = known(option.high) ? option.high : Infinity;
  const wanted = whole ? Math.max(32, 2 * start) : Math.max(2, Math.ceil(4 * start));
  return { whole, start, low: Math.max(low, Math.min(0, start)) , high: Math.min(most, wanted) };
}

/* `option` as in /v1/models; with `blank` the number may be left out, and the server's own is taken. */
function slider(option, title, blank) {
  const { whole, start, low, high } = reachOf(option), id = `at-${option.name}`;
  const range = el("input", { type: "range", id, min: low, max: high, step: whole ? 1 : "any", "aria-describedby": `${id}-help` });
  const number = el("input", { type: "number", min: option.low, max: option.high, step: whole ? 1 : "any",
    inputmode: whole ? "numeric" : "decimal", "aria-label": `${title}, as a number`, placeholder: blank });
  const control = { value: null };
  const show = (value, except) => {
    control.value = value;
    if (except !== range) range.value = value === null ? start : value;
    if (except !== number) number.value = value === null ? "" : value;
    const at = Math.max(0, Math.min(1, (range.value - low) / (high - low || 1)));
    range.style.setProperty("--at", `${100 * at}%`);
    range.setAttribute("aria-valuetext", value === null ? "the server's" : `${value}`);
  };
  const round = x => whole ? Math.round(x) : +x.toFixed(high - low > 4 ? 1 : 2);
  range.addEventListener("input", () => show(round(+range.value), range));
  number.addEventListener("input", () => {
    if (number.value === "" && blank && number.validity.valid) show(null, number);
    else if (number.value !== "" && number.validity.valid) show(+number.value, number);
  });
  number.addEventListener("blur", () => show(control.value));
  control.reset = () => show(blank ? null : start);
  control.enable = on => { range.disabled = number.disabled = !on; };
  control.node = el("div", { class: "slider" }, el("div", { class: "head" }, el("label", { for: id }, title), number), range,
    el("p", { class: "note", id: `${id}-help` }, option.help || ""));
  control.reset();
  controls[option.name] = control;
  return control.node;
}

/* Numbers that the server's policy looks at; of a server that does not say, those of ead. */
const isOffered = (o, policy) => (o.type === "real" || o.type === "int") && !o.words &&
  (Array.isArray(o.policies) ? o.policies.includes(policy) : Boolean(names[o.name]));
const titleOf = o => names[o.name] || o.name[0].toUpperCase() + o.name.slice(1).replaceAll("-", " ");

/* ---- models ---- */

let server = null; /* what /v1/models said: [{ id, ead }] */

const pairOf = () => server && server.find(m => m.id === "ead");
const isPair = () => Boolean(pairOf() && pairOf().ead && pairOf().ead.large && pairOf().ead.small);
const chosenModel = () => (document.querySelector('#models input:checked') || {}).value || "ead";

function describeModel(writer) {
  const info = pairOf() && pairOf().ead && pairOf().ead[writer];
  return info ? el("span", { class: `of ${writer}` }, el("i", { "aria-hidden": "true" }),
    el("b", {}, String(info.name || writer)), info.parameters ? el("small", {}, ` ${size(info.parameters)}`) : null) : null;
}

function showModels(data) {
  server = Array.isArray(data) ? data.filter(m => m && typeof m.id === "string") : [];
  const ead = pairOf() && pairOf().ead || {};
  $("pair").replaceChildren(...["small", "large"].map(describeModel).filter(Boolean));
  const before = chosenModel();
  $("models").replaceChildren($("models").firstElementChild, ...server.map(m =>
    el("label", {}, el("input", { type: "radio", name: "model", value: m.id, checked: m.id === before ? "" : null }),
      el("span", { class: m.id }, modelNames[m.id] || m.id))));
  for (const name of offered) delete controls[name];
  const options = (Array.isArray(ead.options) ? ead.options : []).filter(o => isOffered(o, ead.policy));
  offered = options.map(o => o.name);
  $("sliders").replaceChildren(...options.map(o => slider(o, titleOf(o), known(o.default) ? "" : "server’s")));
  $("reset").hidden = !options.length || !isPair();
  $("sliders").hidden = !isPair();
  $("title").textContent = isPair() ? "Two models, one answer." : "One model, and how sure it is.";
  $("story").hidden = !isPair();
  chooseModel();
}

/* One model alone hands nothing over. */
function chooseModel() {
  const both = chosenModel() === "ead";
  for (const name of offered) controls[name].enable(both);
  $("sliders").classList.toggle("off", !both);
}

/* ---- what a request carries ---- */

function settings() {
  const model = chosenModel(), ead = { trace: true };
  if (model === "ead" && isPair()) for (const name of offered) ead[name] = controls[name].value;
  const out = { model, ead };
  if (controls.temperature.value !== null) out.temperature = controls.temperature.value;
  if ($("most").value !== "" && $("most").validity.valid) out.max_tokens = +$("most").value;
  return out;
}

function setUpControls() {
  $("sampling").append(slider({ name: "temperature", type: "real", low: 0, high: 2, default: 1,
    help: "0 takes the likeliest token each time" }, "Temperature", "server’s"),
  el("div", { class: "head" }, el("label", { for: "most" }, "Max tokens"),
    el("input", { type: "number", id: "most", min: 1, step: 1, inputmode: "numeric", placeholder: "no limit" })));
  $("models").addEventListener("change", chooseModel);
  $("reset").addEventListener("click", () => offered.forEach(name => controls[name].reset()));
  $("key").value = recall("sessionStorage", "ead.key") || "";
  $("key").addEventListener("input", () => remember("sessionStorage", "ead.key", $("key").value.trim()));
  $("writers").addEventListener("change", () => document.body.classList.toggle("unmarked", !$("writers").checked));
}
const keyNow = () => $("key").value.trim();
