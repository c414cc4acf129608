// The hub's JSON API. What goes wrong becomes a Problem with a text for people.

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

async function request(path, options) {
  let answer;
  let body;
  try {
    answer = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options });
    body = await answer.json();
  } catch {
    throw new Problem(0, { error: "The hub is not reachable.", remedy: "Is it running?", kind: "unreachable" });
  }
  if (!answer.ok) {
    if (answer.status === 401) window.dispatchEvent(new Event("signed-out"));
    throw new Problem(answer.status, body);
  }
  return body;
}

export const get = (path, query = {}) => {
  const text = new URLSearchParams(query).toString();
  return request(text ? `${path}?${text}` : path, {});
};

export const post = (path, body = {}) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
