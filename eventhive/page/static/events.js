// The live tail: newest first, bounded here as it is in the gateway.

import { byId, clock, make, write } from "./dom.js";

const SHOWN = 300;
const AGAIN_MS = 5000;
const TYPING_MS = 300;

const WAYS = { up: ["↑", "from the device"], down: ["↓", "to the device"] };

let source = null;
let waiting = [];
let skipped = 0;
let timer = 0;

function open() {
  close();
  byId("events").replaceChildren();
  skipped = 0;
  const query = new URLSearchParams({ device: byId("events-device").value.trim(), name: byId("events-name").value.trim() });
  source = new EventSource(`/api/events?${query}`);
  source.onopen = () => write(byId("events-note"), "");
  source.onmessage = (message) => take(JSON.parse(message.data));
  source.addEventListener("skipped", (message) => {
    skipped += Number(message.data);
    write(byId("events-note"), `${skipped} events came too fast to be shown.`);
  });
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      // Refused, as too many look on or nobody is logged in; a browser does not try again by itself.
      write(byId("events-note"), "No events: the gateway refuses the tail. It is tried again.");
      timer = setTimeout(open, AGAIN_MS);
    } else {
      write(byId("events-note"), "No connection to the gateway. It is tried again.");
    }
  };
}

function close() {
  clearTimeout(timer);
  if (source) source.close();
  source = null;
  waiting = [];
}

function take(event) {
  waiting.push(event);
  if (waiting.length === 1) requestAnimationFrame(show);
  if (waiting.length > SHOWN) waiting.splice(1, 1);
}

function show() {
  const list = byId("events");
  list.prepend(...waiting.reverse().map(line));
  waiting = [];
  while (list.children.length > SHOWN) list.lastChild.remove();
}

function line(event) {
  const [arrow, words] = WAYS[event.way];
  return make(
    "li",
    {},
    make("time", { datetime: new Date(event.time * 1000).toISOString() }, clock(event.time)),
    make("span", { class: "way", role: "img", "aria-label": words }, arrow),
    make("span", {}, event.device),
    make("span", {}, event.name),
    make("span", {}, event.text),
  );
}

/** Show events from now on, and listen to the fields above them. */
export function startEvents() {
  for (const id of ["events-device", "events-name"]) {
    let typing = 0;
    byId(id).addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => byId("events-pause").getAttribute("aria-pressed") === "false" && open(), TYPING_MS);
    });
  }
  byId("events-pause").addEventListener("click", () => {
    const pause = byId("events-pause").getAttribute("aria-pressed") === "false";
    byId("events-pause").setAttribute("aria-pressed", pause);
    if (pause) close();
    else open();
    write(byId("events-note"), pause ? "Paused. What comes now is shown when you go on, the last 200 of it." : "");
  });
  open();
}
