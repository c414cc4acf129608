// The last hour of a device: a line for each figure, and every reading in a table.

import * as api from "./api.js";
import { byId, el, line } from "./dom.js";
import { clock, label, value } from "./format.js";

const WIDTH = 600;
const HEIGHT = 90;
const ROWS = 200;

export async function showHistory(device) {
  const body = byId("history-body");
  byId("history-title").textContent = `${device.name}, last hour`;
  body.replaceChildren(el("p", { class: "hint" }, "Reading…"));
  byId("history-dialog").showModal();
  try {
    const answer = await api.get("/api/history", { name: device.udf, since: "1h" });
    const parts = Object.fromEntries(device.properties.map((property) => [`${property.node}.${property.name}`, property]));
    const known = answer.readings.filter((one) => parts[one.property]);
    if (!known.length) {
      body.replaceChildren(el("p", {}, "Nothing is stored for the last hour yet."));
      return;
    }
    body.replaceChildren(...charts(known, parts), table(known, parts));
  } catch (problem) {
    body.replaceChildren(el("p", { class: "notice problem", role: "alert" }, problem.text));
  }
}

function charts(readings, parts) {
  return Object.entries(parts)
    .filter(([, property]) => property.type === "f" || property.type === "i")
    .map(([path, property]) => {
      const own = readings.filter((one) => one.property === path && typeof one.value === "number");
      if (own.length < 2) return null;
      const values = own.map((one) => one.value);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      const scale = high > low ? (HEIGHT - 10) / (high - low) : 0;
      const begin = own[0].time;
      const points = own.map((one) => [
        ((one.time - begin) / Math.max(1, own.at(-1).time - begin)) * WIDTH,
        scale ? HEIGHT - 5 - (one.value - low) * scale : HEIGHT / 2,
      ]);
      const text = `${label(property)} since ${clock(begin)}: lowest ${value(property, low)}, highest ${value(property, high)}, now ${value(property, values.at(-1))}`;
      return el("figure", {}, line(points, WIDTH, HEIGHT, text), el("figcaption", {}, text));
    })
    .filter(Boolean);
}

function table(readings, parts) {
  const rows = readings.slice(-ROWS).reverse().map((one) =>
    el("tr", {}, el("td", {}, clock(one.time)), el("td", {}, label(parts[one.property])), el("td", {}, value(parts[one.property], one.value))),
  );
  const head = el("tr", {}, ...["Time", "What", "Value"].map((text) => el("th", { scope: "col" }, text)));
  return el(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-label": "Readings" },
    el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)),
  );
}
