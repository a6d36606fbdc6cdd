// The pages work without this script, but for passkeys, which no browser gives to a form.
// It makes three things: a part of a page that changes by itself, such as where a code is,
// is looked at again every few seconds and put in place when it differs; a form is sent
// once, so that a second click while the answer is on its way does nothing; and a passkey
// is asked for, made, and put into the form that a press of its button sends.
"use strict";
(() => {
  const sent = new WeakSet();
  let going = false; // a form is on its way: the page must not be left for another reason
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.passkey && !form.elements.credential.value) {
      event.preventDefault();
      press(form);
    } else if (sent.has(form)) event.preventDefault();
    else go(form);
  });
  function go(form) {
    sent.add(form);
    going = true;
  }
  // A page that comes back from the browser's memory may send again.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  // Parts that change by themselves.

  const every = 4000; // milliseconds between two looks
  const until = Date.now() + 15 * 60 * 1000; // longer than a code lives

  const parts = (doc) => [...doc.querySelectorAll("[data-live]")];
  const typing = () => [...document.querySelectorAll("input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);

  function put(fresh) {
    for (const part of parts(document)) {
      const next = fresh.getElementById(part.id);
      if (!next || part.innerHTML === next.innerHTML || part.contains(document.activeElement)) continue;
      part.replaceChildren(...next.childNodes);
      if (!next.hasAttribute("data-live")) part.removeAttribute("data-live");
    }
  }

  async function look() {
    const here = parts(document)[0]?.dataset.live || location.href; // a form may have been answered elsewhere
    if (parts(document).length === 0 || Date.now() > until) return;
    try {
      if (!document.hidden) {
        const answer = await fetch(here, { headers: { Accept: "text/html" }, redirect: "manual" });
        const stays = typing() || going;
        if (answer.type === "opaqueredirect") {
          // What was waited for has come, or the sign-in has ended: go where we are sent.
          if (!stays) return location.replace(here);
        } else if (answer.ok || answer.status === 403) {
          // 403 is a page too: it says that nothing more will come.
          const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
          const title = fresh.querySelector("h1")?.textContent;
          if (title !== document.querySelector("h1")?.textContent && !stays) return location.replace(here);
          put(fresh);
        }
      }
    } catch {
      // The next look may do better; the page stands as it is.
    }
    setTimeout(look, every);
  }

  if (parts(document).length > 0) setTimeout(look, every);

  // Passkeys. The server's options are WebAuthn's JSON (Level 3, section 5.1): its bytes
  // are base64url. Browsers that cannot read and write that themselves are helped.

  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

  function read(options, kind) {
    const own = kind === "create" ? PublicKeyCredential.parseCreationOptionsFromJSON : PublicKeyCredential.parseRequestOptionsFromJSON;
    if (own) return own.call(PublicKeyCredential, options);
    const list = (all) => (all || []).map((one) => ({ ...one, id: bytes(one.id) }));
    const o = { ...options, challenge: bytes(options.challenge) };
    if (kind === "create") {
      o.user = { ...options.user, id: bytes(options.user.id) };
      o.excludeCredentials = list(options.excludeCredentials);
    } else o.allowCredentials = list(options.allowCredentials);
    return o;
  }

  function write(credential) {
    // Some password managers hand out a credential whose toJSON throws.
    try {
      if (credential.toJSON) return JSON.stringify(credential);
    } catch {}
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) response.transports = credential.response.getTransports();
    return JSON.stringify({
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults(),
    });
  }

  const tell = (form, what) => {
    const says = form.parentElement.querySelector("[data-passkey-says]");
    if (says) says.textContent = (what && says.dataset[what]) || "";
  };

  let quiet; // ends the offer in the field of the login name, when the button is pressed

  // ask gets the options from the page or from the server.
  async function ask(form) {
    if (form.dataset.options) {
      const options = JSON.parse(form.dataset.options);
      delete form.dataset.options; // each is good for one try
      return { ceremony: form.elements.ceremony.value, options };
    }
    const answer = await fetch(form.dataset.begin, {
      method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams(new FormData(form)), redirect: "manual",
    }).catch(() => { throw "offline"; });
    if (!answer.ok) throw answer;
    return answer.json();
  }

  async function answer(form, more) {
    const asked = await ask(form);
    const kind = form.dataset.passkey;
    const publicKey = read(asked.options.publicKey ?? asked.options, kind);
    const credential = await navigator.credentials[kind]({ publicKey, ...more });
    form.elements.ceremony.value = asked.ceremony;
    form.elements.credential.value = write(credential);
    go(form);
    form.submit();
  }

  async function press(form) {
    if (sent.has(form)) return;
    sent.add(form);
    quiet?.abort();
    tell(form);
    try {
      await answer(form);
    } catch (fault) {
      sent.delete(form);
      // A redirect or a refusal says that the page is out of date: load it, and it tells.
      if (fault instanceof Response && (fault.type === "opaqueredirect" || fault.status === 404)) return location.replace(form.dataset.here);
      const name = fault === "offline" ? fault
        : fault?.name === "NotAllowedError" || fault?.name === "AbortError" ? "cancelled"
        : fault?.name === "InvalidStateError" ? "twice" : "failed";
      tell(form, name);
    }
  }

  // offer lets the browser name passkeys among what it fills the login name with.
  async function offer(form) {
    try {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      quiet = new AbortController();
      await answer(form, { mediation: "conditional", signal: quiet.signal });
    } catch {
      // Nothing was asked aloud, so nothing is said. The button is there.
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    if (!window.PublicKeyCredential) {
      tell(form, "none");
      continue;
    }
    form.hidden = false;
    if ("auto" in form.dataset) offer(form);
  }
})();
