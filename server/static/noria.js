// Updates an open page: ages figures, follows the live stream, replaces what changed.
// Pages work without this file, as they were when loaded.
"use strict";
(() => {
  const root = document.documentElement, body = document.body;
  const speed = Number(root.dataset.speed) || 1;
  let now = Number(root.dataset.now), asOf = performance.now();
  const clock = () => now + (performance.now() - asOf) / 1000 * speed;
  const setClock = (t) => { now = t; asOf = performance.now(); };

  // The same rules as Language.lasting of gateway/alerts/language.py in the style of pages.
  const lasting = (s) => {
    s = Math.max(s, 0);
    if (s < 59.5) return `${Math.floor(s)}\u00a0s`;
    const m = Math.floor(s / 60);
    if (m < 60) return `${m}\u00a0min`;
    const h = Math.floor(m / 60);
    if (h < 3 && m % 60) return `${h}\u00a0h\u00a0${m % 60}\u00a0min`;
    return h < 48 ? `${h}\u00a0h` : `${Math.floor(h / 24)} ${body.dataset.days}`;
  };
  const age = () => {
    for (const e of document.querySelectorAll("time[data-at]")) {
      const text = lasting(clock() - Number(e.dataset.at));
      const said = "bare" in e.dataset ? text : body.dataset.ago.replace("%", text);
      if (e.textContent !== said) e.textContent = said;
    }
  };

  // Make one element equal to another but keep its nodes, so that water animates and focus stays.
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  const become = (old, fresh) => {
    if (old.nodeType !== 1) { if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue; return; }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const byId = next.id && old.querySelector(`:scope > #${CSS.escape(next.id)}`);
      if (byId && byId !== at) { old.insertBefore(byId, at); at = byId; }
      if (at && same(at, next)) { become(at, next); at = at.nextSibling; }
      else old.insertBefore(next, at);
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  };

  const busy = () => {
    const e = document.activeElement;
    return e && e.matches("select, input:not([type=hidden])") && e.closest("#live");
  };
  let wanted = false, fetching = false, last = 0;
  const refresh = async () => {
    wanted = true;
    if (fetching || document.hidden || busy()) return;
    fetching = true; wanted = false;
    await new Promise((r) => setTimeout(r, Math.max(0, last + 1000 - Date.now())));
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.redirected) { location.assign(answer.url); return; }
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { lost(); }
    last = Date.now(); fetching = false;
    if (wanted) refresh();
  };
  const show = (fresh) => {
    setClock(Number(fresh.documentElement.dataset.now));
    const heading = () => document.querySelector("h1")?.textContent;
    const before = heading();
    for (const id of ["fresh", "live"]) {
      const old = document.getElementById(id), next = fresh.getElementById(id);
      if (old && next) become(old, next);
    }
    document.title = fresh.title;
    age();
    if (heading() !== before) document.getElementById("said").textContent = heading();
  };
  const lost = () => {
    const e = document.getElementById("fresh");
    if (e && !e.classList.contains("lost")) { e.classList.add("lost"); e.textContent = body.dataset.lost; }
  };

  // A page that nobody looks at holds no stream: over HTTP/1.1 a browser has six connections for all its pages.
  let stream = null, again = 0, version = Number(root.dataset.version);
  const leave = () => {
    clearTimeout(again);
    if (stream) stream.close();
    stream = null;
    delete root.dataset.following;
  };
  const follow = () => {
    if (stream || document.hidden) return;
    clearTimeout(again);
    stream = new EventSource(body.dataset.stream);
    const heard = (event) => {
      const data = JSON.parse(event.data);
      setClock(data.now);
      const first = !("following" in root.dataset);
      root.dataset.following = "";
      const changed = version !== data.version || (event.type === "change" && !first);
      version = data.version;
      if (changed || document.querySelector("#fresh.lost")) refresh();
    };
    stream.addEventListener("change", heard);
    stream.addEventListener("beat", heard);
    stream.addEventListener("end", (event) => {
      leave();
      // Replaced by newer pages of this person: it waits until somebody turns to it.
      if (JSON.parse(event.data).why === "replaced") lost();
      else { refresh(); again = setTimeout(follow, 5000); }
    });
    stream.addEventListener("error", (event) => {
      delete root.dataset.following; lost();
      if (event.target.readyState === EventSource.CLOSED) { leave(); refresh(); again = setTimeout(follow, 5000); }
    });
  };
  const turnTo = () => { if (!document.hidden) { follow(); refresh(); } };
  if (body.dataset.stream && document.getElementById("live")) {
    follow();
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => { if (event.persisted) turnTo(); });
    addEventListener("focus", () => { if (!stream) turnTo(); });
    document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); else turnTo(); });
    document.addEventListener("focusout", () => setTimeout(() => { if (wanted) refresh(); }, 200));
  }
  setInterval(age, speed > 1 ? 1000 : 10000);
  age();
})();
