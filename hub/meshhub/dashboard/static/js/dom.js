// Small helpers to build elements. Text from the hub enters the page as text only.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes (`class`, `aria-…`), properties (`.value`), listeners (`onclick`) and children. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name.startsWith(".")) node[name.slice(1)] = value;
    else if (value !== null && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const ICONS = {
  light: "M9 18h6M10 21h4M12 3a6 6 0 0 0-3.5 10.9c.6.5 1 1.2 1 2V16h5v-.1c0-.8.4-1.5 1-2A6 6 0 0 0 12 3Z",
  switch: "M12 3v8M7.5 6.5a7.5 7.5 0 1 0 9 0",
  cover: "M4 4h16M5 4v16M19 4v16M5 8h14M5 12h14M5 16h14",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  climate: "M10 13.5V5a2 2 0 0 1 4 0v8.5a4 4 0 1 1-4 0ZM12 9v7",
  fan: "M12 12c0-5 1-8 3.5-8S18 8 12 12Zm0 0c5 0 8 1 8 3.5S16 18 12 12Zm0 0c0 5-1 8-3.5 8S6 16 12 12Zm0 0c-5 0-8-1-8-3.5S8 6 12 12Z",
  sensor: "M3 12h4l2-6 4 12 3-8 1.5 2H21",
  binary: "M5 5h14v14H5zM9 12l2 2 4-4",
  button: "M12 12m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0M12 12m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0",
  meter: "M4 16a8 8 0 1 1 16 0M12 16l4-5M4 16h2M18 16h2",
  device: "M5 5h14v14H5zM9 2v3M15 2v3M9 19v3M15 19v3M2 9h3M2 15h3M19 9h3M19 15h3",
  live: "M5 12.5l4.5 4.5L19 7.5",
  stale: "M12 7v5l3.5 2M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Z",
  offline: "M6 6l12 12M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16Z",
  pending: "M7 4h10M7 20h10M8 4c0 5 8 6 8 8s-8 3-8 8M16 4c0 5-8 6-8 8s8 3 8 8",
  trust: "M12 4 3 20h18ZM12 10v4.5M12 17.5v.01",
  history: "M4 19V5M4 19h16M7 15l4-5 3 3 5-7",
  rename: "M4 20l1-4L16 5l3 3L8 19ZM14 7l3 3",
  forget: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
};

/** A line icon, hidden from assistive technology: a text always stands beside it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name] ?? ICONS.device);
  svg.append(path);
  return svg;
}

/** A line through `points` ([x, y] in the box of width × height), drawn as a picture with a text. */
export function line(points, width, height, text) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("class", "chart");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", text);
  svg.setAttribute("preserveAspectRatio", "none");
  const drawn = document.createElementNS(SVG, "polyline");
  drawn.setAttribute("points", points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "));
  svg.append(drawn);
  return svg;
}

/** Show or clear a message element. */
export function message(node, text) {
  node.textContent = text;
  node.hidden = !text;
}

let announced;

/** Say `text` to screen readers, without moving the focus. */
export function announce(text) {
  const announcer = byId("announcer");
  clearTimeout(announced);
  announcer.textContent = "";
  announced = setTimeout(() => (announcer.textContent = text), 100);
}

/** Ask in a dialog; resolves to true only for the button `yes`. */
export function ask(title, text, yes) {
  const dialog = byId("ask-dialog");
  byId("ask-title").textContent = title;
  byId("ask-text").textContent = text;
  byId("ask-yes").textContent = yes;
  dialog.returnValue = "";
  dialog.showModal();
  byId("ask-no").focus();
  return new Promise((resolve) => {
    byId("ask-yes").onclick = () => dialog.close("yes");
    byId("ask-no").onclick = () => dialog.close("no");
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
