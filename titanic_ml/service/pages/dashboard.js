// What the page does beyond being read: the form's answer, the threshold's table, the log.
"use strict";

const form = document.getElementById("row");
const answer = document.getElementById("answer");
let asked = 0;

function row() {
  const facts = {};
  for (const field of form.elements) {
    if (!field.name) continue;
    const given = field.value.trim();
    const number = ["integer", "number"].includes(field.dataset.kind);
    facts[field.name] = given === "" ? null : number ? Number(given) : given;
  }
  return facts;
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function told(found) {
  const percent = (100 * found.probability).toFixed(1) + "%";
  const parts = [element("h3", "Probability of " + found.outcome), element("p", percent, "chance")];
  const usual = (100 * found.base).toFixed(1);
  parts.push(element("p", `The mean over the training rows is ${usual}%; these features moved it, in percentage points:`));
  const list = element("ul", undefined, "moved");
  const most = Math.max(...found.contributions.map((part) => Math.abs(part.contribution)), 0.01);
  for (const part of found.contributions) {
    const points = 100 * part.contribution;
    const item = element("li", undefined, points < 0 ? "less" : "more");
    item.append(element("span", part.values), element("b", (points < 0 ? "−" : "+") + Math.abs(points).toFixed(1)));
    const bar = element("span");
    const fill = element("i");
    fill.style.width = (100 * Math.abs(part.contribution)) / most + "%";
    bar.append(fill);
    bar.setAttribute("aria-hidden", "true");
    item.append(bar);
    list.append(item);
  }
  parts.push(list, element("p", "By " + found.version, "small"));
  if (found.warning) parts.push(element("p", found.warning));
  return parts;
}

function refused(found) {
  const parts = [element("h3", "No prediction"), element("p", found.error)];
  const list = element("ul");
  for (const fault of found.faults || []) {
    list.append(element("li", `${fault.field}: found ${fault.found}, expected ${fault.expected}`));
    const field = form.elements.namedItem(fault.field);
    if (field) field.setAttribute("aria-invalid", "true");
  }
  parts.push(list);
  return parts;
}

async function ask() {
  const mine = ++asked;
  const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(row()) };
  let shown;
  try {
    const response = await fetch("explain", request);
    const found = await response.json();
    if (mine !== asked) return; // a later change is already on its way
    for (const field of form.elements) field.removeAttribute("aria-invalid");
    shown = response.ok ? told(found) : refused(found);
  } catch (error) {
    shown = [element("h3", "No prediction"), element("p", "The service can't be reached.")];
  }
  answer.replaceChildren(...shown);
}

let waiting;
form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(ask, 150);
});
form.addEventListener("submit", (event) => event.preventDefault());
ask();

const slider = document.getElementById("t");
const steps = JSON.parse(document.getElementById("thresholds").textContent);

function count() {
  const step = steps[Math.round(100 * slider.value)];
  document.getElementById("t-value").textContent = Number(slider.value).toFixed(2);
  for (const cell of document.querySelectorAll("[data-count]")) {
    cell.textContent = step[cell.dataset.count].toFixed(1);
  }
  const said = step.true_1 + step.false_1;
  const right = said ? ((100 * step.true_1) / said).toFixed(0) + "% of them are correct" : "none is correct";
  const all = step.true_1 + step.false_0;
  const accuracy = (100 * (step.true_1 + step.true_0)) / (all + step.false_1 + step.true_0);
  document.getElementById("t-summary").textContent =
    `${said.toFixed(0)} are predicted positive, ${right}; ${((100 * step.true_1) / all).toFixed(0)}% of the positives are predicted positive; ` +
    `${accuracy.toFixed(1)}% of all predictions are correct.`;
}

slider.addEventListener("input", count);
count();

fetch("dashboard/log")
  .then((response) => response.text())
  .then((html) => (document.getElementById("log-found").innerHTML = html))
  .catch(() => (document.getElementById("log-found").textContent = "The log can't be read."));
