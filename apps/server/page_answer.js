/* An answer on the page: tokens as spans that are appended and never drawn anew, the line beneath, the sums. */

const BLOCK = 160; /* tokens after which a line end begins a new block, so that layout stays local */
const writers = { small: "small model", large: "large model" };

class Answer {
  constructor(settings) {
    this.settings = settings;
    this.content = "";
    this.trace = [];
    this.usage = null;
    this.finish = null; /* stop, length, stopped, failed */
    this.began = performance.now();
    this.held = []; /* tokens whose text has not come yet */
    this.queue = [];
    this.spans = [];
    this.text = el("div", { class: "text", tabindex: 0, role: "group",
      "aria-label": "Answer. The arrow keys walk through its tokens." });
    this.line = new Line(settings.model === "ead" && known(settings.ead.tau) ? settings.ead.tau : null);
    this.sums = el("p", { class: "sums" });
    this.acts = el("div", { class: "acts" });
    this.trouble = el("div", { class: "trouble", hidden: "", role: "alert" });
    this.node = el("li", { class: "turn answer live" }, this.text, this.line.canvas,
      el("div", { class: "foot" }, this.sums, this.acts), this.trouble);
    this.listen();
  }

  /* ---- what comes ---- */

  /* A token that is held back brings no text; the one that frees it brings the text of both. Where the texts
   * fit together each token gets its own, elsewhere (parts of a character) the last one gets all. */
  add(text, story) {
    const now = performance.now();
    if (this.first === undefined) this.first = now;
    this.last = now;
    this.content += text;
    if (story) this.trace.push(story), this.line.add(story);
    if (story && !text) {
      this.held.push(story);
      return;
    }
    const parts = [];
    for (const earlier of this.held) {
      const own = text.startsWith(earlier.text) ? earlier.text : "";
      parts.push([own, earlier]);
      text = text.slice(own.length);
    }
    this.held = [];
    parts.push([text, story]);
    this.queue.push(...parts);
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.flush(); });
  }

  flush() {
    const queue = this.queue.splice(0);
    for (const [text, story] of queue) {
      if (!this.block || (this.inBlock >= BLOCK && this.lineEnded)) {
        this.block = el("div", { class: "block" });
        this.text.append(this.block);
        this.inBlock = 0;
      }
      const exact = /  |\t|\n /.test(text) || (text[0] === " " && /\s$/.test(this.lately || ""));
      this.lately = text || this.lately;
      if (story && story.lost) this.strike(story.lost);
      const span = el("span", { class: story ? `token ${story.model === "large" ? "large" : "small"}` : "token" });
      if (exact) span.classList.add("exact");
      span.textContent = text;
      span.at = story ? this.spans.push(span) - 1 : -1;
      span.story = story;
      this.block.append(span);
      this.inBlock++;
      this.lineEnded = text.endsWith("\n");
    }
    this.sum();
    if (queue.length && this.grown) this.grown();
  }

  /* What stood here for a moment and was refused; it is no part of the answer. */
  strike(lost) {
    for (const story of lost) {
      const node = el("del", { class: "lost", "aria-hidden": "true" }, visible(story.text || ""));
      node.story = story;
      this.block.append(node);
    }
  }

  end(finish) {
    this.finish = finish;
    this.ended = performance.now();
    if (this.held.length) this.queue.push(...this.held.splice(0).map(story => ["", story]));
    this.flush();
    this.line.end();
    this.node.classList.remove("live");
    this.node.classList.toggle("bare", !this.content && !this.trace.length);
  }

  /* ---- sums ---- */

  numbers() {
    const account = this.usage && this.usage.ead || {};
    const tokens = this.usage ? this.usage.completion_tokens : this.trace.length;
    const large = this.trace.filter(t => t.model === "large").length;
    const seconds = this.last > this.first ? (this.last - this.first) / 1000 : NaN;
    const rate = known(account.tokens_per_second) ? account.tokens_per_second : (this.trace.length - 1) / seconds;
    return { tokens, told: this.trace.length, large, rate, share: this.trace.length ? large / this.trace.length : NaN,
      seconds: tokens > 1 && rate > 0 ? (tokens - 1) / rate : NaN,
      saved: known(account.parameter_cost) ? 1 - account.parameter_cost : NaN };
  }

  sum() {
    const n = this.numbers(), parts = [];
    const part = (number, text) => parts.push(el("span", {}, el("b", {}, number), text));
    if (!this.trace.length && !this.usage) part("", this.finish ? "" : "reading the message …");
    else part(count(n.tokens), n.tokens === 1 ? " token" : " tokens");
    if (known(n.share)) part(percent(n.share), " large");
    if (known(n.rate)) part(speed(n.rate), " tokens/s");
    if (known(n.saved)) part(percent(n.saved), " saved");
    if (this.finish === "length") part("", "the limit of tokens was reached");
    if (this.finish === "stopped") part("", "stopped");
    this.sums.replaceChildren(...parts);
  }

  /* ---- a token under the pointer or the keys ---- */

  listen() {
    const find = event => event.target.closest && event.target.closest(".token");
    const show = event => {
      const span = find(event), lost = event.target.closest && event.target.closest(".lost");
      if (span && span.at >= 0) this.point(span.at);
      if (!lost) return;
      this.point(-1);
      showTip(lost.getClientRects()[0] || lost.getBoundingClientRect(), lost.story, true);
    };
    this.text.addEventListener("pointerover", show);
    this.text.addEventListener("click", show);
    this.text.addEventListener("focusin", event => event.target === this.text ? this.point(-1) : show(event));
    this.text.addEventListener("focusout", () => this.point(-1));
    const leave = event => { if (event.pointerType === "mouse") this.point(-1); }; /* a finger always leaves */
    this.text.addEventListener("pointerleave", leave);
    this.text.addEventListener("keydown", event => this.walk(event));
    const { canvas } = this.line;
    const along = event => this.point(this.line.tokenAt(event.clientX - canvas.getBoundingClientRect().left), event);
    canvas.addEventListener("pointermove", along);
    canvas.addEventListener("pointerdown", along);
    canvas.addEventListener("pointerleave", leave);
  }

  /* Left and right by a token, up and down by a hand-over. */
  walk(event) {
    const n = this.spans.length, at = this.spans.indexOf(document.activeElement);
    const over = step => {
      let i = Math.max(0, at) + step;
      while (i > 0 && i < n && this.spans[i].story.model === this.spans[i - 1].story.model) i += step;
      return i;
    };
    const moves = { ArrowRight: () => at + 1, ArrowLeft: () => at - 1, Home: () => 0, End: () => n - 1,
      ArrowDown: () => over(1), ArrowUp: () => over(-1) };
    if (!n || !moves[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const span = this.spans[Math.max(0, Math.min(n - 1, moves[event.key]()))];
    if (at >= 0) this.spans[at].removeAttribute("tabindex");
    span.tabIndex = -1;
    span.focus();
  }

  point(at, event) {
    if (this.pointed >= 0 && this.spans[this.pointed]) {
      this.spans[this.pointed].classList.remove("on");
      this.spans[this.pointed].removeAttribute("aria-describedby");
    }
    this.pointed = at;
    Answer.pointed = at >= 0 ? this : null;
    this.line.point(at);
    const span = this.spans[at];
    if (!span) {
      hideTip();
      return;
    }
    span.classList.add("on");
    span.setAttribute("aria-describedby", "tip");
    const box = span.getClientRects()[0] || span.getBoundingClientRect();
    showTip(event ? { left: event.clientX, top: event.clientY, bottom: event.clientY } : box, span.story);
  }
}

/* After the page has moved: the numbers stay with a token that the keys chose, and leave any other. */
function pointAnew() {
  const answer = Answer.pointed;
  if (!answer) hideTip();
  else answer.point(answer.spans[answer.pointed] === document.activeElement ? answer.pointed : -1);
}

/* ---- the numbers of a token ---- */

/* Spaces and line ends that can be seen. */
const visible = text => text.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/^ | $/g, "␣");

