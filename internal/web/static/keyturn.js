// The pages work without this script. It makes one thing nicer: a part of a page that
// changes by itself, such as where a code is, is looked at again every few seconds
// and put in place when it differs.
// And a form is sent once: a second click while the answer is on its way does nothing.
"use strict";
(() => {
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    if (sent.has(event.target)) event.preventDefault();
    else sent.add(event.target);
  });
  // A page that comes back from the browser's memory may send again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  const every = 4000; // milliseconds between two looks
  const until = Date.now() + 15 * 60 * 1000; // longer than a code lives

  const parts = (doc) => [...doc.querySelectorAll("[data-live]")];
  const typing = () => [...document.querySelectorAll("input")].some((field) => field.value !== field.defaultValue);

  function put(fresh) {
    for (const part of parts(document)) {
      const next = fresh.getElementById(part.id);
      if (!next || part.innerHTML === next.innerHTML || part.contains(document.activeElement)) continue;
      part.replaceChildren(...next.childNodes);
      if (!next.hasAttribute("data-live")) part.removeAttribute("data-live");
    }
  }

  async function look() {
    if (parts(document).length === 0 || Date.now() > until) return;
    try {
      if (!document.hidden) {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
        // 403 is a page too: it says that nothing more will come.
        if (answer.ok || answer.status === 403) {
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
          const title = fresh.querySelector("h1")?.textContent;
          if (title !== document.querySelector("h1")?.textContent && !typing()) {
            location.replace(location.href);
            return;
          }
          put(fresh);
        }
      }
    } catch {
      // The next look may do better; the page stands as it is.
    }
    setTimeout(look, every);
  }

  if (parts(document).length > 0) setTimeout(look, every);
})();
