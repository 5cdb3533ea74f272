// One device: its last values, a form to ask one of its hooks, its rights and counters.

import { chart } from "./chart.js";
import { byId, clock, describe, duration, make, moment, write } from "./dom.js";

let selected = "";

const address = () => `/api/devices/${encodeURIComponent(selected)}`;

export const selectedDevice = () => selected;

/** Show a device, or none where the name is empty. */
export async function select(name, refresh) {
  selected = name;
  byId("device").hidden = !name;
  byId("ask-answer").textContent = "";
  byId("ask-event").replaceChildren();
  byId("values").replaceChildren();
  delete byId("values").dataset.shown;
  write(byId("device-title"), name);
  if (name) {
    await refresh();
    byId("device-title").focus();
  }
}

/** Show what is known now; `device` is its entry in the list. */
export async function refreshDevice(fetchJson, device) {
  if (!selected) return;
  const asked = selected;
  const detail = await fetchJson(address());
  if (asked !== selected) return;
  if (detail.error) {
    describe(byId("rights"), [["", detail.error]]);
    return;
  }
  showValues(detail);
  showHooks(detail.hooks);
  describe(byId("rights"), rights(detail, device));
  if (device) describe(byId("counters"), counters(device));
  if (device) describe(byId("reported"), reports(device));
  if (device) showCrash(device.crash);
  showConsole(detail.console, device);
}

function showConsole(lines, device) {
  byId("console-part").hidden = !lines.length && !(device && device.link === "serial");
  const place = byId("console");
  // Whoever has scrolled up goes on reading there.
  const atEnd = place.scrollTop + place.clientHeight >= place.scrollHeight - 2;
  write(place, lines.map((one) => `${clock(one.time)}  ${one.text}`).join("\n") || "It has printed nothing yet.");
  if (atEnd) place.scrollTop = place.scrollHeight;
}

function showCrash(crash) {
  byId("crash-part").hidden = !crash;
  if (!crash) return;
  write(byId("crash-when"), `${moment(crash.time)}, on the console of ${crash.port}`);
  write(byId("crash"), crash.text.join("\n"));
}

function showValues(detail) {
  const shown = JSON.stringify(detail.values);
  const place = byId("values");
  if (place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  const parts = Object.entries(detail.values).map(([name, value]) =>
    make(
      "div",
      { class: "value" },
      make("p", { class: "name" }, name),
      make("p", {}, value.text),
      ...Object.entries(value.numbers).map(([label, points]) => chart(label, points)),
      make("p", { class: "note" }, `${clock(value.time)}, ${value.count} so far`),
    ),
  );
  place.replaceChildren(...(parts.length ? parts : [make("p", { class: "note" }, "No event since the gateway started.")]));
}

function showHooks(hooks) {
  const list = byId("ask-event");
  if ([...list.options].map((one) => one.value).join("\n") !== hooks.join("\n")) {
    const chosen = list.value;
    list.replaceChildren(...hooks.map((name) => make("option", { value: name }, name)));
    if (hooks.includes(chosen)) list.value = chosen;
  }
  byId("ask-send").disabled = !hooks.length;
  if (!hooks.length) write(byId("ask-answer"), "It hooks nothing now.");
  else if (byId("ask-answer").textContent === "It hooks nothing now.") write(byId("ask-answer"), "");
}

function rights(detail, device) {
  const pairs = [
    ["may publish", detail.publish.join(", ") || "nothing"],
    ["may receive", detail.receive.join(", ") || "nothing"],
  ];
  if (detail.rate) pairs.push(["limit", `${detail.rate} events a second, ${detail.burst} at once`]);
  if (detail.size) pairs.push(["longest event", `${detail.size} characters`]);
  if (detail.ttl_s) pairs.push(["commands live", duration(detail.ttl_s)]);
  const age = detail.key_since ? `, in use for ${duration(detail.now - detail.key_since)}` : "";
  if (device && device.address) pairs.push(["address", device.address]);
  if (device && device.reason) pairs.push([`${device.state} since`, `${moment(device.since)}: ${device.reason}`]);
  pairs.push(["key", detail.keygen === null ? "none: it is let in without one" : `number ${detail.keygen}${age}`]);
  if (device && device.rekeying) pairs.push(["new key", "given, not used yet"]);
  return pairs;
}

function counters(device) {
  return [
    ["events", device.events],
    ["unusable", device.rejected],
    ["without a right", device.refused],
    ["commands lost", device.undelivered],
    ["commands expired", device.expired],
  ];
}

function reports(device) {
  const pairs = Object.entries(device.reported).map(([name, value]) => [name, [value].flat().join(", ")]);
  return pairs.length ? pairs.sort() : [["nothing yet", ""]];
}

/** Have the form ask the device. */
export function listenToForm() {
  byId("ask").addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = byId("ask-answer");
    let data;
    try {
      data = JSON.parse(byId("ask-data").value);
    } catch (error) {
      answer.className = "bad";
      write(answer, `The data is not JSON: ${error.message}`);
      return;
    }
    answer.className = "";
    write(answer, "asked …");
    try {
      const body = JSON.stringify({ event: byId("ask-event").value, data });
      const response = await fetch(`${address()}/request`, { method: "POST", body });
      const given = await response.json();
      answer.className = response.ok ? "good" : "bad";
      write(answer, response.ok ? `answer: ${JSON.stringify(given.value)}` : given.error);
    } catch {
      answer.className = "bad";
      write(answer, "No connection to the gateway.");
    }
  });
}
