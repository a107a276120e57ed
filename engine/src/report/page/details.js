// An open cell: its cases, and for each what was run, what came of it, why, and what flips it.

/** So many cases are listed at a time. */
const CASES_AT_ONCE = 60;

/** A text of a report as a block; one line of it may be marked. */
function block(text, marked) {
  const lines = text.split("\n");
  if (marked === null || marked === undefined) return make("pre", { tabindex: "0" }, text);
  const before = lines.slice(0, marked).join("\n") + (marked ? "\n" : "");
  const pre = make("pre", { tabindex: "0" }, before, make("mark", { title: "the line that decided" }, lines[marked]), lines.slice(marked + 1).join("\n"));
  // A log opens where it matters.
  requestAnimationFrame(() => {
    const mark = pre.querySelector("mark");
    pre.scrollTop = mark.offsetTop - pre.offsetTop - pre.clientHeight / 2;
  });
  return pre;
}

function diffBlock(text) {
  const signs = { "-": "del", "+": "add", "@": "hunk", "\\": "hunk", "…": "hunk" };
  const sign = (line) => (/^(---|\+\+\+) /.test(line) ? "hunk" : signs[line[0]] || "same");
  const line = (line) => make("span", { class: sign(line) }, line || " ");
  return make("pre", { class: "diff", tabindex: "0" }, text.replace(/\n$/, "").split("\n").map(line));
}

/** A part that is made when it is opened. */
function inner(title, open, fill) {
  const part = make("details", { class: "inner", open }, make("summary", {}, title));
  const once = () => {
    if (!part.open || part.dataset.full) return;
    part.dataset.full = "yes";
    part.append(...[fill()].flat());
  };
  part.addEventListener("toggle", once);
  once();
  return part;
}

function command(text) {
  const pre = make("pre", { tabindex: "0" }, text);
  const button = make("button", { type: "button", onclick: () => copy(text, pre, button) }, "Copy");
  return make("div", { class: "command" }, pre, button);
}

async function copy(text, pre, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page from a file may have no clipboard: the text is selected at least.
    getSelection().selectAllChildren(pre);
    done = document.execCommand("copy");
  }
  button.textContent = done ? "Copied" : "Selected";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

/** Why a case has its verdict, in a line. */
function reason(item) {
  const boot = item.boot === undefined ? null : page.boots[item.boot];
  if (item.detail !== undefined) return page.texts[item.detail].split("\n")[0];
  const broken = (item.judgements || []).map((number) => page.judgements[number]).filter((judgement) => !judgement.held);
  const worst = broken.find((judgement) => judgement.level === "fail") || broken[0];
  if (boot && !boot.up) return "boot " + boot.outcome + (boot.deciding ? ": " + boot.deciding : "");
  if (worst) return worst.subject + ": " + worst.kind + " differs";
  return boot ? "boot " + boot.outcome : "";
}

function judgementRows(item) {
  const row = (judgement) => {
    const [word, look] = judgement.held ? ["✔ held", "held"] : judgement.level === "warn" ? ["! warns", "warned"] : ["✘ broke", "broke"];
    const seen = judgement.diff === undefined ? page.texts[judgement.actual] : diffBlock(page.texts[judgement.diff]);
    const expected = judgement.diff === undefined ? page.texts[judgement.expected] : "the golden's text";
    return make("tr", {}, make("td", { class: look }, word), make("td", {}, judgement.subject),
      make("td", {}, expected), make("td", {}, seen), make("td", { class: "quiet" }, judgement.place));
  };
  const all = item.judgements.map((number) => page.judgements[number]);
  const sorted = [...all.filter((judgement) => !judgement.held), ...all.filter((judgement) => judgement.held)];
  const head = ["", "of", "expected", "seen", "written in"].map((name) => make("th", { scope: "col" }, name));
  return make("table", { class: "judgements" }, make("thead", {}, make("tr", {}, head)), make("tbody", {}, sorted.map(row)));
}

