// Keeps the page up to date: puts in what the server sends, and says when it sends nothing.
"use strict";

const body = document.body;
const LOST_AFTER_MS = 5000; // the server speaks at least every two seconds
const STALE_AFTER_MS = 8000; // the monitor looks once a second
const RETRY_MS = 1000;

// Ages: the server writes moments, as ages would make every section new each second.

let clockOffsetMs = Number(body.dataset.now || Date.now()) - Date.now(); // the server's clock counts, not this one's
const serverNow = () => Date.now() + clockOffsetMs;

function span(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function showAges(root) {
  for (const element of root.querySelectorAll("[data-since]")) {
    const age = span(serverNow() - Number(element.dataset.since));
    setText(element, element.tagName === "TIME" ? age : "ago" in element.dataset ? `${age} ago` : `(${age})`);
  }
}

// Putting in what is new: nodes are changed, not replaced, so that focus, selection and open details stay.

const keyOf = (node) => (node.nodeType === 1 ? node.id || node.dataset.key : undefined);

function morph(now, next) {
  if (now.nodeType === 3) {
    if (now.data !== next.data) now.data = next.data;
    return;
  }
  for (const { name } of [...now.attributes]) {
    if (!next.hasAttribute(name) && !(name === "open" && now.tagName === "DETAILS") && name !== "hidden") now.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (now.getAttribute(name) !== value) now.setAttribute(name, value);
  }
  if ("since" in next.dataset || now.tagName === "INPUT") return; // filled in here, or by a person
  morphChildren(now, next);
}

function morphChildren(now, next) {
  const wantedKeys = new Set([...next.childNodes].map(keyOf));
  const keyed = new Map();
  for (const child of [...now.childNodes]) {
    const key = keyOf(child);
    if (key && !wantedKeys.has(key)) child.remove(); // first, as a node that is moved loses its focus
    else if (key) keyed.set(key, child);
  }
  let at = now.firstChild;
  for (const wanted of [...next.childNodes]) {
    const key = keyOf(wanted);
    let found = key ? keyed.get(key) : at;
    const fits = found && found.nodeName === wanted.nodeName && (key || !keyOf(found));
    if (!fits) {
      now.insertBefore(wanted, at);
      continue;
    }
    if (key) keyed.delete(key);
    while (at !== found && at && !keyOf(at)) {
      const left = at; // white space of a row that went: it gives way, so that what follows need not move
      at = at.nextSibling;
      left.remove();
    }
    if (found !== at) now.insertBefore(found, at);
    else at = at.nextSibling;
    morph(found, wanted);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function parse(html) {
  // A row or a part of a drawing is nothing by itself: it is read inside what it belongs to.
  const template = document.createElement("template");
  const within = html.startsWith("<tr") ? ["<table><tbody>", "tr"] : html.startsWith("<g") ? ["<svg>", "g"] : ["", "*"];
  template.innerHTML = within[0] + html;
  return template.content.querySelector(within[1]);
}

function put(id, html) {
  const now = document.getElementById(id);
  if (!now) return;
  morph(now, parse(html.trim()));
  showAges(now);
}

// The stream of changes.

let heardMs = Date.now();
let pictureMs = Number(body.dataset.at || 0);
let source = null;

function take(event) {
  const said = JSON.parse(event.data);
  heardMs = Date.now();
  clockOffsetMs = said.now_ms - heardMs;
  pictureMs = said.at_ms;
  for (const [id, html] of Object.entries(said.sections)) put(id, html);
  if (Object.keys(said.sections).length) afterwards();
  tell();
}

function afterwards() {
  const verdict = document.getElementById("verdict");
  document.title = `${verdict.dataset.state} – ${body.dataset.title}`;
  const icon = `${body.dataset.icons}${verdict.dataset.state}.svg`;
  const link = document.getElementById("icon");
  if (link.getAttribute("href") !== icon) link.setAttribute("href", icon);
  document.querySelectorAll("[data-filters]").forEach(filter);
}

function tell() {
  const silentMs = Date.now() - heardMs;
  const oldMs = serverNow() - pictureMs;
  const lost = document.getElementById("lost");
  const isLost = silentMs > LOST_AFTER_MS;
  const isStale = !isLost && pictureMs > 0 && oldMs > STALE_AFTER_MS;
  body.classList.toggle("away", isLost || isStale);
  // Announced once: what counts on stands outside the alert.
  if (isLost) setText(lost, "The connection to tricast is lost. The numbers below stand still; it is tried again by itself.");
  if (isStale) setText(lost, "tricast's monitor is silent. The numbers below stand still.");
  lost.hidden = !(isLost || isStale);
  const at = new Date(pictureMs).toISOString().slice(11, 19);
  const looked = document.querySelector("#looked");
  setText(looked, isLost || isStale ? `as of ${at} UTC, ${span(oldMs)} old` : `as of ${at} UTC`);
  looked.dataset.state = isLost ? "lost" : isStale ? "stale" : "live";
}

function connect() {
  source = new EventSource(body.dataset.events);
  source.addEventListener("picture", take);
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED) return; // it tries again by itself
    setTimeout(connect, RETRY_MS);
  });
}

// What a person sets.

function filter(input) {
  const words = input.value.trim().toLowerCase().split(/\s+/);
  for (const row of document.querySelectorAll(`#${input.dataset.filters} [data-text]`)) {
    row.hidden = !words.every((word) => row.dataset.text.toLowerCase().includes(word));
  }
}

function themeButton() {
  const button = document.getElementById("theme");
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const show = () => setText(button, isDark() ? "Light" : "Dark");
  button.setAttribute("aria-label", "Switch between light and dark");
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
    show();
  });
  show();
  button.hidden = false;
}

themeButton();
showAges(document);
document.querySelectorAll("[data-filters]").forEach((input) => input.addEventListener("input", () => filter(input)));
if (body.dataset.events) {
  connect();
  setInterval(() => {
    showAges(document);
    tell();
  }, 1000);
}
