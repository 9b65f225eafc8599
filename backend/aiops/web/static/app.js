// What the pages do beyond their links and forms; each works without it.
"use strict";

// Copy buttons: data-copy names the element whose text is copied.
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const label = button.dataset.label || (button.dataset.label = button.textContent);
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
});

// On a phone the links at the top scroll sideways: the one of this page is to be seen.
document.querySelector(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Forms that ask before they act: data-confirm is the question.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Parts that change while one looks: data-live names where the part is had anew, and is gone when it has come to rest.
const LIVE_MILLISECONDS = 1000;
const LIVE_MILLISECONDS_MAX = 10000;

async function keepLive(part, milliseconds) {
  await new Promise((resume) => setTimeout(resume, milliseconds));
  try {
    const answer = await fetch(part.dataset.live, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) refresh(part, await answer.text());
  } catch {
    // the network is away: it is tried again
  }
  if (part.dataset.live) keepLive(part, Math.min(milliseconds * 1.3, LIVE_MILLISECONDS_MAX));
}

// The element stays, so that a screen reader hears of the change; what somebody is about to use stays as well.
function refresh(part, text) {
  if (part.contains(document.activeElement)) return;
  const holder = document.createElement("template");
  holder.innerHTML = text;
  const fresh = holder.content.firstElementChild;
  if (fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
  if (fresh.dataset.live) part.dataset.live = fresh.dataset.live;
  else delete part.dataset.live;
}

for (const part of document.querySelectorAll("[data-live]")) keepLive(part, LIVE_MILLISECONDS);

// The code beside a form follows what is typed: data-code names where it is had.
const TYPING_MILLISECONDS = 400;
for (const form of document.querySelectorAll("form[data-code]")) {
  let waiting;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => showCode(form), TYPING_MILLISECONDS);
  });
}

async function showCode(form) {
  form.asking?.abort();
  form.asking = new AbortController();
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.code, { method: "POST", body, signal: form.asking.signal });
    if (!answer.ok) return;
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text();
    for (const fresh of holder.content.querySelectorAll("code[id]")) {
      document.getElementById(fresh.id).textContent = fresh.textContent;
    }
  } catch {
    // asked again since, or the network is away: the next change asks again
  }
}