function stepParts(item) {
  const title = (step) => {
    const text = step.command === null ? "" : page.texts[step.command].trim().replace(/\s+/g, " ");
    return ["step " + step.name + ": " + step.ended + " ", make("code", {}, text.length > 120 ? text.slice(0, 119) + "…" : text)];
  };
  return item.steps.map((number) => page.steps[number]).map((step) => inner(title(step), step.ended.startsWith("exit code 0") === false, () => [
    step.command === null ? "" : command(page.texts[step.command]),
    step.stdout === null ? make("p", { class: "quiet" }, "nothing on stdout") : block(page.texts[step.stdout]),
    step.stderr === null ? "" : [make("p", { class: "quiet" }, "stderr"), block(page.texts[step.stderr])],
    step.cut ? make("p", { class: "quiet" }, "cut at the limit") : "",
  ].flat()));
}

function flipParts(item) {
  return item.flips.map((flip) => {
    const other = page.cases[flip.to];
    const change = flip.axes.map((axis) => page.axes[axis].name + ": " + valueOf(item, axis) + " → " + valueOf(other, axis)).join(", ");
    const boot = (item) => (item.boot === undefined ? "" : ", boot " + page.boots[item.boot].outcome);
    const told = (item) => make("span", { class: "badge " + markClass(item.mark) }, page.marks[item.mark].symbol + " " + page.marks[item.mark].word + boot(item));
    const go = make("button", { type: "button", class: "link", onclick: () => goTo(flip.to) }, "open that case");
    return make("div", { class: "flip" }, make("p", {}, make("b", {}, change), " ", told(item), " → ", told(other), " ", go),
      flip.diffs.map(([name, text], at) => inner("difference of " + name, at === 0 && item.flips[0] === flip, () => diffBlock(page.texts[text]))));
  });
}

/** Everything about a case. */
function caseBody(number) {
  const item = page.cases[number];
  const parts = [];
  const part = (title, ...children) => parts.push(make("h3", {}, title), ...children.flat());
  const boot = item.boot === undefined ? null : page.boots[item.boot];
  const title = page.titles[item.at[SCENARIO]];
  if (title) parts.push(make("p", {}, make("b", {}, title)));
  const tags = (item.tags || []).map((tag) => page.tags[tag]).join(", ");
  parts.push(make("p", { class: "quiet" }, keyOf(item) + (tags ? " · " + tags : "")));
  if (item.detail !== undefined) parts.push(make("p", {}, page.texts[item.detail]));
  if (boot) {
    parts.push(make("p", {}, "Boot: ", make("b", {}, boot.outcome), " after " + boot.took + (boot.deciding ? ", decided by" : "")));
    if (boot.deciding) parts.push(make("pre", {}, make("mark", {}, boot.deciding)));
    for (const flag of boot.not_applied) parts.push(make("p", { class: "warned" }, "not applied: " + flag));
  }
  const consolePart = () => {
    const log = page.texts[boot.console];
    const lines = log.split("\n").length - 1;
    const title = "Console" + (boot.cut ? " (cut at the limit)" : "");
    if (log) part(title, inner(lines + (lines === 1 ? " line" : " lines"), !boot.up, () => block(log, boot.marked)));
    else part(title, make("p", { class: "quiet" }, "empty"));
  };
  const setupPart = () => part("Log of the setup script", inner("the log", boot.setup_marked !== null, () => block(page.texts[boot.setup], boot.setup_marked)));
  // A boot that broke is told by its logs, anything else by what was expected.
  if (boot && !boot.up) {
    if (boot.setup_marked !== null) setupPart();
    consolePart();
  }
  if ((item.judgements || []).length) part("Expected and seen", judgementRows(item));
  if ((item.flips || []).length) part("What flips it", flipParts(item));
  if ((item.steps || []).length) part("What was run", stepParts(item));
  const [own, other] = item.by_hand || [];
  if (own !== undefined) part("By hand", command(page.texts[own]));
  if (other !== undefined) parts.push(make("p", { class: "quiet" }, "and by the other engine, which must have the image"), command(page.texts[other]));
  if (item.bundle !== undefined) part("Evidence", make("p", {}, "on the machine that ran it: ", make("code", {}, item.bundle)));
  if (boot) {
    if (boot.mounts.length) part("cgroup mounts in the container", boot.mounts.map(([name, text]) => [make("p", { class: "quiet" }, name), block(page.texts[text])]).flat());
    if (boot.setup !== null && (boot.up || boot.setup_marked === null)) setupPart();
    if (boot.up) consolePart();
  }
  const host = page.hosts.find((host) => host.name === hostOf(item));
  if (host) {
    part("Host", make("p", {}, make("b", {}, host.name), " " + host.what), make("p", { class: "quiet" }, host.why),
      host.facts.length ? inner("its facts", false, () => make("div", { class: "facts" }, host.facts.map(([name, value]) => make("div", {}, make("b", {}, name), " " + value)))) : "");
  }
  return parts.filter((part) => part !== "");
}

