// Files go ahead of their form by tus 1.0: in any number of attempts, with progress, also after a reload.
// Without this script the file input works as it is. Drop and paste come from portal.js, as chosen files.
"use strict";
(() => {
  const VERSION = "1.0.0";
  const FIRST_WAIT = 500;
  const LONGEST_WAIT = 30000;
  const AT_ONCE = 2;
  const KEPT_FOR = 24 * 3600 * 1000;
  const KEY = "draft:upload:"; // "draft:": signing out clears it, like the drafts
  const token = () => document.querySelector('meta[name="csrf-token"]')?.content || "";
  const fill = (text, values) => (text || "").replace(/%\((\w+)\)s/g, (_all, name) => values[name] ?? "");
  const language = document.documentElement.lang || "en";
  const store = {
    get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full, or switched off */ } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* as above */ } },
    keys() { try { return Object.keys(localStorage).filter((key) => key.startsWith(KEY)); } catch { return []; } },
  };
  function sizeInWords(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    let at = 0;
    while (bytes >= 1000 && at < units.length - 1) { bytes /= 1000; at += 1; }
    const digits = bytes < 10 && at ? 1 : 0;
    return new Intl.NumberFormat(language, { style: "unit", unit: units[at], maximumFractionDigits: digits }).format(bytes);
  }
  const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

  // One request. Resolves with the answer, whatever its status; rejects when none came.
  function ask(method, url, { headers = {}, body = null, progress, started } = {}) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open(method, url);
      request.setRequestHeader("Tus-Resumable", VERSION);
      if (method !== "HEAD") request.setRequestHeader("X-CSRFToken", token());
      Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
      if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded));
      request.addEventListener("load", () => resolve(request));
      ["error", "abort", "timeout"].forEach((name) => request.addEventListener(name, () => reject(new Error(name))));
      started?.(request);
      request.send(body);
    });
  }

  class Refused extends Error {}

  // One file on its way: beginning, sending, pausing, trying again, done.
  class Sending {
    constructor(box, file) {
      this.box = box;
      this.file = file;
      this.key = `${KEY}${[file.name, file.size, file.lastModified].join(":")}`;
      this.url = "";
      this.offset = 0;
      this.state = "waiting";
      this.attempts = 0;
      this.row = new Row(this);
    }
    get percent() { return Math.floor((100 * this.offset) / this.file.size); }
    get isOpen() { return this.state !== "done" && this.state !== "removed"; }

    show(state) {
      if (this.state === "removed") return;
      this.state = state;
      this.row.draw();
    }

    async run() {
      this.show("sending");
      while (this.state === "sending" || this.state === "retrying") {
        try {
          const number = await this.attempt();
          if (number) { this.finish(number); return; }
        } catch (error) {
          if (this.state === "paused" || this.state === "removed") return;
          if (error instanceof Refused) { this.reason = error.message; this.show("failed"); return; }
          await this.pauseBeforeNext();
        }
      }
    }

    // Gives the number of the arrived file. Throws when there has to be another attempt.
    async attempt() {
      const isNew = !this.url && await this.begin();
      const number = isNew ? null : await this.look();
      if (number) return number;
      const from = this.offset;
      const sent = await ask("PATCH", this.url, {
        headers: { "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(from) },
        body: this.file.slice(from),
        progress: (loaded) => this.moved(Math.min(from + loaded, this.file.size)),
        started: (request) => { this.request = request; },
      });
      if (sent.status !== 204) throw this.trouble(sent);
      this.moved(Number(sent.getResponseHeader("Upload-Offset")));
      const arrived = sent.getResponseHeader("Upload-File");
      if (!arrived) throw new Error("not complete");
      return arrived;
    }

    // How far it is on the server; the number if it is there already.
    async look() {
      const at = await ask("HEAD", this.url, { started: (request) => { this.request = request; } });
      if (at.status === 404 || at.status === 410) { this.forget(); throw new Error("gone"); }
      if (at.status !== 200 || !at.getResponseHeader("Upload-Offset")) throw this.trouble(at);
      this.moved(Number(at.getResponseHeader("Upload-Offset")));
      return at.getResponseHeader("Upload-File");
    }

    // True if the upload is new; false if one from before goes on.
    async begin() {
      const kept = store.get(this.key);
      if (kept?.url && Date.now() - kept.at < KEPT_FOR) { this.url = kept.url; return false; }
      const metadata = `filename ${base64(this.file.name)},filetype ${base64(this.file.type || "application/octet-stream")}`;
      const answer = await ask("POST", this.box.url, {
        headers: { "Upload-Length": String(this.file.size), "Upload-Metadata": metadata },
        started: (request) => { this.request = request; },
      });
      const url = answer.getResponseHeader("Location");
      if (answer.status !== 201 || !url) throw this.trouble(answer, true);
      this.url = url;
      this.remember();
      return true;
    }

    // What another attempt may mend is thrown as it is; what it cannot mend is a refusal with its reason.
    trouble(answer, begins = false) {
      const mends = answer.status >= 500 && answer.status !== 507 || [0, 408, 409, 423].includes(answer.status) || answer.status === 429 && !begins;
      const plain = (answer.getResponseHeader("Content-Type") || "").startsWith("text/plain");
      return mends ? new Error(String(answer.status)) : new Refused(plain ? answer.responseText.trim() : "");
    }

    moved(offset) {
      if (offset > this.offset) this.attempts = 0;
      this.offset = offset;
      this.show("sending");
      if (this.percent !== this.remembered) this.remember();
    }
    remember() {
      this.remembered = this.percent;
      store.set(this.key, { url: this.url, at: Date.now(), percent: this.percent, name: this.file.name });
    }
    forget() {
      store.drop(this.key);
      this.url = "";
      this.offset = 0;
    }

    async pauseBeforeNext() {
      this.show("retrying");
      const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.attempts) * (0.75 + Math.random() / 2);
      this.attempts += 1;
      await new Promise((resolve) => {
        this.hurry = resolve;
        setTimeout(resolve, wait);
        addEventListener("online", resolve, { once: true });
      });
    }

    pause() { this.show("paused"); this.stop(); }
    resume() { this.attempts = 0; this.show("waiting"); this.box.next(); }
    stop() { this.request?.abort(); this.hurry?.(); }
    remove() {
      const url = this.url;
      this.show("removed");
      this.state = "removed";
      this.stop();
      store.drop(this.key);
      this.row.element.remove();
      if (url) setTimeout(() => this.tellRemoved(url, 3), 500);
      this.box.changed();
    }
    // The server may still be busy with what was cut off; and if it never hears of it, the upload expires by itself.
    tellRemoved(url, attempts) {
      const again = () => { if (attempts > 1) setTimeout(() => this.tellRemoved(url, attempts - 1), 2000); };
      ask("DELETE", url).then((answer) => { if (answer.status === 423) again(); }, again);
    }
    finish(number) {
      this.offset = this.file.size;
      this.remember();
      this.number = number;
      this.show("done");
      this.box.changed();
    }
  }

  // What a person sees of it.
  class Row {
    constructor(sending) {
      this.sending = sending;
      this.element = document.createElement("li");
      this.element.className = "upload";
      this.name = Object.assign(document.createElement("span"), { className: "name", textContent: sending.file.name });
      this.bar = Object.assign(document.createElement("progress"), { max: 100, value: 0 });
      this.bar.setAttribute("aria-label", sending.file.name);
      this.text = Object.assign(document.createElement("span"), { className: "how" });
      this.main = this.button(() => this.press());
      this.end = this.button(() => sending.remove());
      this.element.append(this.name, this.bar, this.text, this.main, this.end);
    }
    button(act) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "btn small" });
      button.addEventListener("click", act);
      return button;
    }
    press() {
      const { sending } = this;
      if (["sending", "retrying", "waiting"].includes(sending.state)) sending.pause();
      else sending.resume();
      sending.box.next();
    }
    draw() {
      const { state, percent, file, reason, box } = this.sending;
      const words = box.words;
      this.element.dataset.state = state;
      this.bar.value = percent;
      this.bar.hidden = ["done", "failed"].includes(state);
      const values = { percent, size: sizeInWords(file.size) };
      this.text.textContent = (state === "failed" && reason) || fill(words[state], values);
      const goesOn = ["sending", "retrying", "waiting"].includes(state);
      this.say(this.main, goesOn ? words.pause : state === "failed" ? words.again : words.resume);
      this.say(this.end, words.remove);
      this.main.hidden = state === "done";
      if (state === "done" && !this.input) {
        this.input = Object.assign(document.createElement("input"), { type: "hidden", name: box.name, value: `${this.sending.number}:${file.name}` });
        this.element.append(this.input);
      }
    }
    say(button, word) {
      button.textContent = word;
      button.setAttribute("aria-label", `${word}: ${this.sending.file.name}`);
    }
  }

  // A file input with its list.
  class Box {
    constructor(element) {
      this.element = element;
      this.input = element.querySelector('input[type="file"]');
      this.list = element.querySelector("ul");
      this.status = element.querySelector('[role="status"]');
      this.words = JSON.parse(element.dataset.words);
      this.name = element.dataset.uploads;
      this.url = element.dataset.url;
      this.limit = Number(element.dataset.limit);
      this.most = this.input.multiple ? Number(element.dataset.most) : 1;
      this.sendings = [];
      this.input.addEventListener("change", () => this.take());
      this.remindOfUnfinished();
    }
    get open() { return this.sendings.filter((one) => one.isOpen); }
    get moving() { return this.sendings.filter((one) => one.state === "sending" || one.state === "retrying"); }

    take() {
      const chosen = [...this.input.files];
      if (!chosen.length) return;
      this.input.value = "";
      this.tell("");
      for (const file of chosen) {
        const size = sizeInWords(this.limit);
        if (!file.size) this.tell(fill(this.words.empty, { name: file.name }));
        else if (file.size > this.limit) this.tell(fill(this.words.tooLarge, { name: file.name, size }));
        else if (this.list.children.length >= this.most) this.tell(fill(this.words.tooMany, { count: this.most }));
        else this.add(file);
      }
      this.next();
    }
    add(file) {
      const sending = new Sending(this, file);
      if (this.open.some((one) => one.key === sending.key)) return;
      this.sendings.push(sending);
      this.list.append(sending.row.element);
      sending.row.draw();
    }
    next() {
      const waiting = this.sendings.filter((one) => one.state === "waiting");
      waiting.slice(0, Math.max(0, AT_ONCE - this.moving.length)).forEach((one) => { one.run().finally(() => this.next()); });
    }
    changed() {
      if (this.open.length) return;
      if (this.sendings.some((one) => one.state === "done")) this.tell(this.words.allDone);
      const { held } = this;
      this.held = null;
      held?.();
    }
    tell(text) { this.status.textContent = text; }

    remindOfUnfinished() {
      for (const key of store.keys()) {
        const kept = store.get(key);
        if (!kept || Date.now() - kept.at > KEPT_FOR) store.drop(key);
        else if (kept.percent < 100) this.tell(fill(this.words.unfinished, kept));
      }
    }
  }

  const boxes = new Map();
  function find(from = document) {
    from.querySelectorAll("[data-uploads]").forEach((element) => {
      if (!boxes.has(element)) boxes.set(element, new Box(element));
    });
  }
  find();
  document.addEventListener("htmx:afterSettle", (event) => find(event.target));

  // A form waits for its files and then goes by itself. Before portal.js hears of it: that would mark it as sent.
  document.addEventListener("submit", (event) => {
    const waits = [...boxes.values()].filter((box) => box.input.form === event.target && box.open.length);
    if (!waits.length) {
      [...boxes.values()].filter((box) => box.input.form === event.target).forEach((box) => {
        box.sendings.filter((one) => one.state === "done").forEach((one) => store.drop(one.key));
      });
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { target: form, submitter } = event;
    waits.forEach((box) => {
      box.tell(box.words.holding);
      box.held = () => form.requestSubmit(submitter?.isConnected ? submitter : null);
      const stuck = box.open.find((one) => one.state === "failed" || one.state === "paused");
      stuck?.row.main.focus();
    });
  }, true);
})();
