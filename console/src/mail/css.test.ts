import { describe, expect, it } from 'vitest';
import { cleanDeclarations, cleanSheet, type CssRules } from './css';

const rules: CssRules = { url: (url) => (url.startsWith('data:image/png') ? url : undefined) };

describe('declarations', () => {
  const table: [string, string][] = [
    ['color: red; Padding:4px', 'color: red; padding: 4px'],
    ['color: red; background: url(https://evil.example/a) blue', 'color: red'],
    [
      'background: url( "data:image/png;base64,AA==" ) no-repeat',
      'background: url("data:image/png;base64,AA==") no-repeat',
    ],
    ['background: URL(data:image/png;base64,AA;BB)', 'background: url("data:image/png;base64,AA;BB")'],
    ['background: url(data:image/png,a"b)', ''],
    ['behavior: x; -ms-behavior: x; -moz-binding: x; --own: red', ''],
    ['filter: blur(2px); backdrop-filter: blur(2px); animation: a 1s; cursor: pointer; will-change: top', ''],
    ['position: relative; position: STATIC !important', 'position: relative; position: STATIC !important'],
    ['position: absolute; position: fixed !important; position: sticky; position: -webkit-sticky', ''],
    ['content: ""; content: none', 'content: ""; content: none'],
    ['content: "x"; content: attr(title)', ''],
    ['font-family: "Segoe UI", Burlington', 'font-family: "Segoe UI", Burlington'],
    ['font-family: "a;b{c}d"', ''],
    ['width: calc(100% - (2 * 4px))', 'width: calc(100% - (2 * 4px))'],
    ['width: calc(100% - 4px; color: red', ''],
    ['color: "red; color: blue', ''],
    ['color: red } p { color: blue', 'color: red'],
    ['height: 50vh; height: 10dvh; width: 50vw; height: 10px', 'width: 50vw; height: 10px'],
    ['no colon; : red; 1a: red; color red', ''],
    ['/* a */ color /* b */ : /* c */ red', 'color: red'],
  ];
  it.each(table)('%s', (css, expected) => expect(cleanDeclarations(css, rules)).toBe(expected));
});

describe('a sheet', () => {
  const table: [string, string][] = [
    ['p { color: red } a:hover > b { color: blue }', 'p { color: red }\na:hover > b { color: blue }'],
    ['p { }', ''],
    ['@import "x.css"; p { color: red }', 'p { color: red }'],
    ['@charset "utf-7"; @namespace x url(y); p { color: red }', 'p { color: red }'],
    ['@font-face { font-family: x; src: url(y) } p { color: red }', 'p { color: red }'],
    ['@keyframes a { from { color: red } to { color: blue } } p { color: red }', 'p { color: red }'],
    ['@page { margin: 0 } @property --x { syntax: "*" } p { color: red }', 'p { color: red }'],
    [
      '@media (max-width: 9em) { p { color: red } } a { color: red }',
      '@media (max-width: 9em) { p { color: red } }\na { color: red }',
    ],
    ['@media url(x) { p { color: red } } a { color: red }', 'a { color: red }'],
    ['@supports (display: grid) { p { color: red } }', '@supports (display: grid) { p { color: red } }'],
    ['p[title="}"] { color: red }', ''],
    ['p\\:x { color: red } a { color: blue }', 'a { color: blue }'],
    ['} p { color: red }', 'p { color: red }'],
    ['p { color: red', 'p { color: red }'],
    ['<!-- p { color: red } -->', 'p { color: red }'],
    ['p { color: red } </style><script>', 'p { color: red }'],
  ];
  it.each(table)('%s', (css, expected) => expect(cleanSheet(css, rules)).toBe(expected));

  it('ends, however it is nested or broken', () => {
    const hostile = [
      '{'.repeat(50_000),
      '@media a {'.repeat(20_000),
      '}'.repeat(50_000),
      '"'.repeat(50_001),
      '('.repeat(50_000),
      '/*'.repeat(50_000),
    ];
    for (const css of hostile) expect(cleanSheet(css, rules)).toBe('');
  });
});
