// Draws what the agent says, once a second. Text goes in as text, never as markup. A part is drawn anew only when it
// changed, so that nothing is lost that a person is typing.
"use strict";
(() => {
  const HEADERS = { "X-Tongguan-Agent": "1" };
  const seen = new Map();
  const errors = new Map();
  let language = localStorage.getItem("language");
  let state = null;

  const at = (id) => document.getElementById(id);
  const words = () => WORDS[language] || WORDS.zh;
  const said = (thing) => (language === "en" ? thing.en || thing.zh : thing.zh || thing.en);

  function make(tag, options = {}, ...children) {
    const { on = {}, data = {}, ...rest } = options;
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(rest)) element[name] = value;
    for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
    for (const [name, handler] of Object.entries(on)) element.addEventListener(name, handler);
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }

  function when(text) {
    const parts = new Intl.DateTimeFormat("sv-SE", {
      timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle: "medium",
    }).format(new Date(text));
    return parts.replace(",", "");
  }
  const day = (text) => when(text).slice(0, 10);

  // draws into the element with this id if `what` (or the language) is not what is there
  function part(id, what, draw) {
    const key = JSON.stringify([language, what]);
    if (seen.get(id) === key) return;
    seen.set(id, key);
    at(id).replaceChildren(...[draw()].flat().filter((node) => node !== null));
  }

  const title = (wish) => {
    if (wish.challenge || wish.purpose === "challenge") return said({ zh: wish.title_zh, en: wish.title_en }) || words().challenge;
    return said({ zh: wish.title_zh, en: wish.title_en }) || wish.message_type || wish.request_id;
  };
  const nameOf = (fingerprint) => {
    const card = state.cards.find((one) => one.fingerprint === fingerprint);
    return card ? card.subject : fingerprint.slice(0, 16);
  };

  async function post(path, query, body) {
    const response = await fetch(`${path}?${new URLSearchParams(query)}`, {
      method: "POST", headers: HEADERS, body, credentials: "same-origin",
    });
    if (response.status === 409) return said(await response.json());
    return response.ok ? "" : words().lost;
  }

  const LINK_TONES = { attending: "green", connecting: "blue", waiting: "amber", elsewhere: "amber" };
  function frame() {
    const w = words();
    document.documentElement.lang = language === "en" ? "en" : "zh-CN";
    document.title = w.product;
    at("product").textContent = w.product;
    at("enterprise").textContent = state.enterprise;
    at("language").textContent = w.otherLanguage;
    at("pill").textContent = w.link[state.link.code];
    at("pill").className = `tag ${LINK_TONES[state.link.code] || "red"}`;
    at("pill").dataset.link = state.link.code;
    at("cards-title").textContent = w.cards;
    at("working-title").textContent = w.working;
    at("journal-title").textContent = w.journal;
    at("foot").textContent = w.foot(state.version, state.address, state.agent_id);
  }

  const notice = (tone, test, ...children) => make("p", { className: `notice ${tone}`, data: { test } }, ...children);
  function notices() {
    const w = words();
    const all = [];
    if (state.link.code !== "attending") {
      const tone = LINK_TONES[state.link.code] || "red";
      const detail = state.link.detail ? ` · ${state.link.detail}` : "";
      all.push(notice(tone, "link", said(state.link), " ", make("small", {}, w.since(when(state.link.since)), detail)));
    }
    if (state.clock_off) all.push(notice("amber", "clock", w.clock(Math.abs(state.clock_off))));
    if (!state.modules.length) all.push(notice("amber", "no-modules", w.noModules));
    for (const module of state.modules.filter((one) => one.trouble)) {
      all.push(notice("red", "module", w.trouble(module.name, module.path), make("small", {}, module.trouble)));
    }
    for (const wish of state.withdrawn) {
      all.push(notice("grey", "withdrawn", w.withdrawn(title(wish), when(wish.at))));
    }
    return all;
  }

  function pairs(...entries) {
    const list = make("dl");
    for (const [name, value] of entries) {
      if (value) list.append(make("dt", {}, name), make("dd", {}, value));
    }
    return list;
  }

  function asking(wish) {
    const w = words();
    const answer = (yes) => async () => {
      const trouble = await post("/api/confirm", { request: wish.request_id, yes: yes ? "1" : "0" });
      if (trouble) alertLine.textContent = trouble;
      await refresh();
    };
    const alertLine = make("p", { className: "error", role: "alert" });
    const challenge = wish.challenge;
    return make(
      "article", { className: "ask", data: { test: "ask", request: wish.request_id } },
      make("h2", {}, w.asking),
      make("p", {}, challenge ? w.askChallenge(challenge.purpose) : w.askDocument),
      challenge
        ? pairs([w.origin, challenge.origin], [w.user, challenge.user], [w.with, nameOf(wish.fingerprint)])
        : pairs([w.columns[1], title(wish)], [w.columns[2], String(wish.documents || "")], [w.columns[3], wish.actor], [w.with, nameOf(wish.fingerprint)]),
      challenge ? make("p", { className: "hint" }, w.askHint) : null,
      make(
        "div", { className: "buttons" },
        make("button", { type: "button", className: "primary", data: { test: "yes" }, on: { click: answer(true) } }, w.yes),
        make("button", { type: "button", data: { test: "no" }, on: { click: answer(false) } }, w.no),
        make("small", {}, w.until(when(wish.expires_at))),
      ),
      alertLine,
    );
  }

  const CARD_TONES = { ready: "green", "pin-needed": "amber", "pin-low": "amber" };
  function card(one) {
    const w = words();
    const expiry = one.days_left < 0 ? w.ended : one.warning ? w.ends(one.days_left) : "";
    return make(
      "article", { className: "card", data: { test: "card", fingerprint: one.fingerprint, state: one.state } },
      make("div", { className: "head" },
        make("h3", {}, one.subject || one.label),
        make("span", { className: `tag ${CARD_TONES[one.state] || "red"}`, data: { test: "state" } }, w.card[one.state])),
      expiry ? make("p", { className: `notice ${one.warning === 60 ? "amber" : "red"}`, data: { test: "expiry" } }, expiry) : null,
      pairs(
        [w.units, one.units],
        [w.validity, day(one.not_after)],
        [w.mechanisms, one.mechanisms.join(w.comma) || w.noMechanisms],
        [w.token, [one.label, one.model, one.token_serial].filter(Boolean).join(" · ")],
        [w.serial, one.serial],
      ),
      one.waiting ? make("p", { className: "hint" }, w.waitingHere(one.waiting)) : null,
      ...login(one),
    );
  }

  function login(one) {
    const w = words();
    const trouble = errors.get(one.fingerprint) || "";
    const error = make("p", { className: "error", role: "alert", data: { test: "pin-error" } }, trouble);
    if (one.state === "ready") {
      const forget = () => post("/api/logout", { card: one.fingerprint }).then(refresh);
      return [make("div", { className: "buttons" }, make("button", { type: "button", data: { test: "logout" }, on: { click: forget } }, w.logout))];
    }
    // what has ended signs nothing: no PIN is asked for
    if (one.days_left < 0) return [];
    if (one.state === "pin-locked") return [make("p", { className: "notice red" }, w.locked), error];
    if (one.state === "failing") return [make("p", { className: "notice red" }, one.reason), error];
    const low = one.state === "pin-low";
    const input = make("input", {
      type: "password", autocomplete: "off", spellcheck: false, maxLength: 64, required: !one.pin_pad,
      disabled: one.pin_pad, placeholder: one.pin_pad ? w.pinPad : "", id: `pin-${one.fingerprint}`, data: { test: "pin" },
    });
    const sure = make("input", { type: "checkbox", id: `sure-${one.fingerprint}`, data: { test: "sure" } });
    const button = make("button", { type: "submit", className: "primary", disabled: low, data: { test: "login" } }, w.pinSubmit);
    sure.addEventListener("change", () => { button.disabled = !sure.checked; });
    const submit = async (event) => {
      event.preventDefault();
      const pin = new TextEncoder().encode(input.value);
      input.value = "";
      button.disabled = true;
      const answer = await post("/api/pin", { card: one.fingerprint, low: low && sure.checked ? "1" : "0" }, pin);
      pin.fill(0);
      errors.set(one.fingerprint, answer);
      seen.delete("cards");
      await refresh();
    };
    return [
      one.reason && !trouble ? make("p", { className: "hint" }, w.refusedBefore) : null,
      make(
        "form", { on: { submit } },
        low ? make("p", { className: "notice amber", data: { test: "low" } }, w.low[one.left] || w.low.low) : null,
        low ? make("label", { className: "sure", htmlFor: sure.id }, sure, w.lowConfirm) : null,
        make("div", { className: "pin" }, make("label", { htmlFor: input.id }, w.pin), input, button),
        make("p", { className: "hint" }, w.pinNote),
      ),
      error,
    ];
  }

  function cards() {
    const w = words();
    for (const fingerprint of errors.keys()) {
      const one = state.cards.find((each) => each.fingerprint === fingerprint);
      if (!one || one.state === "ready") errors.delete(fingerprint);
    }
    if (state.cards.length) return state.cards.map(card);
    return make("div", { className: "empty" }, make("p", {}, w.noCards), make("p", { className: "hint" }, w.noCardsHint));
  }

  function working() {
    const w = words();
    if (!state.working.length) return make("p", { className: "empty small" }, w.idle);
    return make("ul", { className: "working" }, ...state.working.map((wish) =>
      make("li", { data: { test: "working" } },
        make("span", { className: `tag ${wish.stage === "signing" ? "blue" : "grey"}` }, w.stage[wish.stage]),
        make("span", {}, title(wish)),
        make("small", {}, [wish.documents ? `× ${wish.documents}` : "", nameOf(wish.fingerprint), wish.actor].filter(Boolean).join(" · ")))));
  }

  const OUTCOME_TONES = { accepted: "green", signed: "blue", intended: "amber", rejected: "red", refused: "grey", failed: "red" };
  function journal() {
    const w = words();
    if (!state.journal.length) return make("p", { className: "empty" }, w.noJournal);
    const rows = state.journal.map((entry) => {
      const why = said(entry) || (entry.state === "intended" ? w.intended : "") || (entry.state === "rejected" ? entry.reason : "");
      return make("tr", { data: { test: "entry", state: entry.state } },
        make("td", { className: "time" }, ...when(entry.at).split(" ").flatMap((word) => [make("span", {}, word), " "])),
        make("td", {}, title(entry)),
        make("td", { className: "number" }, entry.documents ? String(entry.documents) : ""),
        make("td", {}, entry.actor),
        make("td", {},
          make("span", { className: `tag ${OUTCOME_TONES[entry.state]}`, title: entry.reason }, w.outcome[entry.state]),
          why ? make("small", {}, why) : null,
          entry.seconds ? make("small", {}, w.seconds(entry.seconds)) : null));
    });
    return make("table", {},
      make("thead", {}, make("tr", {}, ...w.columns.map((name, index) => make("th", { className: index === 2 ? "number" : "" }, name)))),
      make("tbody", {}, ...rows));
  }

  function draw() {
    language = language || state.language;
    frame();
    const { link, clock_off, modules, withdrawn } = state;
    part("notices", [link, clock_off, modules, withdrawn], notices);
    part("asking", state.asking, () => state.asking.map(asking));
    const typing = [...document.querySelectorAll("input[type=password]")].some((input) => input.value);
    // a PIN that is half typed stays, unless its card went
    const there = new Set(state.cards.map((one) => one.fingerprint));
    const gone = [...document.querySelectorAll("[data-fingerprint]")].some((node) => !there.has(node.dataset.fingerprint));
    if (!typing || gone) part("cards", state.cards, cards);
    part("working", [state.working, state.cards.map((one) => one.subject)], working);
    part("journal", state.journal, journal);
  }

  async function refresh() {
    try {
      const response = await fetch("/api/state", { headers: HEADERS, credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      state = await response.json();
      draw();
    } catch {
      seen.delete("notices");
      at("notices").replaceChildren(notice("red", "lost", words().lost));
    }
  }

  at("language").addEventListener("click", () => {
    language = language === "en" ? "zh" : "en";
    localStorage.setItem("language", language);
    errors.clear();
    if (state) draw();
  });
  const beat = async () => {
    await refresh();
    setTimeout(beat, document.hidden ? 5000 : 1000);
  };
  beat();
})();
