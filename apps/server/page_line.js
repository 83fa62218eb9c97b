/* The line of entropy beneath an answer: a bar per token, the rolling mean in the colour of the writer, τ. A
 * canvas, drawn anew at most once per frame, so that its cost is bounded however long the answer. */

const LINE = { height: 76, left: 54, right: 10, top: 8, floor: 70, step: 7 };
const SCALE = [0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20];

/* Bits to a share of the height: the root shows small entropies beside large ones. */
const raised = Math.sqrt;

function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(["small", "large", "ink", "soft", "faint", "line", "paper"]
    .map(name => [name, style.getPropertyValue("--" + name).trim()]));
}

class Line {
  constructor(tau) {
    this.tau = tau; /* null where one model writes alone */
    this.trace = [];
    this.highest = known(tau) ? Math.max(tau, 0.1) : 0.1;
    this.cursor = -1;
    this.live = true;
    this.canvas = el("canvas", { class: "entropy", role: "img", "aria-label": "entropy of each token" });
    this.asked = false;
    this.paint = () => this.ask();
    painters.add(this.paint);
    this.watch = new ResizeObserver(this.paint);
    this.watch.observe(this.canvas);
  }

  drop() {
    painters.delete(this.paint);
    this.watch.disconnect();
  }

  add(story) {
    this.trace.push(story);
    for (const h of [story.entropy, story.rolling]) if (known(h) && h > this.highest) this.highest = h;
    this.ask();
  }

  end() {
    this.live = false;
    const large = this.trace.filter(t => t.model === "large").length;
    this.canvas.setAttribute("aria-label", `entropy of ${plural(this.trace.length, "token")}, ${large} of them by the ` +
      `large model; highest ${this.trace.length ? bits(this.highest) : "none"}` + (known(this.tau) ? `; τ is ${this.tau}` : ""));
    this.ask();
  }

  point(at) {
    if (this.cursor === at) return;
    this.cursor = at;
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => { this.asked = false; this.draw(); });
  }

  step() {
    return Math.min(LINE.step, (this.width - LINE.left - LINE.right) / Math.max(1, this.trace.length));
  }

  /* The token at a place of the canvas, or -1. */
  tokenAt(x) {
    if (!this.trace.length || x < LINE.left - 6) return -1;
    const at = Math.floor((x - LINE.left) / this.step());
    return at < this.trace.length ? Math.max(0, at) : -1;
  }

  draw() {
    const { canvas } = this, ratio = Math.min(3, devicePixelRatio || 1);
    this.width = canvas.clientWidth;
    if (!this.width) return;
    const w = Math.round(this.width * ratio), h = Math.round(LINE.height * ratio);
    if (canvas.width !== w || canvas.height !== h) canvas.width = w, canvas.height = h;
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, this.width, LINE.height);
    const o = { g, c: colours(), top: SCALE.find(b => b >= this.highest) || Math.ceil(this.highest), step: this.step() };
    o.y = b => LINE.floor - raised(Math.max(0, Math.min(b, o.top))) / raised(o.top) * (LINE.floor - LINE.top);
    o.x = i => LINE.left + (i + 0.5) * o.step;
    this.drawCursor(o);
    this.drawBars(o);
    this.drawScale(o);
    this.drawMean(o);
  }

  drawCursor({ g, c, x, step }) {
    if (this.cursor < 0 || this.cursor >= this.trace.length) return;
    const w = Math.max(step, 3);
    g.globalAlpha = 0.28;
    g.fillStyle = c.faint;
    g.fillRect(x(this.cursor) - w / 2, 0, w, LINE.height);
    g.globalAlpha = 1;
  }

  /* Where tokens are narrower than a pixel, the highest of each pixel is what is seen. */
  drawBars({ g, c, x, y, step }) {
    const wide = Math.max(1, step > 3 ? step - 1.5 : step);
    g.globalAlpha = 0.34;
    for (const writer of ["small", "large"]) {
      g.fillStyle = c[writer];
      g.beginPath();
      this.trace.forEach((t, i) => {
        if (t.model !== writer || !known(t.entropy)) return;
        const top = Math.min(y(t.entropy), LINE.floor - 0.75);
        g.rect(x(i) - wide / 2, top, wide, LINE.floor - top);
      });
      g.fill();
    }
    g.globalAlpha = 1;
  }

  drawScale({ g, c, y, top }) {
    const right = this.width - LINE.right;
    g.font = "11px " + getComputedStyle(document.body).fontFamily;
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.lineWidth = 1;
    g.strokeStyle = c.line;
    g.beginPath();
    g.moveTo(LINE.left, LINE.floor + 0.5);
    g.lineTo(right, LINE.floor + 0.5);
    g.stroke();
    const limit = known(this.tau) ? y(this.tau) : -99;
    g.fillStyle = c.soft;
    if (Math.abs(limit - LINE.top) > 13) g.fillText(`${top} bit${top === 1 ? "" : "s"}`, LINE.left - 8, LINE.top + 2);
    if (!known(this.tau)) return;
    g.fillStyle = c.ink;
    g.fillText(`τ ${+this.tau.toFixed(3)}`, LINE.left - 8, limit);
    g.globalAlpha = 0.6;
    g.strokeStyle = c.ink;
    g.setLineDash([3, 3]);
    g.beginPath();
    g.moveTo(LINE.left, limit);
    g.lineTo(right, limit);
    g.stroke();
    g.setLineDash([]);
    g.globalAlpha = 1;
  }

  /* The mean, a path for each run of one writer; runs meet. The large model's is the thicker one. */
  drawMean({ g, c, x, y }) {
    g.lineJoin = g.lineCap = "round";
    let last = null;
    const { trace } = this;
    for (let i = 0; i < trace.length;) {
      const writer = trace[i].model;
      g.strokeStyle = c[writer] || c.soft;
      g.lineWidth = writer === "large" ? 2.5 : 1.75;
      g.beginPath();
      if (last) g.moveTo(last[0], last[1]);
      for (; i < trace.length && trace[i].model === writer; i++) {
        if (!known(trace[i].rolling)) continue;
        const p = [x(i), y(trace[i].rolling)];
        last ? g.lineTo(p[0], p[1]) : g.moveTo(p[0], p[1]);
        last = p;
      }
      g.stroke();
    }
    if (!last || !this.live) return;
    g.fillStyle = c[trace[trace.length - 1].model] || c.soft;
    g.beginPath();
    g.arc(last[0], last[1], 3.5, 0, 7);
    g.fill();
  }
}
