/*
 * The page on which a plan is built: shows the fields of the chosen model, and adds, moves and removes rows without a new page.
 * It reckons nothing. Without it every field is shown, and the same buttons send the form for each row that comes or goes.
 */
"use strict";

(() => {
  const form = document.getElementById("plan_builder");
  if (!form) return;
  const charges = form.querySelector("[data-charges]");
  const blankCharge = form.querySelector("[data-blank-charge]");
  const blankTier = form.querySelector("[data-blank-tier]");
  const PLACE = /charges-\d+-/g;
  const TIER = /tiers-\d+-/g;

  const has = (words, word) => word !== "" && words.split(" ").includes(word);

  /* The control of a row by the name that its field has in the form. */
  const control = (row, name) => [...row.querySelectorAll("[name]")].find((one) => one.name.replace(/^charges-\d+-/, "") === name);

  const value = (row, name) => control(row, name)?.value ?? "";

  /* A field that is not shown is not sent: the server would refuse what the model does not take. */
  function show(element, isShown) {
    element.hidden = !isShown;
    for (const one of element.querySelectorAll("input, select, textarea")) one.disabled = !isShown || one.dataset.fixed === "yes";
  }

  function showCharge(row) {
    const prices = value(row, "prices");
    const model = prices === "flat" ? "flat" : value(row, "model");
    const meter = value(row, "meter");
    const fits = (data) =>
      (!data.prices || has(data.prices, prices)) &&
      (!data.models || has(data.models, model)) &&
      (!data.meters || (prices === "usage" && has(data.meters, meter)));
    // The table of tiers first, then its columns, which it holds.
    for (const part of row.querySelectorAll("[data-prices], [data-models], [data-meters]")) {
      const table = part.parentElement.closest("[data-models]");
      const isRefused = part.classList.contains("errors") && form.dataset.touched !== "yes";
      show(part, (fits(part.dataset) || isRefused) && !(table && table.hidden));
    }
    const tiers = [...row.querySelectorAll("[data-tier]")];
    tiers.forEach((tier, index) => {
      const bound = tier.querySelector('[name$="-up_to"]');
      const before = index ? tiers[index - 1].querySelector('[name$="-up_to"]').value : "";
      tier.querySelector("[data-above]").textContent = index ? before || "…" : "0";
      bound.placeholder = index === tiers.length - 1 ? form.dataset.open : "";
      tier.querySelector('[data-do="remove-tier"]').hidden = tiers.length < 2;
    });
    row.querySelector("[data-title]").textContent = value(row, "name");
  }

  function rename(element, pattern, text) {
    for (const one of element.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      for (const attribute of ["name", "id", "for", "aria-describedby"]) {
        const old = one.getAttribute(attribute);
        if (old) one.setAttribute(attribute, old.replace(pattern, text));
      }
    }
  }

  /* Number the rows as they stand: their order is that of the charges, and of the tiers. */
  function arrange() {
    const rows = [...charges.querySelectorAll("[data-charge]")];
    rows.forEach((row, index) => {
      rename(row, PLACE, `charges-${index}-`);
      row.querySelectorAll("[data-tier]").forEach((tier, place) => rename(tier, TIER, `tiers-${place}-`));
      row.querySelector("[data-place]").textContent = String(index + 1);
      row.querySelector('[data-do="up"]').disabled = index === 0;
      row.querySelector('[data-do="down"]').disabled = index === rows.length - 1;
      row.querySelector('[data-do="remove"]').disabled = rows.length === 1;
      showCharge(row);
    });
  }

  function showFacts() {
    const kind = form.querySelector('[name="kind"]').value;
    for (const part of form.querySelectorAll("[data-kinds]")) show(part, has(part.dataset.kinds, kind) || part.classList.contains("errors"));
  }

  const acts = {
    add() {
      charges.append(blankCharge.content.cloneNode(true));
      arrange();
      control(charges.lastElementChild, "name").focus();
    },
    remove(row) {
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      arrange();
      control(next, "name").focus();
    },
    up(row) {
      row.previousElementSibling?.before(row);
      arrange();
    },
    down(row) {
      row.nextElementSibling?.after(row);
      arrange();
    },
    tier(row) {
      const body = row.querySelector("[data-tiers]");
      const last = body.lastElementChild;
      body.insertBefore(blankTier.content.cloneNode(true), last);
      arrange();
      const added = last ? last.previousElementSibling : body.lastElementChild;
      added.querySelector("input").focus();
    },
    "remove-tier"(row, button) {
      button.closest("[data-tier]").remove();
      arrange();
      row.querySelector('[data-do="tier"]').focus();
    },
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (!button) return;
    event.preventDefault();
    acts[button.dataset.do](button.closest("[data-charge]"), button);
  });

  /* A code is made of the name until somebody writes one. */
  const codeOf = (name) =>
    name
      .normalize("NFD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 64);

  function suggestCode(changed) {
    const code = form.querySelector(`[name="${changed.name.replace(/name$/, "code")}"]`);
    if (!code || code.disabled) return;
    if (code.value === "" || code.value === code.dataset.suggested) {
      code.value = codeOf(changed.value);
      code.dataset.suggested = code.value;
    }
  }

  form.addEventListener("input", (event) => {
    if (/(^|-)name$/.test(event.target.name)) suggestCode(event.target);
    const row = event.target.closest("[data-charge]");
    if (event.target.tagName === "SELECT") form.dataset.touched = "yes";
    if (row) showCharge(row);
    else showFacts();
  });

  /* What is empty is not sent, so that a long plan stays within what a request may hold; an empty tier is one all the same. */
  form.addEventListener("formdata", (event) => {
    for (const [name, sent] of [...event.formData.entries()]) if (sent === "" && !/-tiers-\d+-up_to$/.test(name)) event.formData.delete(name);
  });

  for (const one of form.querySelectorAll(":disabled")) one.dataset.fixed = "yes";
  form.classList.add("desk-scripted");
  showFacts();
  // A charge whose model is still to be chosen needs its two tiers once it is.
  for (const row of charges.querySelectorAll("[data-charge]")) {
    const body = row.querySelector("[data-tiers]");
    while (body.children.length < 2) body.append(blankTier.content.cloneNode(true));
  }
  arrange();
  (form.querySelector('[aria-invalid="true"]') || document.createElement("i")).focus?.();
})();
