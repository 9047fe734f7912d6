"""The one place for how the HTML report looks: one style sheet, light and dark, on a phone and on paper."""

CSS = """
:root{color-scheme:light dark;--bg:#f6f7f8;--card:#fff;--ink:#1a1f26;--soft:#566170;--line:#dfe3e8;--pale:#f1f3f5;
  --bad:#c3282d;--warn:#945a00;--good:#14743f;--info:#1f5fa8;--badbg:#fdecec;--warnbg:#fdf3e0;--goodbg:#e7f5ec;
  --infobg:#e9f1fb;--ok:#5b9bd5;--e4:#e08a1e;--e5:#8e4ec6;--other:#7a6a58}
@media (prefers-color-scheme:dark){
:root{--bg:#0f1317;--card:#171c22;--ink:#e7eaee;--soft:#9da8b5;--line:#2b333c;--pale:#1e252c;--bad:#ff8078;
  --warn:#e5b454;--good:#57c98f;--info:#79b8ff;--badbg:#3a1d1f;--warnbg:#352a14;--goodbg:#15301f;--infobg:#172c44;
  --ok:#4a83b8;--e4:#d98b2b;--e5:#b07ee6;--other:#a39381}
}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,
  sans-serif}
header,main,footer{max-width:1160px;margin:0 auto;padding:0 24px}
header{padding-top:40px}
h1{font-size:1.75rem;line-height:1.25;margin:.3rem 0 .6rem;letter-spacing:-.01em;text-wrap:balance}
h2{font-size:1.25rem;margin:48px 0 14px;letter-spacing:-.005em}
h3{font-size:1.05rem;margin:0;line-height:1.35}
h4,.label{font-size:.78rem;margin:18px 0 6px;color:var(--soft);text-transform:uppercase;letter-spacing:.06em}
p{margin:.5em 0}
h1,h3,p,li,dd,code{overflow-wrap:anywhere}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.875em}
a{color:var(--info)}
.brand,.facts,.note{color:var(--soft)}
.brand{margin:0;font-size:.9rem}
.figures+.note{margin-top:14px}
.note+pre{margin-top:16px}
.note{font-size:.9rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;margin:0 0 16px}
.bad{color:var(--bad)}
.warn{color:var(--warn)}
.good{color:var(--good)}
.info,.unknown{color:var(--info)}
nav{display:flex;flex-wrap:wrap;gap:6px 18px;margin-top:18px;font-size:.92rem}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;margin:26px 0 0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:14px 16px;display:flex;
  flex-direction:column-reverse;justify-content:flex-end}
.figures dt{color:var(--soft);font-size:.85rem;line-height:1.3}
.figures dd{margin:0;font-size:1.6rem;font-weight:650;line-height:1.25;font-variant-numeric:tabular-nums}
.badges{display:flex;flex-wrap:wrap;gap:6px;margin:10px 0 0;padding:0;list-style:none}
.badge{display:inline-block;border-radius:99px;padding:1px 10px;font-size:.82rem;background:var(--pale);
  color:var(--soft);max-width:100%;overflow-wrap:anywhere}
.badge.bad{background:var(--badbg);color:var(--bad)}
.badge.warn{background:var(--warnbg);color:var(--warn)}
.badge.good{background:var(--goodbg);color:var(--good)}
.badge.info{background:var(--infobg);color:var(--info)}
.finding{border-left:5px solid var(--line)}
.finding.bad{border-left-color:var(--bad)}
.finding.warn{border-left-color:var(--warn)}
.finding.info{border-left-color:var(--info)}
.finding{color:var(--ink)}
.finding .cause{color:var(--soft);margin:2px 0 0}
pre{background:var(--pale);border-radius:8px;padding:10px 14px;margin:0;white-space:pre-wrap;overflow-wrap:anywhere;
  line-height:1.5}
pre span{display:block;padding-left:2ch;text-indent:-2ch}
pre b{font-weight:400;color:var(--soft);user-select:none}
ul.why{margin:0;padding-left:1.2em}
ul.why li{margin:3px 0}
.fixes{display:grid;grid-template-columns:repeat(auto-fit,minmax(240px,1fr));gap:10px;margin:0}
.fixes div{background:var(--goodbg);border-radius:8px;padding:10px 14px}
.fixes dt{color:var(--good);font-weight:600;font-size:.85rem}
.fixes dd{margin:2px 0 0}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(440px,100%),1fr));gap:16px}
.grid .card{margin:0}
.bars{list-style:none;margin:14px 0 0;padding:0}
.bars li{display:grid;grid-template-columns:1fr auto;gap:3px 16px;margin:0 0 12px}
.bars li>:nth-child(2){white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}
.bars .bar{grid-column:1/-1}
.bar{display:block;height:12px;border-radius:4px;min-width:3px;background:var(--bad)}
.bar.benign{background:var(--other)}
.bar.open{background:repeating-linear-gradient(45deg,var(--warn) 0 4px,transparent 4px 8px);
  border:1px solid var(--warn)}
.wide{overflow-x:auto;border-radius:6px}
.wide svg{min-width:760px}
svg{display:block;width:100%;height:auto;font-family:inherit}
svg.histogram{max-width:640px}
svg text{font-size:12px;fill:var(--ink)}
svg .tick,svg .who{fill:var(--soft);font-size:11.5px}
svg .strong{fill:var(--ink);font-weight:600}
svg .lane{font-family:ui-monospace,Menlo,Consolas,monospace}
svg .lane.bad{fill:var(--bad)}
svg .figure{font-variant-numeric:tabular-nums}
svg .figure.lane{fill:var(--soft)}
svg .figure.bad{fill:var(--bad);font-weight:600}
path.grid{stroke:var(--line);stroke-width:1}
path.axis{stroke:var(--soft);stroke-width:1}
path.life{stroke:var(--soft);stroke-opacity:.45;stroke-width:1.5}
path.mark{stroke:var(--ink);stroke-width:1;stroke-dasharray:3 3}
.m-ok{stroke:var(--ok);stroke-width:3}
.m-fail{stroke:var(--bad);stroke-width:2.6;fill:none}
.m-error{fill:var(--bad)}
.m-opened{fill:var(--card);stroke:var(--info);stroke-width:2}
.m-ready{fill:var(--info)}
.m-closed{fill:none;stroke:var(--soft);stroke-width:2}
.m-stream{fill:none;stroke:var(--e5);stroke-width:2.4}
.s-ok{fill:var(--ok);background:var(--ok)}
.s-bad{fill:var(--bad);background:var(--bad)}
.s-e4{fill:var(--e4);background:var(--e4)}
.s-e5{fill:var(--e5);background:var(--e5)}
.s-other{fill:var(--other);background:var(--other)}
.open{color:var(--warn)}
.label-note{background:var(--warnbg);color:var(--warn);border-radius:8px;padding:8px 14px;margin:10px 0 0;
  font-size:.92rem}
.verdicts{list-style:none;margin:12px 0 0;padding:0}
.verdicts li{border-left:4px solid var(--line);padding:2px 0 2px 12px;margin:6px 0}
.verdicts li.good{border-left-color:var(--good);color:var(--ink)}
.verdicts li.bad{border-left-color:var(--bad);color:var(--ink)}
.proof p:first-child{margin-top:0}
.proof p{margin:4px 0}
.exchange+.exchange{margin-top:8px}
table.plain th.total{color:var(--ink)}
table.plain th.part{padding-left:18px;font-weight:400;color:var(--ink)}
table.plain td.bad{color:var(--bad);font-weight:600}
table.plain td .badge{white-space:nowrap}
.meter{width:30%;min-width:140px}
.meter i,.meter b{display:block;height:7px;min-width:2px;border-radius:3px;background:var(--ok)}
.meter i{background:var(--ok);opacity:.4;margin-bottom:2px}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.dots{fill:none;stroke-width:5;stroke-linecap:round}
.l-p50{stroke:var(--ok);fill:var(--ok)}
.l-p95{stroke:var(--e4);fill:var(--e4)}
.l-p99{stroke:var(--bad);fill:var(--bad)}
.l-users{stroke:var(--e5);fill:var(--e5)}
path.line{fill:none}
.area{fill:var(--ok);fill-opacity:.45;stroke:var(--ok);stroke-width:1}
.area.flight{fill:var(--other);stroke:var(--other);fill-opacity:.35}
.s-flight{fill:var(--other)}
.band{fill:var(--warn);fill-opacity:.1}
.hit{fill:transparent}
.hit:hover{fill:var(--ink);fill-opacity:.06}
.reach{fill:none;stroke-width:3;stroke:var(--soft)}
.point{fill:none;stroke-width:11;stroke-linecap:round;stroke:var(--soft)}
.reach.good,.point.good{stroke:var(--good)}
.reach.bad,.point.bad{stroke:var(--bad)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:10px 0 0;padding:0;list-style:none;font-size:.85rem;
  color:var(--soft)}
.legend li{display:flex;align-items:center;gap:6px}
.legend svg{width:18px;height:18px;min-width:18px}
.legend i{width:12px;height:12px;border-radius:3px}
figure{margin:0}
figcaption{color:var(--soft);font-size:.9rem;margin-bottom:8px}
table.plain{border-collapse:collapse;width:100%;min-width:760px;font-size:.9rem}
table.plain code{overflow-wrap:break-word}
table.plain th,table.plain td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--line);
  vertical-align:top}
table.plain th{color:var(--soft);font-weight:600}
table.plain .n{text-align:right;font-variant-numeric:tabular-nums}
details{margin-top:14px}
summary{cursor:pointer;color:var(--info);font-size:.92rem}
details[open] summary{margin-bottom:10px}
ul.list{padding-left:1.2em;margin:0}
ul.list li{margin:5px 0}
footer{color:var(--soft);font-size:.88rem;padding-top:40px;padding-bottom:48px}
:focus-visible{outline:2px solid var(--info);outline-offset:2px}
@media (max-width:600px){
header,main,footer{padding-left:16px;padding-right:16px}
header{padding-top:24px}
h1{font-size:1.4rem}
.card{padding:16px}
h2{margin-top:36px}
.figures{grid-template-columns:repeat(2,1fr)}
table.stack{min-width:0}
.stack thead{display:none}
.stack tr{display:block;padding:12px 0;border-bottom:1px solid var(--line)}
.stack tr:last-child{border-bottom:0}
table.stack th,table.stack td{display:block;padding:2px 0;border-bottom:0}
.stack td:nth-child(4)::before{content:"asked for ";color:var(--soft)}
}
@media print{
body{background:#fff;color:#000;font-size:11pt}
nav{display:none}
.card,.figures div{break-inside:avoid}
h2,h3{break-after:avoid}
.wide{overflow:visible}
.wide svg,table.plain{min-width:0}
}
"""
