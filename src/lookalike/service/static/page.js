// What the page does beyond links and forms: rows of equal height, endless scroll, dropping and pasting pictures,
// keys, and an item's details in a dialog. Without this script everything still works, a page at a time.
"use strict";

document.documentElement.classList.add("scripted");
const grid = document.getElementById("grid");
const dialog = document.getElementById("details");

// --- rows: each picture is as wide as its shape asks for at the height of a row, and grows by that too
function layOut(root) {
  for (const item of root.querySelectorAll("li[data-ratio]")) {
    const ratio = Math.min(Math.max(Number(item.dataset.ratio) || 1.33, 0.5), 3);
    item.style.flexGrow = ratio;
    item.style.flexBasis = `calc(var(--row) * ${ratio})`;
  }
}

// --- endless scroll; who comes back finds as many pages as there were
let loading = false;
let pages = 0;
async function loadNext(link) {
  if (loading) return;
  loading = true;
  try {
    const answer = await fetch(link.dataset.next).catch(() => null);
    if (!answer?.ok) { link.textContent = link.dataset.failed; return; }
    const piece = document.createElement("template");
    piece.innerHTML = await answer.text();
    layOut(piece.content);
    link.closest("li").replaceWith(piece.content);
    pages += 1;
    watchNext();
  } finally {
    loading = false;
  }
}
const nearEnd = new IntersectionObserver((seen) => {
  for (const entry of seen) if (entry.isIntersecting) loadNext(entry.target);
}, { rootMargin: "800px" });
function watchNext() {
  const link = grid.querySelector("a[data-next]");
  if (link) nearEnd.observe(link);
}
async function loadAgain({ pages: wanted, y }) {
  for (let link; pages < wanted && (link = grid.querySelector("a[data-next]"));) {
    const before = pages;
    await loadNext(link);
    if (pages === before) break;
  }
  scrollTo(0, y);
}
if (grid) {
  layOut(grid);
  const before = history.state;
  if (before?.pages) loadAgain(before).then(watchNext); else watchNext();
  addEventListener("pagehide", () => {
    if (!dialog.open) history.replaceState({ ...history.state, pages, y: scrollY }, "");
  });
}

// --- pictures: picked, dropped or pasted
const form = document.querySelector("form.pick");
const chosen = document.getElementById("image");
function searchWith(file) {
  const files = new DataTransfer();
  files.items.add(file);
  chosen.files = files.files;
  form.submit();
}
chosen?.addEventListener("change", () => { if (chosen.files.length) form.submit(); });
const cover = document.getElementById("drop");
let inside = 0;
const hasFile = (event) => form && [...(event.dataTransfer?.items || [])].some((item) => item.kind === "file");
addEventListener("dragenter", (event) => { if (hasFile(event)) { inside += 1; cover.hidden = false; } });
addEventListener("dragleave", () => { inside = Math.max(inside - 1, 0); cover.hidden = inside === 0; });
addEventListener("dragover", (event) => { if (hasFile(event)) event.preventDefault(); });
addEventListener("drop", (event) => {
  inside = 0;
  cover.hidden = true;
  const file = event.dataTransfer?.files[0];
  if (file && form) { event.preventDefault(); searchWith(file); }
});
addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files || [])].find((each) => each.type.startsWith("image/"));
  if (file && form) { event.preventDefault(); searchWith(file); }
});

// --- details in a dialog, at the address that the item's own page has; going back shuts it
let opener = null;
async function openDetails(link) {
  const answer = await fetch(link.href, { headers: { "X-Fragment": "1" } }).catch(() => null);
  if (!answer?.ok) { location.href = link.href; return; }
  opener = link;
  dialog.innerHTML = await answer.text();
  const why = dialog.querySelector(".why");
  if (why && link.dataset.why) { why.textContent = link.dataset.why; why.hidden = false; }
  const shut = document.createElement("button");
  shut.className = "shut";
  shut.textContent = "✕";
  shut.setAttribute("aria-label", dialog.dataset.close);
  shut.addEventListener("click", () => dialog.close());
  dialog.append(shut);
  const here = { details: link.dataset.item ?? link.href };
  if (dialog.open) history.replaceState(here, "", link.href);
  else { history.pushState(here, "", link.href); dialog.returnValue = ""; dialog.showModal(); }
}
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("close", () => {
  dialog.replaceChildren();
  opener?.focus();
  // this comes a frame after it was shut: who went back may have come forward again by now
  if (dialog.returnValue !== "back" && history.state?.details) history.back();
});
addEventListener("popstate", (event) => {
  const wanted = Boolean(event.state?.details);
  if (dialog.open && !wanted) dialog.close("back");
  else if (wanted !== dialog.open || !grid) location.reload();
});
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-item], a[data-dialog]");
  if (link && !(event.ctrlKey || event.metaKey || event.shiftKey || event.button)) { event.preventDefault(); openDetails(link); }
  const language = event.target.closest?.("a[data-language]");
  if (language) {
    event.preventDefault();
    const address = new URL(location.href);
    address.searchParams.set("lang", language.dataset.language);
    location.href = address.href;
  }
});

// --- picking several
const picked = document.getElementById("picked");
if (picked) {
  const count = document.getElementById("count");
  const tell = () => {
    const n = document.querySelectorAll(".pickone:checked").length;
    count.textContent = count.dataset.words.replace("{n}", n);
  };
  addEventListener("change", (event) => { if (event.target.matches(".pickone")) tell(); });
}

// --- a run of indexing
const run = document.querySelector("[data-run]");
if (run && !run.querySelector("progress").hasAttribute("value")) {
  const events = new EventSource(run.dataset.run);
  events.addEventListener("message", (event) => {
    const told = JSON.parse(event.data);
    const bar = run.querySelector("progress");
    if (told.progress.total) bar.value = told.progress.done / told.progress.total;
    if (told.progress.done) run.querySelector("span").textContent = `${told.progress.done} / ${told.progress.total ?? "…"}`;
    if (told.state !== "running") { events.close(); location.reload(); }
  });
}

// --- keys
function move(by) {
  const links = [...document.querySelectorAll("#grid a[data-item]")];
  const from = links.indexOf(dialog.open ? opener : document.activeElement);
  if (dialog.open && from < 0) return;
  const next = links[Math.min(Math.max(from + by, 0), links.length - 1)];
  if (!next) return;
  if (dialog.open) openDetails(next); else next.focus();
}
addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, textarea, select");
  if (event.key === "/" && !typing) { event.preventDefault(); document.getElementById("q").focus(); }
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step && (dialog.open || !grid?.matches(".groups"))) { event.preventDefault(); move(step); }
});
