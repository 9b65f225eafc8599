// The API reference: marks the section that is being read, and opens what a link leads to. The page works without it.
"use strict";

const contents = document.querySelector(".toc");
const entries = new Map([...contents.querySelectorAll(":scope > ul a")].map((link) => [link.hash.slice(1), link]));
const headings = [...entries.keys()].map((id) => document.getElementById(id)).filter(Boolean);

function mark() {
  const above = headings.filter((heading) => heading.getBoundingClientRect().top < 120);
  const current = entries.get((above.at(-1) ?? headings[0]).id);
  if (current.hasAttribute("aria-current")) return;
  for (const link of entries.values()) link.removeAttribute("aria-current");
  current.setAttribute("aria-current", "true");
  contents.scrollTop = current.offsetTop - contents.clientHeight / 2;
}

function open() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

let isWaiting = false;
document.addEventListener("scroll", () => {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => { isWaiting = false; mark(); });
}, { passive: true });
window.addEventListener("hashchange", open);
mark();
open();
