// Elements, and how values are written. Text of devices goes through `textContent` alone: it never becomes markup.

export const byId = (id) => document.getElementById(id);

/** A new element with attributes and children; texts become text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the text of an element where it is another one, so that a selection and a screen reader's place stay. */
export function write(element, text) {
  text = String(text);
  if (element.textContent !== text) element.textContent = text;
}

/** Rows of a table by their keys: those that stay are kept, with the focus in them. `fill(row, item)` writes one. */
export function rows(body, items, keyOf, create, fill) {
  const known = new Map([...body.children].map((row) => [row.dataset.key, row]));
  items.forEach((item, index) => {
    const key = keyOf(item);
    let row = known.get(key);
    known.delete(key);
    if (!row) {
      row = create(item);
      row.dataset.key = key;
    }
    fill(row, item);
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
  });
  for (const row of known.values()) row.remove();
}

/** A row with a heading and cells, each with the label that a phone shows. */
export function tableRow(heading, labels, numbers) {
  const row = make("tr", {}, make("th", { scope: "row" }, heading));
  for (const label of labels) {
    row.append(make("td", { "data-label": label, ...(numbers.includes(label) ? { class: "number" } : {}) }));
  }
  return row;
}

/** The terms and descriptions of a list, `[term, text]`; each pair an element of its own, as a grid wants them. */
export function describe(list, pairs) {
  const shown = JSON.stringify(pairs);
  if (list.dataset.shown === shown) return;
  list.dataset.shown = shown;
  const one = ([term, text]) => make("div", { class: "pair" }, make("dt", {}, term), make("dd", {}, String(text)));
  list.replaceChildren(...pairs.map(one));
}

export function duration(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 1024 * 1024 ? `${(count / 1024).toFixed(1)} KB` : `${(count / 1024 / 1024).toFixed(1)} MB`;
}

export function clock(seconds) {
  const at = new Date(seconds * 1000);
  return at.toLocaleTimeString([], { hour12: false }) + "." + String(at.getMilliseconds()).padStart(3, "0");
}

/** A time of any day. */
export function moment(seconds) {
  return new Date(seconds * 1000).toLocaleString([], { hour12: false });
}
