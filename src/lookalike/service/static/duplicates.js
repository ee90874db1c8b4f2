// Groups of duplicates gone through with keys. Every decision is stored at once, one after the other, and can be taken
// back as long as the page is open; later on the list of decisions below does that.
"use strict";

const API = "/api/v1/duplicates";
const groups = document.getElementById("grid");
const said = document.getElementById("said");
const done = [];
let sending = Promise.resolve();
let waiting = 0;

// --- storing
async function reason(answer) {
  const told = answer ? await answer.json().catch(() => ({})) : { detail: said.dataset.silent };
  return told.local?.detail ?? told.detail ?? "";
}
function send(method, what, asked) {
  const collection = groups.dataset.collection || null;
  const address = method === "DELETE" ? `${API}/${what}?${new URLSearchParams(collection ? { ...asked, collection } : asked)}` : `${API}/${what}`;
  const body = method === "DELETE" ? undefined : JSON.stringify({ ...asked, collection });
  waiting += 1;
  groups.setAttribute("aria-busy", "true");
  sending = sending.then(async () => {
    const answer = await fetch(address, { method, body, headers: { "Content-Type": "application/json" } }).catch(() => null);
    said.textContent = answer?.ok ? "" : `${said.dataset.failed}: ${await reason(answer)}`;
    if (!answer?.ok) throw new Error("not stored");
  });
  const outcome = sending;
  sending = sending.catch(() => {}).then(() => {
    waiting -= 1;
    if (!waiting) groups.removeAttribute("aria-busy");
  });
  return outcome;
}
addEventListener("beforeunload", (event) => { if (waiting) event.preventDefault(); });

// --- what a group shows
const members = (group) => [...group.querySelectorAll(".member")];
const others = (group) => members(group).filter((each) => each.dataset.id !== group.dataset.kept);
function showKept(group, id) {
  group.dataset.kept = id;
  for (const each of members(group)) {
    const is = each.dataset.id === id;
    each.classList.toggle("kept", is);
    each.querySelector("button.keep")?.setAttribute("aria-pressed", is);
    for (const field of each.querySelectorAll("[name=first]")) field.value = id;
  }
}
function showApart(group, parted, is) {
  for (const each of parted) each.classList.toggle("parted", is);
  const whole = others(group).every((each) => each.classList.contains("parted"));
  group.classList.toggle("parted", whole);
  group.querySelector(".said").hidden = !members(group).some((each) => each.classList.contains("parted"));
}

// --- deciding
async function keep(group, member) {
  const before = group.dataset.kept, item = member.dataset.id;
  if (item === before || member.classList.contains("parted")) return;
  showKept(group, item);
  const step = { group, undo: () => { showKept(group, before); return send("DELETE", "keep", { item }); } };
  done.push(step);
  await send("POST", "keep", { item }).catch(() => { done.splice(done.indexOf(step), 1); showKept(group, before); });
}
async function part(group, parted) {
  if (!parted.length) return;
  const first = group.dataset.kept;
  const pairs = parted.map((each) => ({ first, second: each.dataset.id }));
  showApart(group, parted, true);
  const back = () => showApart(group, parted, false);
  const step = { group, undo: () => { back(); return Promise.all(pairs.map((pair) => send("DELETE", "apart", pair))); } };
  done.push(step);
  if (group.classList.contains("parted")) go(1, group);
  await Promise.all(pairs.map((pair) => send("POST", "apart", pair))).catch(() => { done.splice(done.indexOf(step), 1); back(); });
}
function undo(group) {
  const at = group ? done.findLastIndex((each) => each.group === group) : done.length - 1;
  if (at < 0) return;
  const [step] = done.splice(at, 1);
  step.undo().catch(() => {});
  look(step.group);
}

// --- where one is
const here = () => document.activeElement?.closest(".group") ?? null;
function look(group) {
  group.focus({ preventScroll: true });
  group.scrollIntoView({ block: "center" });
}
function go(by, from = here()) {
  const all = [...groups.querySelectorAll(".group")];
  const next = from ? all[all.indexOf(from) + by] : all[by > 0 ? 0 : all.length - 1];
  if (next) look(next);
}
function choose(by) {
  const group = here();
  if (!group) { go(1); return; }
  const left = members(group).filter((each) => !each.classList.contains("parted"));
  const at = left.findIndex((each) => each.dataset.id === group.dataset.kept);
  const next = left[at + by];
  if (next) { keep(group, next); next.scrollIntoView({ block: "nearest", inline: "nearest" }); }
}

// --- keys and buttons
const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  ArrowRight: () => choose(1),
  ArrowLeft: () => choose(-1),
  u: () => undo(),
  n: () => {
    const group = here(), on = document.activeElement?.closest(".member");
    if (group) part(group, (on && on.dataset.id !== group.dataset.kept ? [on] : others(group)).filter((each) => !each.classList.contains("parted")));
  },
  Enter: () => here()?.querySelector(".kept .picture").click(),
};
addEventListener("keydown", (event) => {
  const busy = dialog.open || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.("input, textarea, select");
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (busy || !act || !groups || (event.key === "Enter" && !event.target.matches?.(".group"))) return;
  event.preventDefault();
  act();
});
addEventListener("submit", (event) => {
  const member = event.target.closest(".groups .member");
  if (!member) return;
  event.preventDefault();
  const group = member.closest(".group");
  if (event.target.matches(".part")) part(group, [member]); else keep(group, member);
});
groups?.addEventListener("click", (event) => {
  if (event.target.matches("button.undo")) undo(event.target.closest(".group"));
});
