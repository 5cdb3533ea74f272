// The page: asks for the state every two seconds while it is looked at, and shows it.

import { listenToForm, refreshDevice, select, selectedDevice } from "./device.js";
import { byId, bytes, duration, make, rows, tableRow, write } from "./dom.js";
import { startEvents } from "./events.js";

const EVERY_MS = 2000;
// A gateway that takes longer is shown as away.
const PATIENCE_MS = 10000;
// A gateway that is less late than this is well.
const LATE_S = 0.05;

const DEVICE_CELLS = ["State", "Link", "Last seen", "Events/s", "Waiting", "Lost", "Round trip", "Free heap", "Version"];
const DEVICE_NUMBERS = ["Events/s", "Waiting", "Lost", "Round trip", "Free heap"];
const NETWORK_CELLS = ["State", "Connector", "Connections", "On disk", "Spool", "Dropped"];
const NETWORK_NUMBERS = ["Connections", "On disk", "Spool", "Dropped"];

const PORT_CELLS = ["State", "Device", "Returned", "Why"];

let devices = [];
let round = 0;

async function fetchJson(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (response.status === 401) {
    location.assign("/login");
    return new Promise(() => {});
  }
  return response.json();
}

function setState(cell, kind, text) {
  cell.className = `state ${kind}`;
  write(cell, text);
}

function lastSeen(device, now) {
  if (device.online) return "now";
  return device.last_seen === null ? "not since the start" : `${duration(now - device.last_seen)} ago`;
}

function deviceState(device) {
  const flapping = device.flapping ? ", flapping" : "";
  if (device.online) return ["good", `online${flapping}`];
  if (device.state === "asleep" && device.wakes_in_s) return ["sleep", `asleep, wakes in ${duration(device.wakes_in_s)}`];
  if (device.state === "asleep") return ["sleep", "asleep, should be awake"];
  if (device.state === "offline") return ["bad", `offline${flapping}`];
  // It has the grace to come back.
  return ["bad", `away${flapping}`];
}

function fillDevice(row, device, now) {
  const [, state, link, seen, rate, waiting, lost, trip, heap, version] = row.children;
  setState(state, ...deviceState(device));
  write(link, device.link ?? "–");
  write(seen, lastSeen(device, now));
  write(rate, device.rate ? device.rate.toFixed(2) : "0");
  write(waiting, device.waiting);
  write(lost, device.rejected + device.refused + device.undelivered + device.expired);
  write(trip, device.round_trip_ms === null ? "–" : `${device.round_trip_ms} ms`);
  write(heap, Number.isInteger(device.reported.heap) ? bytes(device.reported.heap) : "–");
  write(version, device.reported.version ?? "–");
  const chosen = device.name === selectedDevice();
  row.classList.toggle("selected", chosen);
  row.querySelector("button").setAttribute("aria-expanded", chosen);
}

function deviceRow(device) {
  const button = make("button", { type: "button", class: "link", "aria-controls": "device" }, device.name);
  button.addEventListener("click", () => choose(device.name === selectedDevice() ? "" : device.name));
  return tableRow(button, DEVICE_CELLS, DEVICE_NUMBERS);
}

function fillNetwork(row, [, network]) {
  const [, state, connector, connections, events, spool, dropped] = row.children;
  setState(state, network.connected ? "good" : "bad", network.connected ? "connected" : "away");
  write(connector, network.state);
  write(connections, network.connections);
  write(events, network.events ? `${network.events}, for ${duration(network.held_s)}` : network.events ?? "–");
  write(spool, network.quota ? `${bytes(network.bytes)} of ${bytes(network.quota)}` : "–");
  write(dropped, (network.dropped ?? 0) + network.calls_dropped);
}

function fillPort(row, port) {
  const [, state, device, returned, why] = row.children;
  const kind = port.state === "open" ? "good" : port.state === "lent" ? "sleep" : "bad";
  setState(state, kind, port.state);
  write(device, port.device ?? "–");
  write(returned, port.returned);
  write(why, port.why || "–");
}

function health(gateway) {
  const parts = [`version ${gateway.version}`, `up for ${duration(gateway.uptime_s)}`];
  if (gateway.memory_bytes) parts.push(bytes(gateway.memory_bytes));
  if (gateway.lag_s >= LATE_S) parts.push(`${Math.round(gateway.lag_s * 1000)} ms behind`);
  return parts.join(", ");
}

function show(state) {
  devices = state.devices;
  write(byId("gateway"), health(state.gateway));
  byId("logout").hidden = !state.gateway.login;
  write(byId("devices-count"), `${state.online} of ${state.known} online`);
  rows(byId("devices"), devices, (one) => one.name, deviceRow, (row, one) => fillDevice(row, one, state.now));
  const more = state.found - devices.length;
  let none = state.known ? "No device has that in its name." : "No device yet: eventhive device add NAME enrols one.";
  if (more > 0) none = `${more} more: write a part of the name above.`;
  byId("devices-none").hidden = state.found > 0 && more <= 0;
  write(byId("devices-none"), none);
  byId("ports-part").hidden = !state.ports.length;
  rows(byId("ports"), state.ports, (one) => one.port, (one) => tableRow(one.port, PORT_CELLS, ["Returned"]), fillPort);
  const create = ([name]) => tableRow(name, NETWORK_CELLS, NETWORK_NUMBERS);
  rows(byId("networks"), Object.entries(state.networks), ([name]) => name, create, fillNetwork);
}

function live(good) {
  const pill = byId("live");
  pill.className = `pill ${good ? "good" : "bad"}`;
  write(pill, good ? "live" : "no connection to the gateway");
}

async function refresh() {
  const asked = ++round;
  try {
    const state = await fetchJson(`/api/state?filter=${encodeURIComponent(byId("devices-filter").value.trim())}`);
    // A later question may have been answered sooner.
    if (asked !== round) return;
    show(state);
    await refreshDevice(fetchJson, devices.find((one) => one.name === selectedDevice()));
    live(true);
  } catch {
    live(false);
  }
}

function choose(name) {
  history.replaceState(null, "", name ? `#${encodeURIComponent(name)}` : location.pathname);
  const before = selectedDevice();
  select(name, refresh);
  if (!name) {
    refresh();
    const row = [...byId("devices").children].find((one) => one.dataset.key === before);
    if (row) row.querySelector("button").focus();
  }
}

async function keepUp() {
  if (!document.hidden) await refresh();
  setTimeout(keepUp, EVERY_MS);
}

byId("devices-filter").addEventListener("input", refresh);
byId("device-close").addEventListener("click", () => choose(""));
document.addEventListener("visibilitychange", () => document.hidden || refresh());
listenToForm();
startEvents();
if (location.hash.length > 1) select(decodeURIComponent(location.hash.slice(1)), refresh);
keepUp();
