
"use strict";
(() => {
  const STEP = 200, MARKS_MAX = 2000, BEFORE = 24, EXCERPT = 220;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const query = byId("query"), results = byId("results"), more = byId("more"), count = byId("count"), page = byId("document");
  const numbers = new Intl.NumberFormat("en");
  const docs = data.documents.map(([path, kind, size, modified, title, text, cut, flag, href], index) => ({
    index, path, kind, size, modified, title, text, cut, flag, href,
    folder: path.slice(0, path.lastIndexOf("/") + 1), name: path.slice(path.lastIndexOf("/") + 1),
    place: (path + "\n" + title).toLowerCase(), low: text.toLowerCase(),
  }));
  let words = [], found = [], drawn = 0, folder = null, marks = [], here = -1;

  function element(tag, properties = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function sized(bytes) {
    const units = ["B", "KB", "MB", "GB"];
    let unit = 0;
    for (; bytes >= 1000 && unit < 3; unit++) bytes /= 1000;
    return (unit && bytes < 99.95 ? bytes.toFixed(1) : Math.round(bytes)) + " " + units[unit];
  }

  function linked(doc) {
    return doc.href || "files/" + doc.path.split("/").map(encodeURIComponent).join("/");
  }

  // Text with what was searched for marked, as nodes: nothing of a document is ever read as HTML. Where lower case is not as
  // long as the text (a Turkish dotted İ), positions would be wrong, and nothing is marked.
  function marked(text, low) {
    const nodes = [];
    const usable = words.length && low.length === text.length;
    const pattern = usable && new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|"), "g");
    let end = 0;
    for (const match of usable ? low.matchAll(pattern) : []) {
      if (nodes.length > 2 * MARKS_MAX) break;
      nodes.push(text.slice(end, match.index), element("mark", { textContent: text.slice(match.index, match.index + match[0].length) }));
      end = match.index + match[0].length;
    }
    nodes.push(text.slice(end));
    return nodes;
  }

  function search() {
    words = [...new Set(query.value.toLowerCase().split(/\s+/).filter(Boolean))].sort((a, b) => b.length - a.length);
    if (!words.length) {
      found = docs;
    } else {
      const scored = [];
      for (const doc of docs) {
        let score = 0;
        const fits = words.every((word) => {
          const inPlace = doc.place.includes(word), inText = doc.low.includes(word);
          score += (doc.name.toLowerCase().includes(word) ? 4 : 0) + (inPlace ? 2 : 0) + (inText ? 1 : 0);
          return inPlace || inText;
        });
        if (fits) scored.push([score, doc]);
      }
      found = scored.sort((a, b) => b[0] - a[0] || a[1].index - b[1].index).map(([, doc]) => doc);
    }
    drawn = 0;
    folder = null;
    results.replaceChildren();
    draw();
    const number = numbers.format(found.length) + (found.length === 1 ? " document" : " documents");
    count.textContent = words.length ? number + " found" : number;
  }

  function draw() {
    const rows = [];
    for (const doc of found.slice(drawn, drawn + STEP)) {
      if (!words.length && doc.folder !== folder) {
        folder = doc.folder;
        rows.push(element("li", {}, element("h2", { textContent: folder || "at the top" })));
      }
      rows.push(row(doc));
    }
    results.append(...rows);
    drawn = Math.min(drawn + STEP, found.length);
    more.hidden = drawn >= found.length;
    more.textContent = "Show more (" + numbers.format(found.length - drawn) + " left)";
    mark();
  }

  function row(doc) {
    const link = element("a", { href: "#" + doc.index },
      element("span", { className: "name" },
        element("b", {}, ...marked(doc.name, doc.name.toLowerCase())),
        element("span", {}, doc.flag ? element("span", { className: "flag", textContent: doc.flag }) : "", " " + sized(doc.size))));
    if (words.length && doc.folder) link.append(element("span", { className: "place" }, ...marked(doc.folder, doc.folder.toLowerCase())));
    const below = words.length ? excerpt(doc) : doc.title && doc.title !== doc.name ? [doc.title] : [];
    if (below.length) link.append(element("span", { className: "below" }, ...below));
    link.dataset.index = doc.index;
    return element("li", {}, link);
  }

  function excerpt(doc) {
    const starts = words.map((word) => doc.low.indexOf(word)).filter((at) => at >= 0).map((at) => Math.max(0, at - BEFORE));
    if (!starts.length || doc.low.length !== doc.text.length) return marked(doc.title, doc.title.toLowerCase());
    const held = (start) => words.filter((word) => doc.low.slice(start, start + EXCERPT).includes(word)).length;
    const from = starts.reduce((best, start) => (held(start) > held(best) ? start : best)), to = from + EXCERPT;
    const part = doc.text.slice(from, to).replace(/[\s]/g, " ");
    return [from ? "…" : "", ...marked(part, part.toLowerCase()), to < doc.text.length ? "…" : ""];
  }

  function show() {
    const index = /^#\d+$/.test(location.hash) ? Number(location.hash.slice(1)) : -1;
    const doc = docs[index];
    document.body.classList.toggle("reading", Boolean(doc));
    mark();
    if (doc) render(doc);
  }

  function render(doc) {
    const facts = element("ul", { className: "facts" },
      element("li", { textContent: sized(doc.size) }),
      doc.modified === null ? null : element("li", { textContent: "modified " + new Date(doc.modified).toLocaleString() }),
      element("li", { textContent: doc.kind }),
      doc.flag ? element("li", { className: "flag", textContent: doc.flag }) : null,
      element("li", {}, element("a", { href: linked(doc), target: "_blank", rel: "noopener", textContent: "open the file" })));
    const text = element("pre", {}, ...marked(doc.text, doc.low));
    marks = text.querySelectorAll("mark");
    here = -1;
    page.replaceChildren(
      element("div", { className: "head" },
        button("back", "← All documents", () => { location.hash = ""; }),
        element("h2", { textContent: doc.title || doc.name }),
        element("p", { className: "place", textContent: doc.path }),
        marks.length ? element("p", { id: "hits" },
          button("previous", "↑", () => jump(-1), "Previous match (p)"), button("next", "↓", () => jump(1), "Next match (n)"),
          element("span", { id: "hit", role: "status" })) : null),
      facts,
      doc.cut ? element("p", { className: "about", textContent: doc.cut }) : "",
      text);
    page.scrollTop = 0;
    if (marks.length) jump(1);
    else if (document.body.scrollHeight > innerHeight) scrollTo(0, 0);
  }

  function button(id, text, act, title = "") {
    const made = element("button", { id, type: "button", textContent: text, title });
    if (title) made.setAttribute("aria-label", title);
    made.addEventListener("click", act);
    return made;
  }

  // Goes to the next match in the open document, or with -1 to the one before.
  function jump(step) {
    if (!marks.length) return;
    if (here >= 0) marks[here].removeAttribute("class");
    here = (here + step + marks.length) % marks.length;
    marks[here].className = "here";
    marks[here].scrollIntoView({ block: "center" });
    byId("hit").textContent = numbers.format(here + 1) + " of " + numbers.format(marks.length);
  }

  function mark() {
    const index = location.hash.slice(1);
    for (const link of results.querySelectorAll("a")) {
      if (link.dataset.index === index) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  function fillFolders() {
    const sums = new Map();
    for (const doc of docs) if (doc.folder) sums.set(doc.folder, (sums.get(doc.folder) || 0) + 1);
    byId("folders").hidden = sums.size < 2;
    byId("folders").lastElementChild.append(...[...sums].map(([name, sum]) => {
      const button = element("button", { type: "button" }, element("span", { textContent: name }), element("span", { textContent: numbers.format(sum) }));
      button.addEventListener("click", () => { query.value = name; byId("folders").open = false; search(); query.focus(); });
      return element("li", {}, button);
    }));
  }

  function move(step) {
    const links = [...results.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (at + step < 0) query.focus();
    else if (links[at + step]) links[at + step].focus();
    else if (!more.hidden) { draw(); results.querySelectorAll("a")[at + step].focus(); }
  }

  // While somebody types, the list is what they look at; beside it, where there is room, marks follow in the open document.
  function again() {
    search();
    document.body.classList.remove("reading");
    const doc = docs[location.hash.slice(1)];
    if (doc) render(doc);
  }

  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(again, docs.length > 500 ? 120 : 0); });
  more.addEventListener("click", draw);
  addEventListener("hashchange", show);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inList = results.contains(document.activeElement), inQuery = document.activeElement === query;
    if ((event.key === "n" || event.key === "p") && !inQuery && marks.length) jump(event.key === "n" ? 1 : -1);
    else if (event.key === "/" && !inQuery) { query.focus(); query.select(); }
    else if (event.key === "ArrowDown" && (inQuery || inList)) move(1);
    else if (event.key === "ArrowUp" && inList) move(-1);
    else if (event.key === "Enter" && inQuery && found.length) { clearTimeout(waiting); search(); if (found.length) { location.hash = found[0].index; page.focus(); } }
    else if (event.key === "Escape") { if (inQuery && query.value) { query.value = ""; again(); } else query.focus(); }
    else return;
    event.preventDefault();
  });
  // On a narrow screen the page's head stays where it is, and that of the document below it.
  const measure = () => document.documentElement.style.setProperty("--head", document.querySelector("header").offsetHeight + "px");
  addEventListener("resize", measure);
  measure();
  fillFolders();
  search();
  show();
})();
