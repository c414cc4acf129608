// "Add a device": the code or a photo of the label, the steps, the question, then name and room.

import * as api from "./api.js";
import { byId, el, icon, message } from "./dom.js";

const MAX_OCTETS = 10 * 1024 * 1024;
const MARKS = { waiting: "waiting", running: "in progress", done: "done", failed: "failed" };
const SYMBOLS = { waiting: "○", running: "…", done: "✓", failed: "✕" };

let current = null;
let onAdded = () => {};
let findDevice = () => null;

/** Wire the dialog; `find(udf)` gives a known device, `added(device)` is told of a changed one. */
export function setUp(find, added) {
  findDevice = find;
  onAdded = added;
  byId("add-form").addEventListener("submit", (event) => { event.preventDefault(); startWithCode(); });
  byId("add-code").addEventListener("input", showCount);
  byId("add-photo").addEventListener("change", startWithPhoto);
  byId("add-yes").addEventListener("click", () => answer(true));
  byId("add-no").addEventListener("click", () => answer(false));
  byId("add-again").addEventListener("click", showForm);
  byId("add-name-form").addEventListener("submit", (event) => { event.preventDefault(); saveName(); });
  byId("add-dialog").addEventListener("close", () => { if (current?.state === "confirm") answer(false); });
}

export function open() {
  if (!current || current.state === "failed" || current.state === "done") {
    byId("add-code").value = "";
    byId("add-at").value = "";
    showForm();
  }
  byId("add-dialog").showModal();
}

/** What the hub tells about an adoption; others than the one of this dialog do not matter here. */
export function update(adoption) {
  if (!current || adoption.id !== current.id) return;
  const before = current.state;
  current = adoption;
  byId("add-steps").replaceChildren(
    ...adoption.steps.map((step) =>
      el("li", { "data-state": step.state }, el("span", { "aria-hidden": "true", class: "mark" }, SYMBOLS[step.state]), step.text,
        el("span", { class: "unseen" }, `: ${MARKS[step.state]}`)),
    ),
  );
  const asked = adoption.state === "confirm";
  byId("add-question").hidden = !asked;
  byId("add-question-text").textContent = adoption.question;
  if (asked && before !== "confirm") byId("add-yes").focus();
  if (adoption.state === "failed") showFailure(adoption.error);
  if (adoption.state === "done" && before !== "done") showNaming(adoption.device);
}

function show(part) {
  for (const id of ["add-form", "add-progress", "add-name-form"]) byId(id).hidden = id !== part;
}

function showForm() {
  current = null;
  message(byId("add-error"), "");
  byId("add-photo").value = "";
  showCount();
  show("add-form");
  byId("add-code").focus();
}

function showCount() {
  const typed = byId("add-code").value;
  const isUri = typed.trim().toLowerCase().startsWith("mcu:");
  const length = typed.replace(/[\s-]/g, "").length;
  byId("add-code-hint").textContent =
    length && !isUri ? `${length} of 26 characters` : "26 characters; spaces, dashes and case do not matter.";
}

function startWithCode() {
  const code = byId("add-code").value.trim();
  if (!code) {
    message(byId("add-error"), "Type the code, or choose a photo of the label.");
    byId("add-code").focus();
    return;
  }
  start({ code });
}

async function startWithPhoto() {
  const [file] = byId("add-photo").files;
  if (!file) return;
  if (file.size > MAX_OCTETS) {
    message(byId("add-error"), "The picture is larger than 10 MB. Take a smaller photo.");
    return;
  }
  start({ image: await base64(file) });
}

async function start(label) {
  message(byId("add-error"), "");
  const at = byId("add-at").value.trim();
  const form = byId("add-form");
  form.inert = true;
  try {
    current = await api.post("/api/add", at ? { ...label, at } : label);
    byId("add-failed").hidden = true;
    show("add-progress");
    update(current);
  } catch (problem) {
    message(byId("add-error"), problem.text);
    byId("add-photo").value = "";
  } finally {
    form.inert = false;
  }
}

async function answer(seen) {
  byId("add-question").hidden = true;
  try {
    update(await api.post(`/api/adoptions/${current.id}/confirm`, { seen }));
  } catch (problem) {
    showFailure(problem.text);
  }
}

function showFailure(text) {
  message(byId("add-failed-text"), text);
  byId("add-failed").hidden = false;
  byId("add-again").focus();
}

function showNaming(udf) {
  const device = findDevice(udf);
  byId("add-name").value = device?.name ?? "";
  byId("add-room").value = device?.room ?? "";
  message(byId("add-name-error"), "");
  show("add-name-form");
  byId("add-name").select();
}

async function saveName() {
  try {
    const wish = { name: current.device, to: byId("add-name").value, room: byId("add-room").value };
    onAdded(await api.post("/api/rename", wish));
    byId("add-dialog").close();
  } catch (problem) {
    message(byId("add-name-error"), problem.text);
  }
}

function base64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
