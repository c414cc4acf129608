// One device: its values and controls, its state, renaming it, what went wrong.

import { alarmStrip } from "./alarms.js";
import * as api from "./api.js";
import { control } from "./controls.js";
import { announce, ask, el, icon, message } from "./dom.js";
import { ago, value } from "./format.js";
import { showHistory } from "./history.js";

const STATES = { live: "Live", stale: "No news", offline: "Offline", pending: "Waiting", trust: "Check this device" };

export class Card {
  constructor(device, onDevice) {
    this.device = device;
    this.onDevice = onDevice;
    this.pending = false;
    this.wishes = new Map();
    this.alarmed = false;
    this.connected = true;
    const titleId = `device-${device.udf}`;
    this.name = el("h3", { id: titleId });
    this.badge = el("span", { class: "badge" });
    this.error = el("p", { class: "notice problem", role: "alert", hidden: true });
    this.warnings = el("div", { class: "stack", hidden: true });
    this.seen = el("span", { class: "hint" });
    this.controls = el("div", { class: "controls" });
    this.head = el("div", { class: "card-head" }, icon(device.kind), this.name, this.badge);
    this.renameButton = this.action("rename", "Rename", () => this.startRename());
    this.foot = el(
      "div",
      { class: "card-foot" },
      this.seen,
      el(
        "span",
        { class: "actions tight" },
        this.action("history", "History", () => showHistory(this.device)),
        this.renameButton,
        this.action("forget", "Forget", () => this.forget()),
      ),
    );
    this.element = el(
      "article",
      { class: "card", "aria-labelledby": titleId, "data-udf": device.udf },
      this.head, this.warnings, this.controls, this.error, this.foot,
    );
    this.build(device);
    this.update(device);
  }

  action(name, text, act) {
    const button = el("button", { type: "button", class: "quiet", title: text, onclick: act }, icon(name));
    button.dataset.action = text;
    return button;
  }

  build(device) {
    this.shape = shape(device);
    this.parts = device.properties.map((property) => control(property, (key, wish) => this.command(key, wish)));
    this.controls.replaceChildren(...this.parts.map((part) => part.element));
  }

  /** Take over what the hub says about the device now. */
  update(device) {
    const before = this.device;
    this.device = device;
    if (shape(device) !== this.shape) this.build(device);
    this.name.textContent = device.name;
    for (const button of this.foot.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.dataset.action} ${device.name}`);
    }
    if (!this.pending) this.parts.forEach((part, at) => part.update(device.properties[at]));
    this.showState();
    this.tell(before, device);
  }

  /** Whether the page has its connection to the hub. */
  setConnected(yes) {
    this.connected = yes;
    this.showState();
  }

  /** Show the alarms about this device. */
  warn(alarms) {
    this.alarmed = alarms.length > 0;
    this.warnings.hidden = !this.alarmed;
    this.warnings.replaceChildren(...alarms.map(alarmStrip));
    this.showState();
  }

  showState() {
    const state = this.pending ? "pending" : this.alarmed ? "trust" : this.device.state;
    if (this.badge.dataset.state !== state) {
      this.badge.dataset.state = state;
      this.badge.replaceChildren(icon(state), STATES[state] ?? state);
    }
    this.element.setAttribute("aria-busy", String(this.pending));
    this.element.classList.toggle("away", this.device.state === "offline" || !this.connected);
    this.parts.forEach((part) => part.enable(this.connected && this.device.online));
    this.tick();
  }

  tick() {
    const press = this.device.properties.find((property) => property.kind === "button" && property.time);
    this.seen.textContent = press ? `pressed ${ago(press.time)}` : this.device.last_seen
      ? `reported ${ago(this.device.last_seen)}` : "not heard yet";
  }

  tell(before, device) {
    if (before.state !== device.state) announce(`${device.name}: ${STATES[device.state] ?? device.state}`);
    device.properties.forEach((property, at) => {
      const old = before.properties[at];
      const discrete = property.type === "b" || property.type === "e";
      if (discrete && old && old.value !== property.value) announce(`${device.name}: ${value(property)}`);
    });
  }

  /** Ask the device; it stays pending until the device itself has answered. Of wishes made meanwhile the last counts. */
  async command(key, wish) {
    this.wishes.set(key, wish);
    if (this.pending) return;
    this.pending = true;
    message(this.error, "");
    this.showState();
    try {
      while (this.wishes.size) {
        const values = Object.fromEntries(this.wishes);
        this.wishes.clear();
        this.device = (await api.post("/api/set", { name: this.device.udf, values })).device;
      }
    } catch (problem) {
      this.wishes.clear();
      message(this.error, problem.text ?? "The page failed at this; load it again.");
    } finally {
      this.pending = false;
      this.update(this.device);
    }
  }

  startRename() {
    const name = el("input", { type: "text", maxlength: 64, required: true, ".value": this.device.name, "aria-label": "Name", autocomplete: "off" });
    const room = el("input", {
      type: "text", maxlength: 64, ".value": this.device.room, "aria-label": "Room", placeholder: "Room",
      list: "room-names", autocomplete: "off",
    });
    const wrong = el("p", { class: "notice problem", role: "alert", hidden: true });
    const close = () => { form.replaceWith(this.head); this.renameButton.focus(); };
    const form = el(
      "form",
      { class: "rename stack" },
      name, room, wrong,
      el("div", { class: "actions end" }, el("button", { type: "button", onclick: close }, "Cancel"), el("button", { class: "primary", type: "submit" }, "Save")),
    );
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        const device = await api.post("/api/rename", { name: this.device.udf, to: name.value, room: room.value });
        close();
        this.onDevice(device);
        this.renameButton.focus();
        announce(`Now ${device.name}${device.room ? `, ${device.room}` : ""}.`);
      } catch (problem) {
        message(wrong, problem.text);
      }
    });
    this.head.replaceWith(form);
    name.select();
  }

  async forget() {
    const { name } = this.device;
    const text = "It leaves your home and its keys are deleted. To add it again, press its button first.";
    if (!(await ask(`Forget ${name}?`, text, "Forget"))) return;
    try {
      await api.post("/api/forget", { name: this.device.udf });
      announce(`${name} was forgotten.`);
    } catch (problem) {
      message(this.error, problem.text);
    }
  }
}

const shape = (device) =>
  JSON.stringify([device.kind, ...device.properties.map((p) => [p.node, p.name, p.key, p.kind, p.type, p.access, p.range, p.choices, p.unit])]);
