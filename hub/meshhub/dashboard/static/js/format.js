// Values, names and times as people read them.

const LABELS = {
  on: "Power", level: "Level", ct: "Colour temperature", rgb: "Colour", position: "Position", move: "Move",
  locked: "Lock", temperature: "Temperature", target: "Target", mode: "Mode", speed: "Speed", humidity: "Humidity",
  pressure: "Pressure", illuminance: "Light", co2: "CO₂", voltage: "Voltage", current: "Current", power: "Power",
  distance: "Distance", weight: "Weight", signal: "Signal", battery: "Battery", contact: "Contact",
  motion: "Motion", occupancy: "Occupancy", leak: "Leak", smoke: "Smoke", tamper: "Tamper", press: "Last press",
  value: "Value", energy: "Energy", water: "Water", gas: "Gas", heat: "Heat",
};

const WORDS = {
  contact: ["Open", "Closed"], motion: ["No motion", "Motion"], occupancy: ["Empty", "Occupied"],
  leak: ["Dry", "Leak"], smoke: ["No smoke", "Smoke"], tamper: ["Untouched", "Tampered"],
  locked: ["Unlocked", "Locked"], on: ["Off", "On"],
};

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The name of a property; the part of the device is said where two have one of that name. */
export function label(property) {
  const name = property.kind === "light" && property.name === "level" ? "Brightness" : LABELS[property.name];
  const text = name ?? capital(property.name);
  return property.key.includes(".") ? `${capital(property.node)}: ${text.toLowerCase()}` : text;
}

/** A value with its unit, or a dash. */
export function value(property, given = property.value) {
  if (given === null || given === undefined) return "–";
  if (typeof given === "boolean") return (WORDS[property.name] ?? ["No", "Yes"])[Number(given)];
  if (typeof given === "number") return [number(given, property.type), property.unit].filter(Boolean).join("\u202f");
  return property.type === "e" ? capital(given) : given;
}

/** A figure with as many digits as it deserves. */
export function number(given, type = "f") {
  const digits = type === "i" ? 0 : Math.abs(given) >= 1000 ? 0 : 1;
  return given.toLocaleString(undefined, { minimumFractionDigits: digits, maximumFractionDigits: type === "i" ? 0 : Math.max(digits, Math.abs(given) < 1 ? 3 : 1) });
}

/** "just now", "5 min ago", or the date. */
export function ago(milliseconds, now = Date.now()) {
  if (!milliseconds) return "never";
  const seconds = Math.max(0, Math.round((now - milliseconds) / 1000));
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  return new Date(milliseconds).toLocaleDateString();
}

export const clock = (milliseconds) => new Date(milliseconds).toLocaleTimeString(undefined, { hourCycle: "h23" });
