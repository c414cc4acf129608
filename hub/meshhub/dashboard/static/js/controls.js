// One control for each property, chosen by kind, type and access: { element, update(property), enable(yes) }.
// `send(key, value)` asks the device; the control shows what the device says, not what was asked.

import { ask, el } from "./dom.js";
import { label, value } from "./format.js";

const HOLD_MILLISECONDS = 1000;
const QUIET_MILLISECONDS = 600;
let count = 0;
const nextId = () => `control-${++count}`;

export function control(property, send) {
  if (!property.writable) return reading(property);
  if (property.hold && property.type === "b") return hold(property, send);
  if (property.hold) send = confirmed(property, send);
  if (property.type === "b") return toggle(property, send);
  if (property.name === "rgb") return colour(property, send);
  if (property.type === "e") return choice(property, send);
  if (property.type === "s") return text(property, send);
  return property.range && property.kind !== "climate" ? slider(property, send) : stepper(property, send);
}

/** For what a touch by mistake must not do and cannot be held: a question first. */
const confirmed = (property, send) => async (key, wish) => {
  if (await ask(`${label(property)}: ${value(property, wish)}?`, "The device acts at once.", "Do it")) send(key, wish);
};

function reading(property) {
  const shown = el("dd", {});
  const element = el("dl", { class: "reading" }, el("dt", {}, label(property)), shown);
  const update = (now) => (shown.textContent = value(now));
  update(property);
  return { element, update, enable() {} };
}

function toggle(property, send) {
  const id = nextId();
  const word = el("span", { class: "toggle-word" });
  const button = el(
    "button",
    { type: "button", role: "switch", class: "toggle", "aria-labelledby": id },
    el("span", { class: "toggle-track" }, el("span", { class: "toggle-knob" })),
    word,
  );
  button.addEventListener("click", () => send(property.key, button.getAttribute("aria-checked") !== "true"));
  const element = el("div", { class: "row" }, el("span", { id }, label(property)), button);
  const update = (now) => {
    button.setAttribute("aria-checked", String(now.value === true));
    word.textContent = value(now);
  };
  update(property);
  return { element, update, enable: (yes) => (button.disabled = !yes) };
}

function slider(property, send) {
  const id = nextId();
  const [min, max] = property.range;
  const step = property.type === "i" ? 1 : (max - min) / 100;
  const input = el("input", { type: "range", id, min, max, step });
  const shown = el("output", { for: id });
  let held = false;
  const show = () => {
    shown.textContent = value(property, Number(input.value));
    input.setAttribute("aria-valuetext", shown.textContent);
    input.style.setProperty("--part", `${((input.value - min) / (max - min)) * 100}%`);
  };
  input.addEventListener("input", () => { held = true; show(); });
  input.addEventListener("change", () => { held = false; send(property.key, Number(input.value)); });
  const element = el("div", { class: "slider" }, el("label", { for: id }, label(property)), shown, input);
  const update = (now) => {
    if (held) return;
    input.value = now.value ?? min;
    show();
    if (now.value === null) shown.textContent = "–";
  };
  update(property);
  return { element, update, enable: (yes) => (input.disabled = !yes) };
}

function stepper(property, send) {
  const id = nextId();
  const [min, max] = property.range ?? [null, null];
  const step = property.type === "i" ? 1 : 0.5;
  const input = el("input", { type: "number", id, min, max, step: property.type === "i" ? 1 : "any" });
  let timer;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      if (input.value !== "") send(property.key, Number(input.value));
    }, QUIET_MILLISECONDS);
  };
  const turn = (by) => {
    const next = Number(input.value || 0) + by;
    input.value = Math.min(max ?? next, Math.max(min ?? next, next));
    later();
  };
  input.addEventListener("change", later);
  const less = el("button", { type: "button", "aria-label": `${label(property)}: less`, onclick: () => turn(-step) }, "−");
  const more = el("button", { type: "button", "aria-label": `${label(property)}: more`, onclick: () => turn(step) }, "+");
  const element = el(
    "div",
    { class: "row" },
    el("label", { for: id }, property.unit ? `${label(property)} (${property.unit})` : label(property)),
    el("span", { class: "stepper" }, less, input, more),
  );
  const update = (now) => {
    if (!timer && document.activeElement !== input) input.value = now.value ?? "";
  };
  update(property);
  return { element, update, enable: (yes) => [input, less, more].forEach((part) => (part.disabled = !yes)) };
}

