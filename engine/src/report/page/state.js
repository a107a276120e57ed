// What is shown: the data, the choices of the reader, and the address that keeps them. All text of reports goes into the
// page by textContent alone.

const page = JSON.parse(document.getElementById("data").textContent);
const axisNumber = new Map(page.axes.map((axis, number) => [axis.name, number]));
const HOST = axisNumber.get("host");
const SCENARIO = axisNumber.get("scenario");
/** Stands for the value of cases that have no such axis. */
const NONE = "(none)";
const byId = (id) => document.getElementById(id);

/** An element with properties and children; strings become text. */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const markClass = (mark) => "m-" + page.marks[mark].word.replace(" ", "-");
const valueOf = (item, axis) => (item.at[axis] === null ? NONE : page.axes[axis].values[item.at[axis]]);
const hostOf = (item) => valueOf(item, HOST);
/** A name that no other case has. */
const keyOf = (item) => item.id + " @ " + hostOf(item);

const axisOr = (...names) => names.find((name) => axisNumber.has(name)) || "";
const first = {
  rows: axisOr("setup_mode", "scenario"),
  columns: "host",
  within: axisOr("cgroupns"),
  scenario: "", tag: "", search: "",
  hidden: new Set(["filtered"]),
  open: null, shown: null,
};
const state = { ...first, hidden: new Set(first.hidden) };

/** Takes the choices from the address; what it does not know it leaves. */
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const axis = (name, otherwise) => {
    const wanted = asked.get(name);
    return wanted !== null && (axisNumber.has(wanted) || wanted === "") ? wanted : otherwise;
  };
  state.rows = axis("rows", first.rows) || first.rows;
  state.columns = axis("columns", first.columns) || first.columns;
  state.within = axis("within", first.within);
  state.scenario = asked.get("scenario") || "";
  state.tag = asked.get("tag") || "";
  state.search = asked.get("search") || "";
  const words = asked.get("hide");
  state.hidden = new Set(words === null ? first.hidden : words.split(",").filter((word) => word));
  state.open = asked.has("cell") ? asked.get("cell") : null;
  state.shown = asked.get("case");
  tidy();
}

/** Two axes of one name make no table. */
function tidy() {
  if (state.columns === state.rows) {
    state.columns = page.axes.map((axis) => axis.name).find((name) => name !== state.rows) || state.rows;
  }
  if (state.within === state.rows || state.within === state.columns) state.within = "";
}

/** Puts the choices into the address, where they differ from the first ones. */
function writeAddress() {
  const told = new URLSearchParams();
  for (const name of ["rows", "columns", "within", "scenario", "tag", "search"]) {
    if (state[name] !== first[name]) told.set(name, state[name]);
  }
  const hidden = [...state.hidden].sort().join(",");
  if (hidden !== [...first.hidden].sort().join(",")) told.set("hide", hidden);
  if (state.open !== null) told.set("cell", state.open);
  if (state.open !== null && state.shown) told.set("case", state.shown);
  const text = told.toString();
  history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
}

const lowered = [];
const lower = (text) => (text === undefined ? "" : (lowered[text] ??= page.texts[text].toLowerCase()));
const heads = [];

/** The words of a case that are its own: its name, axes, question. */
function head(number) {
  const item = page.cases[number];
  return (heads[number] ??= [
    item.id, hostOf(item), page.titles[item.at[SCENARIO]], page.marks[item.mark].word,
    item.boot === undefined ? "" : page.boots[item.boot].outcome,
    ...(item.tags || []).map((tag) => page.tags[tag]),
  ].join("\n").toLowerCase());
}

/** The long texts of a case, by number. */
function textsOf(item) {
  const texts = [item.detail, ...(item.by_hand || [])];
  if (item.boot !== undefined) {
    const boot = page.boots[item.boot];
    texts.push(boot.console, boot.setup);
  }
  for (const step of item.steps || []) {
    const { command, stdout, stderr } = page.steps[step];
    texts.push(command, stdout, stderr);
  }
  for (const judgement of item.judgements || []) {
    texts.push(page.judgements[judgement].expected, page.judgements[judgement].actual);
  }
  return texts.filter((text) => text !== undefined && text !== null);
}

/** The numbers of the cases that the filters leave, whatever their verdict. */
function wanted() {
  // Words, and phrases in quotes.
  const words = (state.search.toLowerCase().match(/"[^"]+"|\S+/g) || []).map((word) => word.replace(/^"(.+)"$/, "$1"));
  // Each text is looked through once for each word, however many cases share it.
  const found = words.map(() => new Map());
  const has = (word, text) => {
    if (!found[word].has(text)) found[word].set(text, lower(text).includes(words[word]));
    return found[word].get(text);
  };
  const inScenario = (name) => !state.scenario || name === state.scenario || name.startsWith(state.scenario + "/");
  const numbers = [];
  for (let number = 0; number < page.cases.length; number += 1) {
    const item = page.cases[number];
    if (!inScenario(valueOf(item, SCENARIO))) continue;
    if (state.tag && !(item.tags || []).some((tag) => page.tags[tag] === state.tag)) continue;
    const texts = words.length ? textsOf(item) : [];
    const holds = (word, at) => head(number).includes(word) || texts.some((text) => has(at, text));
    if (words.every(holds)) numbers.push(number);
  }
  return numbers;
}
