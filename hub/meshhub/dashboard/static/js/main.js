// The page: signing in, the stream of events, and the cards by room.

import * as add from "./add.js";
import { alarmStrip } from "./alarms.js";
import * as api from "./api.js";
import { Card } from "./card.js";
import { byId, el, icon, message } from "./dom.js";

const TICK_MILLISECONDS = 10_000;
const RETRY_MILLISECONDS = [1000, 2000, 5000, 10_000];
const NO_ROOM = "Other";

const cards = new Map();
let source = null;
let failures = 0;
let retry = null;

async function begin() {
  const { hash, pathname } = window.location;
  if (pathname === "/sign-in") window.history.replaceState(null, "", "/");
  if (hash.length > 1 && pathname === "/sign-in" && !(await signIn(hash.slice(1)))) return;
  connect();
}

/** Spend the link; when it no longer works, a browser that is signed in already goes on. */
async function signIn(token) {
  try {
    await api.signIn(token);
    return true;
  } catch (problem) {
    if (await signedIn()) return true;
    showSignedOut(problem.text);
    return false;
  }
}

async function signedIn() {
  try {
    await api.get("/api/status");
    return true;
  } catch {
    return false;
  }
}

const TOLD = {
  devices: ({ devices }) => showAll(devices),
  device: (device) => showDevice(device),
  removed: ({ udf }) => remove(udf),
  adoption: (adoption) => add.update(adoption),
  alarms: ({ alarms }) => showAlarms(alarms),
};

/** Listen to the hub; when the stream ends, come back after a while, unless nobody is signed in. */
async function connect() {
  disconnect();
  const given = (source = new AbortController());
  let problem = null;
  try {
    for await (const { kind, body } of api.events("/api/events", given.signal, opened)) TOLD[kind]?.(body);
  } catch (error) {
    problem = error;
    if (!(error instanceof api.Problem)) reportError(error);
  }
  if (given !== source || problem?.status === 401) return; // the latter is told by the event "signed-out"
  showConnected(false);
  retry = setTimeout(connect, RETRY_MILLISECONDS[Math.min(failures++, RETRY_MILLISECONDS.length - 1)]);
}

function opened() {
  failures = 0;
  showConnected(true);
}

function disconnect() {
  clearTimeout(retry);
  source?.abort();
  source = null;
}

function showConnected(yes) {
  const badge = byId("connection");
  byId("signed-out").hidden = true;
  byId("bar-actions").hidden = false;
  badge.hidden = false;
  const state = yes ? "live" : "offline";
  if (badge.dataset.state !== state) {
    badge.dataset.state = state;
    badge.replaceChildren(icon(state), yes ? "Connected" : "Hub not reachable, trying again");
  }
  cards.forEach((card) => card.setConnected(yes));
}

function showSignedOut(text = "") {
  disconnect();
  cards.clear();
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  byId("rooms").replaceChildren();
  byId("alarms").replaceChildren();
  byId("empty").hidden = byId("connection").hidden = byId("bar-actions").hidden = true;
  byId("signed-out").hidden = false;
  message(byId("signed-out-error"), text);
}

function showAll(devices) {
  const known = new Set(devices.map((device) => device.udf));
  for (const udf of cards.keys()) if (!known.has(udf)) cards.delete(udf);
  for (const device of devices) place(device);
  arrange();
}

function showDevice(device) {
  place(device);
  arrange();
}

function place(device) {
  const card = cards.get(device.udf);
  if (card) card.update(device);
  else cards.set(device.udf, new Card(device, showDevice));
}

function remove(udf) {
  cards.delete(udf);
  arrange();
}

/** Put every card in the section of its room; one that is in its place already is not moved, so it keeps focus. */
function arrange() {
  const rooms = new Map();
  for (const card of [...cards.values()].sort(byName)) {
    const room = card.device.room || NO_ROOM;
    rooms.set(room, [...(rooms.get(room) ?? []), card.element]);
  }
  const names = [...rooms.keys()].sort((a, b) => Number(a === NO_ROOM) - Number(b === NO_ROOM) || a.localeCompare(b));
  const old = new Map([...byId("rooms").children].map((section) => [section.dataset.room, section]));
  fill(byId("rooms"), names.map((name) => {
    const section = old.get(name) ?? makeRoom(name);
    fill(section.querySelector(".cards"), rooms.get(name));
    return section;
  }));
  byId("empty").hidden = cards.size > 0;
  fill(byId("room-names"), names.filter((name) => name !== NO_ROOM).map((name) => el("option", { value: name })));
}

const byName = (a, b) => a.device.name.localeCompare(b.device.name) || a.device.udf.localeCompare(b.device.udf);

function makeRoom(name) {
  return el("section", { class: "room", "data-room": name }, el("h2", {}, name), el("div", { class: "cards" }));
}

function fill(parent, children) {
  children.forEach((child, at) => {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  });
  while (parent.children.length > children.length) parent.lastChild.remove();
}

/** Alarms of a device stand on its card, all others on top. */
function showAlarms(alarms) {
  cards.forEach((card, udf) => card.warn(alarms.filter((alarm) => alarm.device === udf)));
  const general = alarms.filter((alarm) => !cards.has(alarm.device));
  byId("alarms").replaceChildren(...general.map((alarm) => alarmStrip(alarm)));
}

window.addEventListener("signed-out", () => showSignedOut());
window.addEventListener("hashchange", begin);
byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = byId("sign-in-link");
  const token = input.value.trim().split("#").at(-1);
  input.value = "";
  if (await signIn(token)) connect();
});
byId("sign-out-button").addEventListener("click", async () => {
  disconnect();
  await api.signOut();
  showSignedOut();
});
for (const id of ["add-button", "empty-add-button"]) byId(id).addEventListener("click", add.open);
for (const button of document.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
add.setUp((udf) => cards.get(udf)?.device ?? null, showDevice);
setInterval(() => cards.forEach((card) => card.tick()), TICK_MILLISECONDS);
begin();