function choice(property, send) {
  const id = nextId();
  const buttons = property.choices.map((word) =>
    el("button", { type: "button", onclick: () => send(property.key, word) }, value(property, word)),
  );
  const element = el(
    "div",
    { class: "row" },
    el("span", { id }, label(property)),
    el("span", { class: "choices", role: "group", "aria-labelledby": id }, ...buttons),
  );
  const isState = property.name !== "move";
  const update = (now) => {
    if (!isState) return;
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(property.choices[at] === now.value)));
  };
  update(property);
  return { element, update, enable: (yes) => buttons.forEach((button) => (button.disabled = !yes)) };
}

function colour(property, send) {
  const id = nextId();
  const input = el("input", { type: "color", id });
  input.addEventListener("change", () => send(property.key, parseInt(input.value.slice(1), 16)));
  const element = el("div", { class: "row" }, el("label", { for: id }, label(property)), input);
  const update = (now) => (input.value = `#${Number(now.value ?? 0).toString(16).padStart(6, "0").slice(-6)}`);
  update(property);
  return { element, update, enable: (yes) => (input.disabled = !yes) };
}

function text(property, send) {
  const id = nextId();
  const input = el("input", { type: "text", id, maxlength: 256, autocomplete: "off" });
  const button = el("button", { type: "submit" }, "Set");
  const form = el("form", { class: "row" }, el("label", { for: id }, label(property)), el("span", { class: "joined" }, input, button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(property.key, input.value);
  });
  const update = (now) => {
    if (document.activeElement !== input) input.value = now.value ?? "";
  };
  update(property);
  return { element: form, update, enable: (yes) => (input.disabled = button.disabled = !yes) };
}

/** A lock acts only when its button is held for a second, by finger, mouse or key. */
function hold(property, send) {
  const id = nextId();
  const shown = el("strong", {});
  const button = el("button", { type: "button", class: "hold", "aria-describedby": id });
  let locked = null;
  let timer = null;
  let pressed = false;
  const stop = () => {
    clearTimeout(timer);
    timer = null;
    button.classList.remove("held");
  };
  const start = () => {
    if (timer || button.disabled) return;
    pressed = true;
    button.classList.add("held");
    timer = setTimeout(() => { stop(); send(property.key, locked !== true); }, HOLD_MILLISECONDS);
  };
  const isKey = (event) => event.key === "Enter" || event.key === " ";
  button.addEventListener("pointerdown", start);
  for (const kind of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(kind, stop);
  button.addEventListener("keydown", (event) => { if (isKey(event)) { event.preventDefault(); if (!event.repeat) start(); } });
  button.addEventListener("keyup", (event) => { if (isKey(event)) { event.preventDefault(); stop(); } });
  button.addEventListener("click", async () => {
    // A click with no press before it comes from assistive technology, which cannot hold.
    const before = pressed;
    pressed = false;
    if (!before && (await ask(`${button.textContent}?`, "The device acts at once.", button.textContent))) {
      send(property.key, locked !== true);
    }
  });
  const element = el(
    "div",
    { class: "row" },
    el("span", {}, label(property), ": ", shown),
    el("span", { class: "hold-box" }, button, el("span", { id, class: "hint" }, "Hold for 1 second")),
  );
  const update = (now) => {
    locked = now.value;
    shown.textContent = value(now);
    button.textContent = locked === true ? "Unlock" : "Lock";
  };
  update(property);
  return { element, update, enable: (yes) => (button.disabled = !yes) };
}
