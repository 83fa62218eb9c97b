/* The server: its models, and an answer as it comes. Whatever goes wrong becomes a Trouble, in words. */

class Trouble extends Error {
  constructor(kind, message, after) {
    super(message);
    this.kind = kind; /* key, busy, refused, server, broken, absent */
    this.after = after; /* seconds to wait before trying again, where the server named them */
  }
}

const headersOf = key => ({ "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) });

/* Retry-After is a number of seconds or a date. */
function secondsOf(text) {
  if (!text) return undefined;
  const seconds = /^\s*\d+\s*$/.test(text) ? +text : (Date.parse(text) - Date.now()) / 1000;
  return seconds >= 0 ? Math.min(Math.ceil(seconds), 3600) : undefined;
}

/* The message of an OpenAI error object, with the field it is about. */
function wordsOf(error) {
  if (!error || typeof error.message !== "string") return "";
  return error.param && !error.message.includes(error.param) ? `${error.param}: ${error.message}` : error.message;
}

async function troubleOf(response) {
  let error = null;
  try { error = (await response.json()).error; } catch { /* no JSON: the status must do */ }
  const said = wordsOf(error), { status } = response;
  if (status === 401) return new Trouble("key", said || "The server asks for an API key.");
  if (status === 503 || status === 429) {
    return new Trouble("busy", said || "The server has no room for this message now.",
      secondsOf(response.headers.get("Retry-After")));
  }
  if (status >= 500) return new Trouble("server", said || `The server failed (status ${status}).`);
  return new Trouble("refused", said || `The server refused this message (status ${status}).`);
}

/* fetch, where an abort stays an abort and no answer at all is a Trouble. */
async function reach(path, options) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", credentials: "omit", redirect: "error", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("absent", "The server cannot be reached.");
  }
  if (!response.ok) throw await troubleOf(response);
  return response;
}

async function fetchModels(key) {
  const response = await reach("/v1/models", { headers: headersOf(key) });
  try { return (await response.json()).data; } catch { throw new Trouble("server", "The list of models is no JSON."); }
}

/* ---- events ---- */

/* Server-sent events out of pieces of text cut anywhere: feed(text) calls take(data) for every whole event. A
 * line ends in LF, CR or CR LF; a CR at the end of a piece may still be followed by its LF. */
function eventReader(take) {
  let rest = "", data = [], afterCr = false;
  const line = text => {
    if (text === "") {
      if (data.length) take(data.join("\n"));
      data = [];
      return;
    }
    const colon = text.indexOf(":"), name = colon < 0 ? text : text.slice(0, colon);
    if (name === "data") data.push(colon < 0 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1)));
  };
  return piece => {
    if (afterCr && piece[0] === "\n") piece = piece.slice(1);
    afterCr = piece.endsWith("\r");
    const lines = (rest + piece).split(/\r\n|\r|\n/);
    rest = lines.pop();
    lines.forEach(line);
  };
}

/* Every event's data to `take`, until it returns true or the stream ends; true where it was `take` that ended. */
async function readEvents(body, take) {
  const reader = body.getReader(), decoder = new TextDecoder("utf-8");
  let ended = false;
  const feed = eventReader(data => { if (!ended) ended = take(data) === true; });
  try {
    while (!ended) {
      const { value, done } = await reader.read();
      feed(done ? decoder.decode() : decoder.decode(value, { stream: true }));
      if (done) break;
    }
  } finally {
    reader.cancel().catch(() => {}); /* of what has ended or failed: nothing is left to do */
  }
  return ended;
}

/* Asks for a chat and hands each of its parts to `on`: token(text, story), finish(reason), usage(usage). */
async function stream(body, key, signal, on) {
  const response = await reach("/v1/chat/completions",
    { method: "POST", headers: headersOf(key), body: JSON.stringify(body), signal });
  const take = data => {
    if (data.trim() === "[DONE]") return true;
    let chunk;
    try { chunk = JSON.parse(data); } catch { throw new Trouble("broken", "The server sent an event that is no JSON."); }
    if (chunk.error) throw new Trouble("server", wordsOf(chunk.error) || "The server failed within the answer.");
    const choice = chunk.choices && chunk.choices[0];
    if (choice) {
      const text = choice.delta && choice.delta.content;
      if (text || choice.ead) on.token(text || "", choice.ead || null);
      if (choice.finish_reason) on.finish(choice.finish_reason);
    }
    if (chunk.usage) on.usage(chunk.usage);
    return false;
  };
  let whole;
  try {
    whole = await readEvents(response.body, take);
  } catch (error) {
    if (error instanceof Trouble || error.name === "AbortError") throw error;
    throw new Trouble("broken", "The connection broke before the answer was complete. What came is kept.");
  }
  if (!whole) throw new Trouble("broken", "The answer ended before it was complete. What came is kept.");
}
