/* The start: what the keys and the buttons do, copy and export. */

const openings = [
  "A box measures $2$ by $5$ by $7$. What is its volume?",
  "What is the least common multiple of $80$ and $72$?",
  "The angles of a triangle in degrees are $5x$, $7x$ and $2x+12$. How many degrees is the first?",
];

/* ---- copy and export ---- */

/* The clipboard's interface is there on HTTPS and loopback alone; the old way works elsewhere. */
async function copy(text, from) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const area = el("textarea", { class: "unseen", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    from.focus({ preventScroll: true });
  }
  from.textContent = done ? "Copied" : "Not copied";
  say(done ? "Copied." : "The browser forbids copying.");
  setTimeout(() => { from.textContent = "Copy"; }, 1600);
}

/* The conversation with all that was asked and told, without the key. */
function exported() {
  const turn = t => t.role === "user" ? { role: "user", content: t.content } : {
    role: "assistant", content: t.answer.content, finish_reason: t.answer.finish, settings: t.answer.settings,
    messages: t.answer.messages, usage: t.answer.usage, trace: t.answer.trace,
  };
  return { ead_conversation: 1, exported: new Date().toISOString(), server: location.origin, models: server,
    turns: talk.turns.map(turn) };
}

function download() {
  const text = JSON.stringify(exported(), null, 1);
  const link = el("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })),
    download: `ead-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, "-")}.json` });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  say("The conversation was exported.");
}

/* ---- the panel, which a narrow page keeps behind a button ---- */

const narrow = matchMedia("(max-width: 940px)");

function openPanel(on) {
  if (on && !narrow.matches) return;
  document.body.classList.toggle("opened", on);
  $("opener").setAttribute("aria-expanded", String(on));
  for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"]])
    on ? $("panel").setAttribute(name, value) : $("panel").removeAttribute(name);
  document.querySelector("main").inert = document.querySelector("header").inert = on;
  if (on) $("panel").scrollTop = 0, $("closer").focus({ preventScroll: true });
  else if ($("panel").contains(document.activeElement)) $("opener").focus();
}

/* ---- the message ---- */

function growAsk() {
  $("ask").style.height = "auto";
  $("ask").style.height = `${Math.min($("ask").scrollHeight, 0.4 * innerHeight)}px`;
  readiness();
}

function submit() {
  if (talk.answer) return;
  const text = $("ask").value;
  if (!text.trim()) return;
  $("ask").value = "";
  growAsk();
  send(text);
}

function fresh() {
  if (talk.answer) return;
  talk.turns.forEach(turn => { if (turn.answer) turn.answer.line.drop(), clearInterval(turn.answer.clock); });
  talk.turns = [];
  $("talk").replaceChildren();
  $("welcome").hidden = false;
  total();
  busy(false);
  $("ask").focus();
  say("A new conversation.");
}

function listen() {
  $("ask").addEventListener("input", growAsk);
  $("ask").addEventListener("keydown", event => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    if (talk.answer) stop();
    else if (document.body.classList.contains("opened")) openPanel(false);
    else if (Answer.pointed) Answer.pointed.point(-1);
  });
  document.addEventListener("pointerdown", event => {
    if (Answer.pointed && !event.target.closest(".token, .entropy")) Answer.pointed.point(-1);
  });
  $("send").addEventListener("click", () => talk.answer ? stop() : submit());
  $("fresh").addEventListener("click", fresh);
  $("export").addEventListener("click", download);
  $("scheme").addEventListener("click", switchScheme);
  $("opener").addEventListener("click", () => openPanel(!document.body.classList.contains("opened")));
  $("closer").addEventListener("click", () => openPanel(false));
  narrow.addEventListener("change", () => openPanel(false));
  prefersDark.addEventListener("change", paintScheme);
  $("key").addEventListener("change", load);
  addEventListener("scroll", () => {
    const page = document.documentElement;
    following = page.scrollHeight - scrollY - innerHeight < 60;
    pointAnew();
  }, { passive: true });
}

/* ---- the server ---- */

async function load() {
  let trouble = null;
  try {
    showModels(await fetchModels(keyNow()));
  } catch (error) {
    trouble = error;
  }
  $("notice").hidden = !trouble;
  if (!trouble) return;
  $("notice").replaceChildren(el("p", {}, trouble.message), button("Try again", load));
  if (trouble.kind !== "key") return;
  $("notice").prepend(el("p", {}, keyNow() ? "This API key is not right." : "Write the API key into its field under Settings."));
  openPanel(true);
  $("key").focus();
}

setUpControls();
paintScheme();
listen();
total();
readiness();
$("openings").append(...openings.map(text => button(text, () => {
  $("ask").value = text;
  growAsk();
  $("ask").focus();
})));
if (!narrow.matches) $("ask").focus();
load();
