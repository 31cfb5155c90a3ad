// Everything here makes the portal quicker; nothing here is needed, except for drafts and copying.
// No inline handlers, no eval: the content policy allows neither. Pages say what they want by data attributes.
"use strict";
(() => {
  const root = document.documentElement;
  root.dataset.js = "";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const words = JSON.parse($('meta[name="words"]')?.content || "{}");
  const token = () => $('meta[name="csrf-token"]')?.content || "";
  const fill = (text, values) => (text || "").replace(/%\((\w+)\)s/g, (_all, name) => values[name] ?? "");
  const store = {
    get(key) { try { return localStorage.getItem(key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem(key, value); } catch { /* full, or switched off */ } },
    drop(key) { try { localStorage.removeItem(key); } catch { /* as above */ } },
  };

  // ---- messages -------------------------------------------------------------------------------------------
  function toast(text, kind = "info", action) {
    const box = $("#toasts");
    if (!box) return;
    const line = document.createElement("div");
    line.className = `toast ${kind}`;
    const span = document.createElement("span");
    span.textContent = text;
    line.append(span);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn small";
      button.textContent = action.label;
      button.addEventListener("click", () => { action.run(); line.remove(); });
      line.append(button);
    }
    box.append(line);
    fade(line);
  }
  // Good news leaves by itself, unless somebody is reading it; bad news stays until it is dismissed.
  function fade(line) {
    if (line.matches(".error, .warning")) return;
    setTimeout(() => (line.matches(":hover, :focus-within") ? fade(line) : line.remove()), 10000);
  }
  $$(".toast").forEach(fade);

  // ---- theme ----------------------------------------------------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-form]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    $$("button", form).forEach((button) => button.setAttribute("aria-pressed", String(button === event.submitter)));
    const body = new FormData(form);
    body.set("theme", theme);
    fetch(form.action, { method: "POST", body, headers: { "X-CSRFToken": token() }, redirect: "manual" }).catch(() => {});
  });

  // ---- drafts: what is typed into [data-draft] survives a reload, and ends when the server has it ---------
  const draftKey = (field) => `draft:${location.pathname}:${field.dataset.draft || field.name}`;
  const SENT = "draft:sent";
  function restoreDrafts(from = document) {
    const sent = store.get(SENT);
    if (sent !== null) {
      // We came from a form that was sent. If it came back with errors the fields are filled again: keep.
      store.drop(SENT);
      if (!$(".summary, [aria-invalid='true']")) JSON.parse(sent).forEach((key) => store.drop(key));
    }
    $$("[data-draft]", from).forEach((field) => {
      const kept = store.get(draftKey(field));
      if (!kept || field.value.trim()) return;
      field.value = kept;
      // An internal note must never come back as a reply to the customer.
      const kind = store.get(`${draftKey(field)}:kind`);
      const choice = kind && $(`input[name="kind"][value="${CSS.escape(kind)}"]`, field.form);
      if (choice && !choice.checked) choice.click();
      field.dispatchEvent(new Event("input", { bubbles: true }));
      toast(words.restored, "info", { label: words.discard, run: () => { field.value = ""; store.drop(draftKey(field)); field.focus(); } });
    });
  }
  document.addEventListener("input", (event) => {
    const field = event.target;
    if (!field.matches?.("[data-draft]")) return;
    if (field.value.trim()) store.set(draftKey(field), field.value);
    else store.drop(draftKey(field));
    rememberKind(field.form);
  });
  function rememberKind(form) {
    const kind = form && $('input[name="kind"]:checked', form)?.value;
    if (kind) $$("[data-draft]", form).forEach((field) => store.set(`${draftKey(field)}:kind`, kind));
  }
  const draftsOf = (form) => $$("[data-draft]", form).flatMap((field) => [draftKey(field), `${draftKey(field)}:kind`]);
  // Signing out leaves nothing behind on a shared computer.
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-signout]")) return;
    try { Object.keys(localStorage).filter((key) => key.startsWith("draft:")).forEach((key) => localStorage.removeItem(key)); } catch { /* none */ }
  });

  // ---- forms: sent once (the server makes sure anyway) ----------------------------------------------------
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.matches("[hx-post], [data-theme-form]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "1";
    const drafts = draftsOf(form);
    if (drafts.length) store.set(SENT, JSON.stringify(drafts));
    const button = event.submitter;
    if (button?.matches(".btn")) {
      // After the browser has read the form: a disabled button would not be part of it.
      setTimeout(() => { button.dataset.busy = ""; button.setAttribute("aria-disabled", "true"); });
    }
  });
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    $$("form[data-sent]").forEach((form) => delete form.dataset.sent);
    $$("[data-busy]").forEach((button) => { delete button.dataset.busy; button.removeAttribute("aria-disabled"); });
  });

  // ---- clicks: dialogs, menus, copying, toasts ------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const at = event.target;
    const opener = at.closest("[data-dialog]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.dialog);
      if (dialog) { event.preventDefault(); dialog.showModal(); }
      return;
    }
    const invoker = at.closest("button[commandfor]");
    if (invoker && !("commandForElement" in HTMLButtonElement.prototype)) document.getElementById(invoker.getAttribute("commandfor"))?.showModal();
    if (at.closest("[data-open-shortcuts]")) { $("#account")?.hidePopover?.(); $("#shortcuts")?.showModal(); }
    if (at.closest("[data-close]")) at.closest("dialog")?.close();
    if (at.matches("dialog") && at.open && !("closedBy" in HTMLDialogElement.prototype)) at.close();
    at.closest("[data-dismiss]")?.closest(".toast")?.remove();
    const copy = at.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => {
      copy.dataset.copied = "";
      toast(words.copied);
      setTimeout(() => delete copy.dataset.copied, 2000);
    });
    $$("details.menu[open]").forEach((menu) => { if (!menu.contains(at)) menu.open = false; });
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      $$('tbody input[type="checkbox"]', event.target.closest("table")).forEach((box) => { box.checked = event.target.checked; });
    }
    if (event.target.matches('.composer input[name="kind"]')) {
      const field = $("textarea", event.target.form);
      field.dataset.reply ??= field.placeholder;
      field.placeholder = event.target.value === "note" ? field.dataset.note : field.dataset.reply;
      if (field.value.trim()) rememberKind(event.target.form);
    }
    if (event.target.matches("[data-submit]")) event.target.form?.requestSubmit();
  });

  // ---- keyboard -------------------------------------------------------------------------------------------
  const visible = (element) => element && element.checkVisibility?.() !== false;
  const mains = () => $$(".list a.syn, [data-row] a.syn").filter(visible);
  function move(step) {
    const rows = mains();
    if (!rows.length) return;
    const now = rows.indexOf(document.activeElement);
    const next = rows[Math.min(rows.length - 1, Math.max(0, now < 0 ? 0 : now + step))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }
  function press(key) {
    const target = $$(`[data-key="${CSS.escape(key)}"]`).find(visible);
    if (!target) return false;
    if (target.matches("textarea, input:not([type=radio])")) target.focus();
    else target.click();
    const follow = target.dataset.focus && $(target.dataset.focus);
    if (follow) follow.focus();
    return true;
  }
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      $$("details.menu[open]").forEach((menu) => { menu.open = false; $("summary", menu).focus(); });
      if (field?.matches(".search input")) field.blur();
      return;
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && field?.form?.matches("[data-send], .composer, .composer form")) {
      event.preventDefault();
      field.form.requestSubmit();
      return;
    }
    if (field || event.ctrlKey || event.metaKey || event.altKey || root.dataset.shortcuts === "off" || $("dialog[open]")) return;
    if (event.key === "/") { event.preventDefault(); const search = $("#search"); search?.focus(); search?.select(); return; }
    if (Date.now() - going < 1500) {
      going = 0;
      const link = $(`[data-go="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); location.assign(link.href); }
      return;
    }
    if (event.key === "g") { going = Date.now(); return; }
    if (event.key === "j" || event.key === "ArrowDown" && mains().includes(document.activeElement)) { event.preventDefault(); move(1); return; }
    if (event.key === "k" || event.key === "ArrowUp" && mains().includes(document.activeElement)) { event.preventDefault(); move(-1); return; }
    if (event.key === "?") { event.preventDefault(); $("#shortcuts")?.showModal(); return; }
    if (event.key.length === 1 && press(event.key)) event.preventDefault();
  });

  // ---- clocks go on while a page stays open ---------------------------------------------------------------
  function spell(seconds) {
    const minutes = Math.floor(Math.abs(seconds) / 60);
    if (minutes < 1) return words.soon;
    if (minutes < 60) return fill(words.minutes, { minutes });
    const hours = Math.floor(minutes / 60);
    if (hours >= 24 || minutes % 60 === 0) return fill(words.hours, { hours });
    return fill(words.both, { hours, minutes: minutes % 60 });
  }
  // The page says how much was left when it was made, so a computer whose clock is wrong still shows the truth.
  const deadlines = new WeakMap();
  function tick() {
    const now = performance.now() / 1000;
    $$(".clock[data-left]").forEach((clock) => {
      if (!deadlines.has(clock)) { deadlines.set(clock, now + Number(clock.dataset.left)); return; }
      const left = deadlines.get(clock) - now;
      if (Math.abs(left) >= 48 * 3600) return;
      const text = fill(left > 0 ? words.in : words.over, { span: spell(left) });
      const span = clock.firstElementChild;
      if (span.textContent !== text) span.textContent = text;
      clock.classList.toggle("late", left <= 0);
      clock.classList.toggle("warn", left > 0 && left < Number(clock.dataset.warn));
    });
  }
  tick();
  setInterval(tick, 20000);

  // What scrolls can be reached by keyboard.
  const reach = (from) => $$(".prose pre", from).forEach((block) => { if (block.scrollHeight > block.clientHeight + 1) block.tabIndex = 0; });
  reach(document);

  // ---- htmx: token, focus, errors -------------------------------------------------------------------------
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = token(); });
  let focused = "";
  document.addEventListener("htmx:beforeSwap", () => { focused = document.activeElement?.id || ""; });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
    restoreDrafts(event.target);
    reach(event.target);
    tick();
  });
  document.addEventListener("htmx:sendError", () => toast(words.failed, "error"));
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status === 401 || event.detail.xhr.status === 403) location.reload();
    else if (event.detail.xhr.status >= 500) toast(words.failed, "error");
  });

  // ---- files: dropped or pasted into [data-drop] go to its file input ---------------------------------------
  const dropzone = (event) => event.target.closest?.("[data-drop]");
  function give(zone, files) {
    const input = $('input[type="file"]', zone);
    if (!input || !files.length) return;
    const all = new DataTransfer();
    [...(input.multiple ? input.files : []), ...files].forEach((file) => all.items.add(file));
    input.files = all.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.addEventListener("dragover", (event) => { const zone = dropzone(event); if (zone) { event.preventDefault(); zone.dataset.over = ""; } });
  document.addEventListener("dragleave", (event) => { const zone = dropzone(event); if (zone && !zone.contains(event.relatedTarget)) delete zone.dataset.over; });
  document.addEventListener("drop", (event) => { const zone = dropzone(event); if (zone) { event.preventDefault(); delete zone.dataset.over; give(zone, event.dataTransfer.files); } });
  document.addEventListener("paste", (event) => { const zone = dropzone(event); if (zone && event.clipboardData?.files.length) { event.preventDefault(); give(zone, event.clipboardData.files); } });

  restoreDrafts();
  const summary = $("[data-focus].summary");
  if (summary) summary.focus();
})();
