// The hub's JSON API. What goes wrong becomes a Problem with a text for people. Each request carries the page
// key, which the browser shows to pages of this address alone; the cookie goes to every port of the machine.

const KEY = "mesh-hub-key";

export class Problem extends Error {
  constructor(status, body) {
    super(body.error ?? "The hub did not understand.");
    this.status = status;
    this.kind = body.kind ?? "";
    this.remedy = body.remedy ?? "";
    this.candidates = body.candidates ?? [];
  }

  /** Error, candidates and remedy in one text. */
  get text() {
    return [this.message, this.candidates.join(", "), this.remedy].filter(Boolean).join(" ");
  }
}

const unreachable = () =>
  new Problem(0, { error: "The hub is not reachable.", remedy: "Is it running?", kind: "unreachable" });

async function ask(path, { headers = {}, ...options }) {
  const key = localStorage.getItem(KEY);
  const all = key ? { ...headers, "Mesh-Hub-Key": key } : headers;
  let answer;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", headers: all, ...options });
    if (answer.ok) return answer;
    const body = await answer.json();
    if (answer.status === 401) window.dispatchEvent(new Event("signed-out"));
    throw new Problem(answer.status, body);
  } catch (error) {
    throw error instanceof Problem ? error : unreachable();
  }
}

async function request(path, options) {
  const answer = await ask(path, options);
  try {
    return await answer.json();
  } catch {
    throw unreachable();
  }
}

export const get = (path, query = {}) => {
  const text = new URLSearchParams(query).toString();
  return request(text ? `${path}?${text}` : path, {});
};

export const post = (path, body = {}) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

/** Spend the secret of a sign-in link. */
export async function signIn(token) {
  localStorage.setItem(KEY, (await post("/api/sign-in", { token })).key);
}

export async function signOut() {
  await post("/api/sign-out").catch(() => {});
  localStorage.removeItem(KEY);
}

/** The events of a stream as {kind, body}, until it ends; `opened` is called once it is there. */
export async function* events(path, signal, opened) {
  const answer = await ask(path, { signal });
  opened();
  let text = "";
  for await (const piece of pieces(answer.body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (text + piece).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      const [, kind, body] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
      if (kind) yield { kind, body: JSON.parse(body) };
    }
  }
}

async function* pieces(stream) {
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(() => { throw unreachable(); });
    if (done) return;
    yield value;
  }
}
