"use strict";
/* Nodes. Text of a model enters a page as text nodes and attributes only. */

const $ = id => document.getElementById(id);

function fill(node, attributes, kids) {
  for (const [name, value] of Object.entries(attributes || {}))
    if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value);
  node.append(...kids.flat(Infinity).filter(k => k !== null && k !== undefined));
  return node;
}
const el = (name, attributes, ...kids) => fill(document.createElement(name), attributes, kids);
