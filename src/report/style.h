// SPDX-License-Identifier: Apache-2.0
// The style sheet of the report: one column of text, system fonts, hairlines, light and dark from
// one set of variables. Series colours keep a contrast of at least 3:1 on both backgrounds and stay
// apart for colour-blind readers (after Okabe and Ito). Used by report.cpp.
#pragma once

#include <string_view>

namespace ingot::report {

inline constexpr std::string_view kStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #fffefb; --ink: #1d1d1b; --soft: #66645e; --hair: #e4e1d9; --rule: #1d1d1b;
  --tint: #f6f4ee; --dots: 0.28; --good: #1a7a4c; --bad: #b3261e; --busy: #9a6700;
  --s0: #1f5f9e; --s1: #c2500f; --s2: #0b7a63; --s3: #7a4a9c; --s4: #8f6a00; --s5: #b9b5aa;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #161614; --ink: #e9e6df; --soft: #a19d93; --hair: #33312c; --rule: #8d897f;
    --tint: #201f1c; --dots: 0.42; --good: #58c08b; --bad: #f28b82; --busy: #e3b341;
    --s0: #74b0ea; --s1: #f29152; --s2: #4fc3a6; --s3: #c39be3; --s4: #d9b84a; --s5: #5d5a52;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body {
  max-width: 984px; margin: 0 auto; padding: 48px 24px 64px;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
}
h1, h2, figcaption, dd { font-weight: 600; }
h1 {
  font: 600 34px/1.15 Charter, "Iowan Old Style", "Palatino Linotype", "DejaVu Serif", Georgia, serif;
  letter-spacing: -0.01em; margin: 4px 0 10px; overflow-wrap: anywhere;
}
h3 { font-size: 15px; font-weight: 600; margin: 26px 0 4px; }
h2 {
  font: 600 20px/1.3 Charter, "Iowan Old Style", "Palatino Linotype", "DejaVu Serif", Georgia, serif;
  margin: 0 0 14px;
}
section { margin-top: 44px; padding-top: 16px; border-top: 1px solid var(--hair); }
p { margin: 10px 0; max-width: 68ch; }
.over { color: var(--soft); font-size: 13px; margin: 0; }
.meta { color: var(--soft); font-size: 13px; margin: 0; max-width: none; }
.meta span { display: inline-block; margin-right: 20px; }
.meta b { font-weight: 500; color: var(--ink); }
.notice { border-left: 3px solid var(--busy); padding: 2px 0 2px 12px; margin-top: 18px; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code { font-size: 12.5px; }

.facts { display: flex; flex-wrap: wrap; gap: 16px 44px; margin: 14px 0 18px; }
.facts div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.facts dt { color: var(--soft); font-size: 12.5px; }
.facts dd { margin: 0; font-size: 18px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.facts.head {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 18px 20px;
  margin: 28px 0 0; padding: 18px 0; border-top: 2px solid var(--rule);
}
.facts.head dd { font-size: 26px; line-height: 1.2; letter-spacing: -0.01em; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 6px 14px 6px 0; text-align: left; vertical-align: baseline; }
th:last-child, td:last-child { padding-right: 0; }
tbody th { font-weight: 400; }
thead th {
  color: var(--soft); font-size: 12.5px; font-weight: 500; border-bottom: 1px solid var(--rule);
  white-space: nowrap;
}
tbody tr + tr > * { border-top: 1px solid var(--hair); }
tbody tr.strong > * { font-weight: 600; border-top: 1px solid var(--rule); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td, .stages th { overflow-wrap: anywhere; }
.stages th { white-space: nowrap; }
.stages td:nth-child(4) { width: 150px; min-width: 60px; padding-left: 6px; }
.share { display: block; height: 8px; min-width: 1px; background: var(--s0); border-radius: 1px; }
.state { white-space: nowrap; color: var(--soft); }
.state::before {
  content: ""; display: inline-block; width: 7px; height: 7px; margin-right: 7px;
  border-radius: 50%; background: var(--soft); vertical-align: 1px;
}
.state.done::before { background: var(--good); }
.state.failed { color: var(--bad); }
.state.failed::before { background: var(--bad); }
.state.running::before, .state.stopped::before { background: var(--busy); }

.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); gap: 24px; }
.trio { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 24px 20px; }
.pair > *, .trio > * { min-width: 0; }
.pair > .scroll > table { margin-bottom: 4px; }
figure { margin: 0 0 6px; }
.pair, .trio { align-items: start; }
figure + .trio { margin-top: 22px; }
figcaption { font-size: 14px; margin-bottom: 6px; }
.note { color: var(--soft); font-size: 12.5px; margin: 4px 0 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font: 11px/1 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
  fill: var(--soft); font-variant-numeric: tabular-nums; }
svg .legend, svg .best, svg .bar-label, svg .bar-value { fill: var(--ink); }
svg text.legend, svg text.bar-label, svg text.bar-value { font-size: 12px; }
svg text.best { font-size: 12px; font-weight: 600; stroke: var(--paper); stroke-width: 4px;
  paint-order: stroke; }
svg .strong { font-weight: 600; }
.grid { stroke: var(--hair); stroke-width: 1; }
.minor { stroke: var(--hair); stroke-width: 0.5; opacity: 0.7; }
.axis { stroke: var(--soft); stroke-width: 1; }
.line { fill: none; stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.raw { fill: none; stroke-width: 2.4; stroke-linecap: round; opacity: var(--dots); }
.mark { fill: none; stroke-width: 5; stroke-linecap: round; }
circle.best { fill: var(--paper); stroke-width: 2; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); } .s2 { stroke: var(--s2); }
.s3 { stroke: var(--s3); } .s4 { stroke: var(--s4); } .s5 { stroke: var(--s5); }
.f0 { fill: var(--s0); } .f1 { fill: var(--s1); } .f2 { fill: var(--s2); }
.f3 { fill: var(--s3); } .f4 { fill: var(--s4); } .f5 { fill: var(--s5); }

.wide table { min-width: 900px; }
.wide td { font-size: 13px; }
.wide td:nth-child(2) { white-space: nowrap; }
.network { display: grid; grid-template-columns: minmax(180px, auto) minmax(0, 1fr); gap: 12px 32px;
  align-items: start; }
.network td { overflow-wrap: normal; white-space: nowrap; }
svg .box { fill: var(--tint); stroke: var(--soft); stroke-width: 1; }
svg .box.input { fill: none; stroke-dasharray: 3 3; }
svg .edge { fill: none; stroke: var(--soft); stroke-width: 1.25; }
svg text.box-name { font-size: 12px; font-weight: 600; fill: var(--ink); text-anchor: middle; }
svg text.box-detail { text-anchor: middle; }
.bars { max-width: 620px; margin-top: 22px; }
.pair.figures { grid-template-columns: repeat(auto-fill, minmax(min(380px, 100%), 1fr));
  margin: 22px 0; }
table.heat { width: auto; border-collapse: separate; border-spacing: 2px; }
.heat th { padding: 4px 10px 4px 0; border: 0; white-space: nowrap; }
.heat thead th { text-align: center; padding: 4px 6px; }
.heat tbody td { position: relative; isolation: isolate; min-width: 72px; padding: 7px 8px;
  text-align: center; border: 0; font-variant-numeric: tabular-nums; }
.heat td::before { content: ""; position: absolute; inset: 0; z-index: -1; border-radius: 3px;
  background: var(--s2); opacity: calc(var(--h) * 0.42); }
.heat td.miss::before { background: var(--s1); opacity: min(var(--h) * 2.5, 0.6); }
.heat b { display: block; font-weight: 600; }
.heat small { opacity: 0.8; font-size: 11.5px; }
.pair > div:empty { display: none; }
ol.worst { padding: 0; margin: 10px 0 0; list-style: none; }
ol.worst li { border-top: 1px solid var(--hair); padding: 8px 0; }
.verdict { margin: 0; max-width: none; }
.verdict b { font-weight: 600; }
.verdict .wrong { color: var(--bad); }
.verdict span { color: var(--soft); font-size: 12.5px; margin-left: 8px; }
.cells { margin: 2px 0 0; max-width: none; font-size: 13px; overflow-wrap: anywhere; }
.cells span { margin-right: 10px; }
.cells i { font-style: normal; color: var(--soft); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr)); gap: 14px; }
.pictures img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain;
  image-rendering: pixelated; background: var(--tint); }
