"""HTML edition of executed notebooks: one self-contained page each, code hidden until asked for, printable on A4.

Pages name no outside address: the export's plain fragment is wrapped in our own page, style and the one script that
sorts a table by the head that is clicked; text from data is escaped by the exporter. Cells tagged `live`, controls with their headings, need a kernel and stay out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from pathlib import Path

import nbformat

from zcqlib.tables import ZcqError
from zcqlib.workspace import write_atomic

LIVE = "live"  # tag of cells that only a kernel brings to life
STYLE = """
body{font:16px/1.7 "Noto Sans SC","Microsoft YaHei","PingFang SC",sans-serif;color:#1f2937;margin:0;background:#fff}
main{max-width:1080px;margin:0 auto;padding:24px 32px 64px}
nav{background:#f7f8f9;border-bottom:1px solid #e4e8ec;padding:10px 32px;font-size:14px}
nav a{color:#1965a3;margin-right:14px;text-decoration:none}nav a.here{color:#1f2937;border-bottom:2px solid #14284b}
nav ol{margin:6px 0 0;padding-left:20px;columns:2}nav label{float:right;cursor:pointer}
h1{font-size:28px}h2{font-size:21px;border-bottom:1px solid #e4e8ec;margin-top:36px}
img{max-width:100%;height:auto}pre{white-space:pre-wrap;font-size:13px;background:#f7f8f9;padding:8px 12px}
table{border-collapse:collapse;font-size:14px;margin:12px 0}th,td{border-bottom:1px solid #e4e8ec;padding:4px 10px}
td{text-align:right}td:first-child,th{text-align:left}th{font-weight:600}thead th{cursor:pointer}
.anchor-link,.code_cell>.input{display:none}
body:has(#code:checked) .code_cell>.input{display:block}
@page{size:A4;margin:16mm}
@media print{nav>label,nav>a{display:none}nav{border:0;padding:0}main{padding:0}body{font-size:11pt}
h2{break-after:avoid}img,tr{break-inside:avoid}}
"""
SORT = """
document.onclick=e=>{const h=e.target.closest("thead th");if(!h)return;const b=h.closest("table").tBodies[0],
i=h.cellIndex,d=h.dataset.d=-(h.dataset.d||-1),t=r=>r.cells[i].innerText,
n=r=>parseFloat(t(r).replace(/,/g,"").replace("\u2212","-").replace(/^[^\\d-]*/,"")),
w=(x,y)=>d*t(x).localeCompare(t(y),"zh",{numeric:true});
[...b.rows].sort((x,y)=>{const p=n(x),q=n(y);return isNaN(p)-isNaN(q)||d*(p-q)||w(x,y)}).forEach(r=>b.append(r))}
"""


def export(notebooks: Iterable[Path], folder: Path) -> list[Path]:
    """Write one page for each executed notebook into `folder`, all linked with each other; same input, same bytes.

    Raises
    ------
    ZcqError : no notebook was given, or one is not a notebook.
    """
    from nbconvert import HTMLExporter  # 2 s to import
    from traitlets.config import Config

    paths = sorted(notebooks)
    if not paths:
        raise ZcqError("没有已运行的笔记本可导出。请先运行:python -m zcqlib run 月份")
    try:
        read = {p.stem: nbformat.read(p, 4) for p in paths}
    except (ValueError, nbformat.ValidationError) as e:
        raise ZcqError(f"笔记本不能识别:{e}。请重新运行该月。") from e
    titles = {stem: _title(nb) or stem for stem, nb in read.items()}
    live = Config({"TagRemovePreprocessor": {"enabled": True, "remove_cell_tags": {LIVE}}})
    exporter = HTMLExporter(template_name="basic", config=live)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    out = []
    for stem, nb in read.items():
        body, _ = exporter.from_notebook_node(nb)
        path = folder / f"{stem}.html"
        write_atomic(path, _page(stem, titles, _without_scripts(body)).encode())
        out.append(path)
    return out


def _title(notebook) -> str:
    first = next((c.source for c in notebook.cells if c.cell_type == "markdown"), "")
    return first.splitlines()[0].lstrip("# ").strip() if first else ""


def _without_scripts(body: str) -> str:
    body = re.sub(r"<script\b.*?</script>", "", body, flags=re.S | re.I)
    return re.sub(r"<(?:link|meta)\b[^>]*>", "", body, flags=re.I)


def _page(stem: str, titles: dict[str, str], body: str) -> str:
    links = "".join(
        f'<a href="{html.escape(s)}.html"{" class=here" if s == stem else ""}>{html.escape(t)}</a>'
        for s, t in titles.items()
    )
    heads = re.findall(r'<h2 id="([^"]*)">(.*?)(?:<a class="anchor-link".*?</a>)?</h2>', body, re.S)
    contents = "".join(f'<li><a href="#{anchor}">{text}</a></li>' for anchor, text in heads)
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8"><title>{html.escape(titles[stem])}'
        f"</title><style>{STYLE}</style></head><body><nav><label><input type=checkbox id=code> 显示代码</label>"
        f"{links}<ol>{contents}</ol></nav><main>{body}</main><script>{SORT}</script></body></html>\n"
    )
