// SPDX-FileCopyrightText: The aad-login authors
// SPDX-License-Identifier: Apache-2.0

// What can be measured in a page; called by webpage_test.go, never part of one.

const shown = e => e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length > 0;

// rgb is any colour CSS can write as four numbers: whatever its spelling, a canvas knows it.
function rgb(css) {
  const c = new OffscreenCanvas(1, 1).getContext("2d");
  c.fillStyle = css;
  c.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = c.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}

const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);

// canvas is what is behind everything: the browser's own white or black.
function canvas() {
  const e = document.createElement("i");
  e.style.backgroundColor = "Canvas";
  document.body.append(e);
  const colour = rgb(getComputedStyle(e).backgroundColor);
  e.remove();
  return colour;
}

function background(e) {
  const layers = [];
  for (let at = e; at; at = at.parentElement) layers.push(rgb(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), canvas());
}

// ratio is WCAG 2's contrast of two opaque colours.
function ratio(a, b) {
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

function name(e) {
  return `<${e.tagName.toLowerCase()}${e.id && "#" + e.id}${e.name ? " name=" + e.name : ""}> ${(e.innerText || "").slice(0, 30)}`.trim();
}

// contrast lists the texts that are hard to read: below 4.5, of large ones 3.
function contrast() {
  const found = [];
  const look = (e, pseudo) => {
    const style = getComputedStyle(e, pseudo), behind = background(e);
    const got = ratio(over(rgb(style.color), behind), behind);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    if (got < (large ? 3 : 4.5)) found.push(`contrast ${got.toFixed(2)}: ${name(e)}${pseudo || ""}`);
  };
  for (const e of document.body.querySelectorAll("*")) {
    if (!shown(e)) continue;
    if ([...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())) look(e);
    if (e.matches("input:not([type=hidden]),textarea")) look(e, e.placeholder && !e.value ? "::placeholder" : undefined);
  }
  return found;
}

// fit says what keeps a page from being read in a window this wide.
function fit(width) {
  const found = [], root = document.documentElement;
  if (root.clientWidth !== width) found.push(`laid out for ${root.clientWidth}`);
  if (root.scrollWidth > root.clientWidth) found.push(`${root.scrollWidth} pixels, wider than the window`);
  if (!root.lang) found.push("no language");
  if (!document.title.trim()) found.push("no title");
  return found;
}

// stops are what a keyboard has to reach, in the order they are read in.
const stops = () => [...document.querySelectorAll(
  "a[href],button,input:not([type=hidden]),select,textarea,summary,[contenteditable],[onclick]")].filter(e => shown(e) && !e.disabled);

// number counts them, and takes the keyboard to the top of the page: a focus that is gone leaves its place behind.
function number() {
  const top = document.createElement("span");
  top.tabIndex = -1;
  document.body.prepend(top);
  top.focus();
  top.remove();
  return stops().length;
}

// focus is where the keyboard is, and what is wrong with the ring around it.
function focus() {
  const e = document.activeElement, style = getComputedStyle(e), outside = background(e.parentElement || e);
  let ring = "";
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) ring = "no ring shows the focus";
  else if (ratio(over(rgb(style.outlineColor), outside), outside) < 3) ring = "the ring is hardly seen";
  return {number: stops().indexOf(e), what: name(e), ring};
}
