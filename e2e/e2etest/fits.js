(() => {
  // Evaluated in a page by the tests: what reaches beyond the window, and which targets
  // are under 44 px. A link inside a sentence is as high as its line, and is left out.
  const words = (e) => (e.innerText || e.getAttribute("aria-label") || e.name || e.tagName).replace(/\s+/g, " ").trim().slice(0, 60);
  const wide = [];
  if (document.scrollingElement.scrollWidth > innerWidth) {
    for (const e of document.body.querySelectorAll("*")) {
      const r = e.getBoundingClientRect();
      if (r.right > innerWidth + 0.5 && e.checkVisibility() && wide.length < 5) wide.push(`${e.tagName.toLowerCase()}.${e.className} (${Math.round(r.right)} px)`);
    }
    if (wide.length === 0) wide.push(`something ${document.scrollingElement.scrollWidth} px wide`);
  }
  const inSentence = (e) => {
    if (getComputedStyle(e).display !== "inline") return false;
    return [...e.parentElement.childNodes].some((n) => n !== e && n.nodeType === Node.TEXT_NODE && n.textContent.trim() !== "");
  };
  const small = [];
  for (const e of document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    const target = e.matches("input[type=checkbox], input[type=radio]") ? (e.closest("label") ?? e) : e;
    const r = target.getBoundingClientRect();
    if (!target.checkVisibility() || r.bottom <= 0 || inSentence(target)) continue;
    if (r.height < 43.5 || r.width < 43.5) small.push(`${words(e)} (${Math.round(r.width)} by ${Math.round(r.height)})`);
  }
  return {Wide: wide, Small: small};
})()
