// What the owner must see: a strip that stays until it is put away.

import * as api from "./api.js";
import { el, icon } from "./dom.js";
import { ago } from "./format.js";

export function alarmStrip(alarm) {
  const put = el("button", { type: "button" }, "Seen");
  const strip = el(
    "div",
    { class: "notice warn alarm", role: "alert" },
    icon("trust"),
    el("span", {}, alarm.text, " ", el("span", { class: "hint" }, ago(alarm.time))),
    put,
  );
  put.addEventListener("click", () => api.post(`/api/alarms/${alarm.id}/dismiss`).catch(() => strip.remove()));
  return strip;
}