.pictures figcaption { font-size: 12px; font-weight: 400; margin: 4px 0 0; overflow-wrap: anywhere; }
.pictures .wrong { color: var(--bad); font-weight: 600; }
.warnings { font-size: 13.5px; }

pre {
  margin: 0; padding: 12px 14px; background: var(--tint); border-radius: 3px; font-size: 12.5px;
  line-height: 1.5; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 4;
}
pre b { font-weight: 600; color: var(--s0); }
.sample { display: grid; grid-template-columns: 96px minmax(0, 1fr); margin-bottom: 10px; }
.when { color: var(--soft); font-size: 12.5px; padding-top: 12px; font-variant-numeric: tabular-nums; }
details { border-top: 1px solid var(--hair); padding: 7px 0; }
details:first-of-type { border-top: 0; }
summary { cursor: pointer; font-size: 14px; }
details[open] > summary { margin-bottom: 8px; }
ul { padding-left: 20px; }
footer { margin-top: 44px; padding-top: 12px; border-top: 1px solid var(--hair); color: var(--soft);
  font-size: 12.5px; }
@media (max-width: 640px) {
  body { padding: 24px 16px 40px; }
  .pair, .trio { grid-template-columns: minmax(0, 1fr); }
  .sample, .network { grid-template-columns: minmax(0, 1fr); }
  .heat tbody td { min-width: 56px; padding: 6px 4px; }
  .when { padding: 0 0 2px; }
  .stages td:nth-child(4), .stages th:nth-child(4) { display: none; }
}
@media print {
  body { padding: 0; max-width: none; }
  section { break-inside: avoid-page; margin-top: 28px; }
}
)css";

}  // namespace ingot::report
