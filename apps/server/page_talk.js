/* The conversation: who said what, one answer at a time, and the sums over all of them. */

const talk = { turns: [], answer: null, abort: null };
/* A turn: { role: "user", content, node } or { role: "assistant", answer, node }. */

let following = true; /* the page stays at the end of the text until the reader scrolls away */
function follow() {
  if (following) scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}

function put(turn) {
  talk.turns.push(turn);
  $("talk").append(turn.node);
  $("welcome").hidden = true;
}

/* What the server is told: messages that were answered, and the last one. */
function messages() {
  const out = [], system = $("system").value.trim();
  if (system) out.push({ role: "system", content: system });
  talk.turns.forEach((turn, i) => {
    const next = talk.turns[i + 1];
    if (turn.role === "assistant" && turn.answer.content) out.push({ role: "assistant", content: turn.answer.content });
    if (turn.role === "user" && (!next || (next.answer && next.answer.content)))
      out.push({ role: "user", content: turn.content });
  });
  return out;
}

function send(text) {
  if (talk.answer || !text.trim()) return;
  following = true;
  talk.turns.forEach(turn => { if (turn.answer) retire(turn.answer); });
  put({ role: "user", content: text, node: el("li", { class: "turn user" }, el("p", {}, text)) });
  answer();
}

/* Only the last answer can be written anew. */
function retire(answer) {
  answer.acts.querySelectorAll(".again").forEach(node => node.remove());
  answer.trouble.querySelectorAll("button").forEach(node => node.remove());
}

function regenerate() {
  if (talk.answer) return;
  const last = talk.turns[talk.turns.length - 1];
  if (!last || last.role !== "assistant") return;
  talk.turns.pop();
  last.answer.line.drop();
  clearInterval(last.answer.clock);
  last.node.remove();
  hideTip();
  following = true;
  answer();
  $("ask").focus({ preventScroll: true });
}

async function answer() {
  const asked = settings(), mine = new Answer(asked), abort = new AbortController();
  mine.grown = follow;
  const body = { ...asked, messages: messages(), stream: true, stream_options: { include_usage: true } };
  mine.messages = body.messages;
  put({ role: "assistant", answer: mine, node: mine.node });
  Object.assign(talk, { answer: mine, abort });
  mine.sum();
  busy(true);
  follow();
  let finish = null, trouble = null;
  try {
    await stream(body, keyNow(), abort.signal, {
      token: (text, story) => mine.add(text, story),
      finish: reason => { finish = reason; },
      usage: usage => { mine.usage = usage; },
    });
  } catch (error) {
    finish = error.name === "AbortError" ? "stopped" : "failed";
    trouble = finish === "failed" ? error : null;
  }
  talk.answer = talk.abort = null;
  mine.end(finish || "stop");
  mine.acts.append(button("Copy", event => copy(mine.content, event.target)));
  if (trouble) showTrouble(mine, trouble);
  else mine.acts.append(button("Regenerate", regenerate, { class: "again" }));
  busy(false);
  total();
  follow();
  say(trouble ? "" : `${finish === "stopped" ? "Stopped" : "Answered"}: ${mine.sums.innerText.replace(/\n/g, ", ")}`);
}

function busy(on) {
  document.body.classList.toggle("busy", on);
  $("send").setAttribute("aria-label", on ? "Stop" : "Send");
  $("export").disabled = on || !talk.turns.length;
  $("fresh").disabled = on;
  if (on) say("The answer is being written.");
  readiness();
}

function readiness() {
  $("send").disabled = !talk.answer && !$("ask").value.trim();
}

function stop() {
  if (talk.abort) talk.abort.abort();
}

/* ---- trouble, in words ---- */

function showTrouble(answer, trouble) {
  if (!(trouble instanceof Trouble)) trouble = new Trouble("server", `The page failed: ${trouble.message}`);
  const again = button("Try again", regenerate);
  const key = button("Enter the key", () => { openPanel(true); $("key").focus(); });
  answer.trouble.replaceChildren(el("p", {}, trouble.message), ...(trouble.kind === "key" ? [key, again] : [again]));
  answer.trouble.hidden = false;
  if (answer.node.classList.contains("bare")) answer.acts.replaceChildren();
  if (trouble.kind === "key" && !keyNow()) key.click();
  if (!trouble.after) return;
  const until = performance.now() + 1000 * trouble.after;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    again.textContent = left > 0 ? `Try again, best in ${left} s` : "Try again";
    if (left <= 0) clearInterval(answer.clock);
  };
  answer.clock = setInterval(tick, 500);
  tick();
}

/* ---- sums ---- */

function total() {
  const all = talk.turns.filter(t => t.answer && t.answer !== talk.answer).map(t => t.answer.numbers()).filter(a => a.tokens);
  const sum = (pick, of = () => true) => all.filter(of).reduce((n, a) => n + pick(a), 0);
  const tokens = sum(a => a.tokens), traced = a => known(a.share), timed = a => known(a.seconds), paid = a => known(a.saved);
  const share = sum(a => a.large, traced) / sum(a => a.told, traced), bar = document.querySelectorAll(".share i");
  bar[0].style.width = known(share) ? `${100 * (1 - share)}%` : "";
  bar[1].style.width = known(share) ? `${100 * share}%` : "";
  const pairs = [
    ["saved", percent(sum(a => a.saved * a.tokens, paid) / sum(a => a.tokens, paid)), "by the paper’s count, which leaves out what the large model reads"],
    ["large model", percent(share), "of all tokens"],
    ["speed", speed(sum(a => a.tokens - 1, timed) / sum(a => a.seconds, timed)), "tokens/s"],
    ["tokens", tokens ? count(tokens) : "–", plural(all.length, "answer")],
  ];
  $("totals").replaceChildren(...pairs.map(([name, value, note]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, el("b", { class: value === "–" ? "none" : null }, value), el("small", {}, note)))));
}
