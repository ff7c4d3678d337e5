// What pages do where there is a script. Without it every page works the same, by
// forms and links; this only saves a press of a button.

// The one way in which a text becomes a part of the page: it has just come from
// this server, as a page of ours.
const pages = globalThis.trustedTypes
  ? trustedTypes.createPolicy("licet", { createHTML: (text) => text })
  : { createHTML: (text) => text };

const secure = location.protocol === "https:";

// Times are shown as it is here.
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const name = (secure ? "__Host-" : "") + "licet-zone";
  if (!zone || document.cookie.includes(`${name}=${zone}`)) return;
  document.cookie = `${name}=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure ? "; Secure" : ""}`;
}

// The page says itself when it is out of date. What somebody has begun to fill in
// is left alone; a page that only waits is loaded anew.
function live() {
  const path = document.body.dataset.live;
  if (!path) return;
  let begun = false;
  document.querySelector("main").addEventListener("input", () => { begun = true; });
  const source = new EventSource(path);
  source.addEventListener("changed", async () => {
    if (document.querySelector("[data-waits]")) {
      source.close();
      location.reload();
      return;
    }
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(pages.createHTML(await answer.text()), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      if (begun && part.closest("main")) continue;
      const other = fresh.getElementById(part.id);
      if (!other) continue;
      for (const open of part.querySelectorAll("details[open][id]")) fresh.getElementById(open.id)?.setAttribute("open", "");
      if (!part.isEqualNode(other)) part.replaceWith(document.adoptNode(other));
    }
  });
  addEventListener("pagehide", () => source.close());
}

// A button copies what stands beside it.
function copies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copy);
      from.select?.();
      try {
        await navigator.clipboard.writeText(from.value ?? from.textContent);
        if (button.dataset.copied) button.lastElementChild.textContent = button.dataset.copied;
      } catch {
        // The browser does not let a page copy: it is marked, and can be copied by hand.
      }
    });
  }
}

// A passkey: the form has what it is asked as its data, and is sent with what it
// answers. Where there is no script there is no such form.
const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

function asked(form) {
  const publicKey = JSON.parse(form.dataset.options);
  publicKey.challenge = decode(publicKey.challenge);
  if (publicKey.user) publicKey.user.id = decode(publicKey.user.id);
  for (const list of [publicKey.allowCredentials, publicKey.excludeCredentials]) {
    for (const one of list ?? []) one.id = decode(one.id);
  }
  return publicKey;
}

function answered(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]) {
    if (credential.response[part]) response[part] = encode(credential.response[part]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({ id: credential.id, rawId: encode(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

async function passkeys() {
  if (!window.PublicKeyCredential) return;
  // They belong to the name of this server: whoever came by another has none here.
  for (const part of document.querySelectorAll("[data-passkeys-at]")) part.hidden = location.hostname !== part.dataset.passkeysAt;
  const form = document.querySelector("form[data-passkey]:not([hidden])");
  if (!form) return;
  let waiting = new AbortController();
  const use = async (more) => {
    const options = { publicKey: asked(form), signal: waiting.signal, ...more };
    try {
      const credential = await navigator.credentials[form.dataset.passkey](options);
      form.elements.response.value = answered(credential);
      form.submit();
    } catch {
      // They closed the dialog, or there is no such passkey: the page stays, with its other ways.
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    waiting.abort();
    waiting = new AbortController();
    use({});
  });
  // Where one has just not worked, the person says first whether to try another.
  if (form.dataset.passkey === "get" && !document.querySelector("#problem") && await PublicKeyCredential.isConditionalMediationAvailable?.()) use({ mediation: "conditional" });
}

// The slider goes where it was let go.
function slides() {
  const form = document.querySelector("form[data-slides]");
  let rests;
  form?.addEventListener("change", () => {
    clearTimeout(rests); // the keys move it by one day each
    rests = setTimeout(() => form.requestSubmit(), 400);
  });
}

// What was filled in before somebody had to sign in again is looked at once more.
function goesOn() {
  document.querySelector("form[data-goes-on]")?.requestSubmit();
}

// What went wrong with a form is the first thing to read.
function problems() {
  document.querySelector("#problem")?.focus();
}

tellZone();
live();
copies();
passkeys();
problems();
goesOn();
slides();