/** A case in the list; its body is made when it is opened. */
function caseEntry(number, open) {
  const item = page.cases[number];
  const mark = page.marks[item.mark];
  const key = keyOf(item);
  const entry = make("details", { class: "case" }, make("summary", {},
    make("span", { class: "badge " + markClass(item.mark) }, mark.symbol + " " + mark.word), make("span", {}, item.id), make("span", { class: "why" }, reason(item))));
  entry.dataset.case = key;
  const body = make("div", { class: "body" });
  entry.append(body);
  const fill = () => { if (!body.hasChildNodes()) body.append(...caseBody(number)); };
  if (open) {
    entry.open = true;
    fill();
  }
  entry.addEventListener("toggle", () => {
    if (entry.open) fill();
    if (entry.open) state.shown = key;
    else if (state.shown === key) state.shown = null;
    writeAddress();
  });
  return entry;
}

/** The cases that did not run, by the reason. */
function leftOut(numbers) {
  const reasons = new Map();
  for (const number of numbers) {
    const item = page.cases[number];
    const key = item.mark + " " + item.detail;
    if (page.marks[item.mark].ran) continue;
    if (!reasons.has(key)) reasons.set(key, []);
    reasons.get(key).push(item);
  }
  return [...reasons.values()].map((items) => {
    const mark = page.marks[items[0].mark];
    const why = items[0].detail === undefined ? "" : page.texts[items[0].detail];
    const summary = make("summary", {}, make("span", { class: "badge " + markClass(items[0].mark) }, mark.symbol + " " + mark.word),
      make("span", {}, items.length + (items.length === 1 ? " case" : " cases")), make("span", { class: "why" }, why));
    const entry = make("details", { class: "case left" }, summary);
    entry.addEventListener("toggle", () => {
      if (entry.children.length > 1) return;
      entry.append(make("ul", {}, items.map((item) => make("li", {}, keyOf(item)))));
    });
    return entry;
  });
}

/** The panel of the open cell. */
function drawPanel() {
  const panel = byId("panel");
  const numbers = state.open === null ? null : cells.get(state.open);
  panel.hidden = !numbers;
  if (!numbers) {
    panel.replaceChildren();
    return;
  }
  const axes = [rowAxis(), ...columnAxes()];
  const names = JSON.parse(state.open).map((value, at) => page.axes[axes[at]].name + "=" + value).join(", ");
  const close = make("button", { type: "button", id: "close", onclick: () => closeCell() }, "Close");
  const ran = numbers.filter((number) => page.marks[page.cases[number].mark].ran);
  // What tells most comes first: the worst verdicts, then boots that did not come up, as they must not.
  const down = (number) => (page.cases[number].boot !== undefined && !page.boots[page.cases[number].boot].up ? 1 : 0);
  const rank = (number) => page.marks[page.cases[number].mark].rank * 2 + down(number);
  const sorted = ran.sort((a, b) => rank(b) - rank(a) || a - b);
  // The asked case is among the first, wherever it stands.
  const asked = sorted.findIndex((number) => keyOf(page.cases[number]) === state.shown);
  if (asked >= CASES_AT_ONCE) sorted.unshift(...sorted.splice(asked, 1));
  const list = make("div", {});
  const more = make("button", { type: "button" });
  const add = () => {
    const from = list.children.length;
    const opened = (number, at) => (asked >= 0 ? keyOf(page.cases[number]) === state.shown : numbers.length === 1 && at === 0);
    list.append(...sorted.slice(from, from + CASES_AT_ONCE).map((number, at) => caseEntry(number, opened(number, from + at))));
    const left = sorted.length - list.children.length;
    more.hidden = left <= 0;
    more.textContent = "Show " + Math.min(left, CASES_AT_ONCE) + " of " + left + " more cases";
  };
  more.addEventListener("click", add);
  add();
  panel.replaceChildren(make("header", {}, make("div", {}, make("h2", {}, names), make("p", { class: "count" }, tally(numbers).words)), close), list, more, ...leftOut(numbers));
}