const chance = p => `${(100 * p).toFixed(p < 0.001 ? 3 : 1)} %`;

/* What the large model thought of a draft, and what became of it. */
function verdictOf(t) {
  const j = t.judged;
  return j && known(j.p) ? [["large model’s chance", chance(j.p)], ["its highest", known(j.max_p) ? chance(j.max_p) : "–"]] : [];
}

function fateOf(t, lost) {
  if (lost) return t.judged ? "refused by the large model" : "given up";
  return `token ${count(t.i + 1)}${t.switched ? ", the first after a hand-over" : ""}`;
}

function showTip(box, t, lost = false) {
  const pairs = [["written by", writers[t.model] || t.model], ["entropy", bits(t.entropy)],
    ["rolling mean", bits(t.rolling)], ["chance", known(t.log_prob) ? `${(100 * Math.exp(t.log_prob)).toFixed(1)} %` : "–"],
    ...verdictOf(t)];
  const tip = $("tip");
  tip.replaceChildren(el("b", { class: t.model }, visible(t.text || "")), el("dl", {},
    pairs.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    el("small", {}, fateOf(t, lost)));
  tip.hidden = false;
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = `${Math.max(8, Math.min(box.left, innerWidth - w - 8))}px`;
  tip.style.top = `${box.top - h - 10 > 8 ? box.top - h - 10 : box.bottom + 12}px`;
}

function hideTip() {
  $("tip").hidden = true;
}
